package judge

import (
	"errors"
	"fmt"
	"io"

	"nbdconform/reference/wire"
)

// handshake is what both sides said before options.
type handshake struct {
	offered  wire.HandshakeFlags
	accepted wire.ClientFlags
	tls      bool  // TLS runs, and the judge is given its plain text
	mustDrop check // why the server may not go on, or 0: the client's flags were wrong
}

// fixed reports whether both sides set their fixed newstyle flag.
func (h *handshake) fixed() bool {
	return h.offered&wire.FlagFixedNewstyle != 0 && h.accepted&wire.FlagCFixedNewstyle != 0
}

// noZeroes reports whether both sides set their flag for leaving the reserved zeroes out.
func (h *handshake) noZeroes() bool {
	return h.offered&wire.FlagNoZeroes != 0 && h.accepted&wire.FlagCNoZeroes != 0
}

// serverHeader handles what the server sends at the start of b.
func (j *Judge) serverHeader(b []byte) int {
	switch j.phase {
	case phaseGreeting:
		return j.greeting(b)
	case phaseTransmission:
		return j.reply(b)
	}
	if o := j.oldest(); o != nil && o.option == wire.OptExportName {
		return j.exportNameReply(o, b)
	}
	return j.optionReply(b)
}

// clientHeader handles what the client sends at the start of b.
func (j *Judge) clientHeader(b []byte) int {
	switch j.phase {
	case phaseGreeting:
		j.client.mode = holding
		return 0
	case phaseFlags:
		return j.clientFlags(b)
	case phaseTransmission:
		return j.request(b)
	}
	return j.optionHeader(b)
}

// greeting handles the server's first message.
func (j *Judge) greeting(b []byte) int {
	const magics = 16
	if len(b) < magics {
		return 0
	}
	s := &j.server
	if old, n, err := wire.ParseOldGreeting(b); err == nil {
		j.open(s, KindOldGreeting, b[:n], 0, nil)
		j.log.say(s.msg, fmt.Sprintf("oldstyle greeting size %d flags %v", old.Size, wire.TransmissionFlags(old.Flags)))
		j.oldstyle(old)
		return n
	} else if errors.Is(err, io.ErrUnexpectedEOF) {
		return 0
	}
	g, n, err := wire.ParseGreeting(b)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return 0
	}
	if j.broken(greetingLayout, err == nil) {
		j.lose(greetingLayout, "greeting-magic", err)
		return 0
	}
	j.open(s, KindGreeting, b[:n], 0, nil)
	j.log.say(s.msg, fmt.Sprintf("greeting flags %v", g.Flags))
	j.offered = g.Flags
	const known = wire.FlagFixedNewstyle | wire.FlagNoZeroes
	if j.broken(handshakeUnknownFlag, g.Flags&^known == 0) {
		j.accuse(s.here(), handshakeUnknownFlag, "handshake-flags-undefined", g.Flags, expect(known))
	}
	if !j.opts.Oldstyle && j.broken(fixedNewstyleServer, g.Flags&wire.FlagFixedNewstyle != 0) {
		j.accuse(s.here(), fixedNewstyleServer, "fixed-newstyle-not-offered", g.Flags)
	}
	j.phase = phaseFlags
	j.release(&j.client)
	return n
}

// oldstyle enters the transmission phase without further ado.
func (j *Judge) oldstyle(g wire.OldGreeting) {
	here := j.server.here()
	if !j.opts.Oldstyle {
		j.accuse(here, fixedNewstyleServer, "oldstyle-handshake")
	}
	if j.broken(handshakeOldstyleFlags, g.Flags>>16 == 0) {
		j.accuse(here, handshakeOldstyleFlags, "oldstyle-flags-beyond-16-bits", g.Flags)
	}
	j.export = export{size: g.Size, flags: wire.TransmissionFlags(g.Flags)}
	j.judgeFlags(here, j.export.flags)
	j.enter()
}

// clientFlags handles the client's first message.
func (j *Judge) clientFlags(b []byte) int {
	f, n, err := wire.ParseClientFlags(b)
	if err != nil {
		return 0
	}
	s := &j.client
	j.open(s, KindClientFlags, b[:n], 0, nil)
	j.log.say(s.msg, fmt.Sprintf("client flags %v", f))
	j.accepted = f
	const known = wire.FlagCFixedNewstyle | wire.FlagCNoZeroes
	unknown := f&^known != 0
	if j.broken(clientFlagUnknown, !unknown) {
		j.accuse(s.here(), clientFlagUnknown, "handshake-flags-undefined", f, expect(known))
	}
	excess := f&wire.FlagCNoZeroes != 0 && j.offered&wire.FlagNoZeroes == 0
	if j.broken(clientFlagNoZeroes, !excess) {
		j.accuse(s.here(), clientFlagNoZeroes, "client-flags-not-offered", f, expect(j.offered))
	}
	excess = excess || f&wire.FlagCFixedNewstyle != 0 && j.offered&wire.FlagFixedNewstyle == 0
	switch {
	case unknown:
		j.mustDrop = clientFlagUnknownDrop
	case excess:
		j.mustDrop = clientFlagUnofferedDrop
	}
	j.phase = phaseHaggling
	return n
}

// judgeDropped accuses a server that carries on with a client whose flags
// oblige it to hang up.
func (j *Judge) judgeDropped() {
	if j.mustDrop == 0 {
		return
	}
	c := j.mustDrop
	j.mustDrop = 0
	j.accuse(j.server.here(), c, "session-continues-after-invalid-client-flags", j.accepted, j.offered)
}
