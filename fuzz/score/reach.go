package score

import (
	"nbdconform/conformance/clause"
	serverquirk "nbdconform/reference/quirk/server"
)

// Why no script can see a clause broken: what a script is made of begins after
// the TLS handshake, and all of it comes from a client that the server has no
// reason to outlive.
const (
	withinHandshake = "within the TLS handshake, which is not an operation"
	afterLast       = "in the TLS records after the last message"
	afterCrash      = "after a crash of the server, which is not an operation"
	otherDraft      = "in a draft of the protocol that the model does not know"
)

// unreachable are the clauses that no script can see broken.
var unreachable = map[string]string{
	"tls.handshake.failed.server":      withinHandshake,
	"tls.version.later.server":         withinHandshake,
	"tls.version.older.default.server": withinHandshake,
	"tls.version.required.server":      withinHandshake,
	"cmd.disc.tls":                     afterLast,
	"cmdflag.fua.persist":              afterCrash,
}

// draft is the document of the dialect that scripts do not speak.
const draft = "get-lba-status"

// Unreachable says why no valid session shows the quirk, or "" if one can.
func Unreachable(q serverquirk.Quirk) string {
	switch why, ok := unreachable[q.Breaks]; {
	case q.Unseen != "":
		return q.Unseen
	case ok:
		return why
	case q.Name == serverquirk.FlushLies.Name: // it breaks a clause that others break within a session
		return afterCrash
	}
	if c, ok := clause.Get(clause.ID(q.Breaks)); ok && c.Document == draft {
		return otherDraft
	}
	return ""
}
