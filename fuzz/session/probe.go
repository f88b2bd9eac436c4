package session

import (
	"nbdconform/fuzz/internal/script"
	"nbdconform/reference/wire"
)

// mostProbed is how many ranges of an export a probe reads.
const mostProbed = 24

// probe looks at the server from a connection of its own, behind the script:
// it has to be served, and the contents have to be what the model says, where
// the script meant to change something, and at both ends of the export.
func (r *run) probe() {
	name, entered := r.entered()
	l := r.dial(-1)
	if l.over {
		return
	}
	o := func(o wire.Option, queries ...string) {
		l.do(script.Op{Kind: script.Option, Option: o, Export: name, Queries: queries, Infos: []wire.InfoType{wire.InfoBlockSize}})
	}
	l.greeted()
	if !l.over && !l.fixed() { // no other option can be sent
		if l.do(script.Op{Kind: script.Option, Option: wire.OptExportName, Export: name}); l.phase == transmission {
			l.look()
		}
		l.leave()
		return
	}
	if r.secured() {
		o(wire.OptStartTLS)
	}
	o(wire.OptStructuredReply)
	if l.model.Structured {
		o(wire.OptSetMetaContext, "base:allocation")
	}
	o(wire.OptGo)
	if l.phase != transmission {
		switch {
		case len(r.result.Findings) > 0 || !entered && !l.over:
		case l.over:
			r.find(l, Finding{Kind: Unserved, Clause: "baseline.server.fixed-newstyle", Subject: "probe", Detail: "a connection behind the script is hung up on"})
		default:
			r.find(l, Finding{Kind: Unserved, Clause: "baseline.server.go", Subject: "probe", Detail: "a connection behind the script can't enter the transmission phase, which an earlier one did"})
		}
		l.leave()
		return
	}
	l.look()
	l.leave()
}

// reveal asks within TLS for the exports of which the model can't tell without
// whether there are any.
func (r *run) reveal() {
	names := r.model.Hidden()
	if len(names) == 0 {
		return
	}
	l := r.dial(-1)
	l.greeted()
	l.do(script.Op{Kind: script.Option, Option: wire.OptStartTLS})
	for _, name := range names {
		l.do(script.Op{Kind: script.Option, Option: wire.OptInfo, Export: name})
	}
	l.leave()
}

// greeted waits for the greeting and takes what it offers.
func (l *link) greeted() {
	l.await()
	l.do(script.Op{Kind: script.Flags, ClientFlags: wire.ClientFlags(l.offered) & (wire.FlagCFixedNewstyle | wire.FlagCNoZeroes)})
}

// fixed reports whether the server offers the fixed newstyle handshake.
func (l *link) fixed() bool { return l.offered&wire.FlagFixedNewstyle != 0 }

// secured reports whether a connection of the script had TLS.
func (r *run) secured() bool {
	for _, l := range r.links {
		if l != nil && l.model.TLS {
			return true
		}
	}
	return false
}

// entered is the name of an export that the script got into.
func (r *run) entered() (string, bool) {
	for _, l := range r.links {
		if l != nil && l.model.Entered {
			return l.model.Name, true
		}
	}
	return "", false
}

// look reads what is worth it, and asks for the status of it.
func (l *link) look() {
	do := func(c wire.Command, from, to uint64) {
		minimum, _ := l.model.Minimum()
		from -= from % minimum
		to = min(to+(-to)%minimum, l.model.Size)
		if from < to && !l.over {
			l.do(script.Op{Kind: script.Request, Request: wire.Request{Type: c, Offset: from, Length: to - from}})
		}
	}
	const margin = 4096
	size := l.model.Size
	spans := l.run.model.Touched(l.model.Name, mostProbed)
	for _, s := range spans {
		do(wire.CmdRead, s.From-min(s.From, margin), min(s.To+margin, size))
	}
	if len(l.model.Contexts) > 0 {
		for _, s := range spans {
			do(wire.CmdBlockStatus, s.From, s.To)
		}
	}
	do(wire.CmdRead, 0, margin)
	do(wire.CmdRead, size-min(size, margin), size)
}
