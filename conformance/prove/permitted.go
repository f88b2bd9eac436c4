package prove

import (
	"fmt"

	"nbdconform/conformance/clause"
	"nbdconform/reference/quirk"
	clientquirk "nbdconform/reference/quirk/client"
	serverquirk "nbdconform/reference/quirk/server"
)

// A Permission is a clause that permits something, and where it is proven that
// the suite holds it against nobody.
type Permission struct {
	Clause  clause.ID
	Side    clause.Side // whose permission it is
	Subject string      // of the proof, as in [Proof]
	By      string      // what is allowed, in words

	profile, spec string
}

// Permitted are the permissions that are proven: those that an allowed quirk
// makes use of, and those that the reference does as it is.
func Permitted() []Permission {
	list := append([]Permission(nil), ordinary...)
	for _, q := range serverquirk.All() {
		list = append(list, used(clause.Server, q.Facts())...)
	}
	for _, q := range clientquirk.All() {
		list = append(list, used(clause.Client, q.Facts())...)
	}
	return list
}

// used are the permissions that an allowed quirk of a side makes use of.
func used(side clause.Side, q quirk.Facts) (list []Permission) {
	for _, id := range q.Permitted {
		list = append(list, Permission{
			Clause: clause.ID(id), Side: side, Subject: q.Name, By: fmt.Sprintf("the quirk %s of the reference %s", q.Name, side),
		})
	}
	return list
}

// server has a permission that the reference server makes use of in a profile,
// where the spec passes.
func server(id clause.ID, profile, spec string) Permission {
	return Permission{
		Clause: id, Side: clause.Server, Subject: "profile " + profile, profile: profile, spec: spec,
		By: fmt.Sprintf("what the reference server does in profile %s, in %s", profile, spec),
	}
}

// client has a permission that the reference client makes use of in the spec.
func client(id clause.ID, spec string) Permission {
	return Permission{
		Clause: id, Side: clause.Client, Subject: "client", spec: spec,
		By: "what the reference client does in " + spec,
	}
}

// ordinary are the permissions that the reference makes use of without any quirk,
// each with a spec that comes across it, and has to pass.
var ordinary = []Permission{
	server("trans.structured.allowed", "default", "structured-reply.effect"), // of any command
	server("size.minimum.one", "default", "read.single-byte"),                // is what it has
	server("cmd.read.content-final", "default", "structured.read"),           // none of its reads ends with a chunk of its own
	server("cmd.read.omit-content", "default", "error-chunk.beyond"),         // and sends no content
	server("cmd.read.error-alone", "default", "error-chunk.beyond"),          // as above
	server("cmd.read.large", "block-4096", "read.over-maximum"),              // its maximum payload is 2^20
	server("cmd.block-status.multiple", "default", "block-status.walk"),      // one for each run
	server("meta.allocation.hole.untrimmed", "default", "block-status.walk"), // it begins as one hole
	server("meta.allocation.zero.unzeroed", "default", "block-status.walk"),  // which reads as zeroes
	server("flag.transmission.supported", "default", "go.flags.fast-zero"),   // all of them
	server("flag.transmission.rotational", "rotational", "go.flags.fast-zero"),
	server("flag.transmission.read-only", "read-only", "read-only.flags"),
	server("cmd.write.reply-early", "durable", "durable.fua"), // its storage has a cache
	server("cmd.write-zeroes.reply-early", "durable", "durable.fua-zeroes"),
	server("tls.selective.info.refused", "tls", "tls.selective.go"),    // NBD_REP_ERR_TLS_REQD and no more
	server("rep.error.tls-reqd.per-export", "tls", "tls.selective.go"), // the other exports are there
	client("resize.use", "client.resize.grow"),                         // reads at the new end
	client("opt.info.go-without-info", "client.go"),
	client("tls.handshake.initiator.client", "client.tls.upgrade"),
	client("haggling.soft", "client.abort.done"),
	client("haggling.terminate.client", "client.abort.done"),
	client("haggling.violation.hard.client", "client.tls.hard.haggling"), // over a reply that is none
	client("trans.end.violation.client", "client.tls.hard.transmission"),
	client("trans.end.soft", "client.disc.visit"),
	client("tls.client.refuse", "client.tls.insisting"),
	client("tls.client.starttls.refused", "client.tls.insisting"),
	client("size.effect.client", "client.constraints.zero"), // twice the maximum payload size
	client("cmd.read.invalid-chunk", "client.inconsistent.data.behind"),
	client("cmd.block-status.invalid-chunk", "client.inconsistent.status.length"),
	client("chunk.error.unknown-type.continue", "client.error.unknown.write"), // NBD_CMD_DISC comes behind it
}

// notPermitted are failed proofs for clauses that a quirk says permit it, and
// that are no such thing.
func notPermitted(side clause.Side, q quirk.Facts) (orphans []Proof) {
	for _, id := range q.Permitted {
		c, ok := clause.Get(clause.ID(id))
		if !ok || c.Level != clause.May || c.Side != clause.Both && c.Side != side {
			orphans = append(orphans, Proof{Subject: q.Name, Detail: fmt.Sprintf("%s is no permission of the %s's", id, side)})
		}
	}
	return orphans
}
