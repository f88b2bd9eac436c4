package server

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"nbdconform/reference/wire"
)

// What the specification reserves, has withdrawn or does not define, number by
// number, and what it wants done about it.

// "NBD_OPT_PEEK_EXPORT (4): Was defined by the (withdrawn) experimental
// PEEK_EXPORT extension; not in use." Others are unknown.
func TestReservedOptions(t *testing.T) {
	if got := wire.OptPeekExport.String(); got != "NBD_OPT_PEEK_EXPORT" {
		t.Errorf("option 4 prints as %s", got)
	}
	_, ln := serve(t, oneExport(1<<20))
	p := dial(t, ln).greet()
	for _, o := range append(beyond(wire.OptExtendedHeaders), wire.OptPeekExport, 0) {
		for _, data := range []string{"", "disk", "\x00\x00\x00\x04disk"} {
			p.want(p.option(o, []byte(data)), wire.RepErrUnsup)
		}
	}
	p.want(p.option(wire.OptList, nil), wire.RepServer, wire.RepAck)
}

// beyond are numbers after the last one that is defined.
func beyond[T ~uint16 | ~uint32](last T) (list []T) {
	for n := last + 1; n < 64; n++ {
		list = append(list, n)
	}
	for bit := range 32 {
		if n := T(uint64(1) << bit); n >= 64 {
			list = append(list, n, n-1)
		}
	}
	return append(list, ^T(0))
}

// A client may ask for any information: what is unknown is omitted.
func TestReservedInformation(t *testing.T) {
	_, ln := serve(t, oneExport(1<<20))
	p := dial(t, ln).greet()
	unasked := p.option(wire.OptInfo, wire.InfoRequest{}.Append(nil))
	for _, i := range append(beyond(wire.InfoBlockSize), wire.InfoInitState) {
		got := p.option(wire.OptInfo, wire.InfoRequest{Infos: []wire.InfoType{i}}.Append(nil))
		if d := cmp.Diff(unasked, got); d != "" {
			t.Errorf("%v (-unasked +asked):\n%s", i, d)
		}
	}
}

// "The server SHOULD return NBD_EINVAL if it receives an unknown command."
// NBD_CMD_RESIZE is one where it is not advertised.
func TestReservedCommands(t *testing.T) {
	_, ln := serve(t, oneExport(1<<20))
	for _, structured := range []bool{false, true} {
		p := dial(t, ln).enter(structured)
		for _, c := range append(beyond(wire.CmdBlockStatus), wire.CmdResize) {
			if r := p.do(wire.Request{Type: c, Cookie: 1, Length: 512}, nil); r.Err != wire.EINVAL {
				t.Errorf("%v: got %v, want NBD_EINVAL", c, r.Err)
			}
		}
	}
}

// An undefined flag is refused with every command that has an answer.
func TestReservedCommandFlags(t *testing.T) {
	_, ln := serve(t, oneExport(1<<20))
	p := dial(t, ln).enter(true)
	for bit := range 16 {
		f := wire.CommandFlags(1) << bit
		for c := wire.CmdRead; c <= wire.CmdBlockStatus; c++ {
			if c == wire.CmdDisc || f&c.AllowedFlags() != 0 && f != wire.CmdFlagPayloadLen {
				continue
			}
			q := wire.Request{Type: c, Flags: f, Cookie: 1, Length: 512}
			var payload []byte
			if c == wire.CmdWrite {
				payload = make([]byte, 512)
			}
			if c == wire.CmdFlush {
				q.Length = 0
			}
			if r := p.do(q, payload); r.Err != wire.EINVAL {
				t.Errorf("%v: got %v, want NBD_EINVAL", q, r.Err)
			}
		}
	}
}

// "the server MUST drop the TCP session" if a client sets a flag that it does
// not recognise.
func TestReservedClientFlags(t *testing.T) {
	_, ln := serve(t, oneExport(1<<20))
	for bit := 2; bit < 32; bit++ {
		p := dial(t, ln)
		if _, err := wire.ReadGreeting(p.br); err != nil {
			t.Fatal(err)
		}
		p.send((wire.FlagCFixedNewstyle | wire.ClientFlags(1)<<bit).Append(nil))
		p.closed()
	}
}

// What no document defines is not offered.
func TestReservedFlagsAreNotSet(t *testing.T) {
	_, ln := serve(t, oneExport(1<<20))
	p := dial(t, ln)
	if f := p.enterExtended("base:allocation"); f >= wire.FlagBlockStatusPayload<<1 || f&wire.FlagSendResize != 0 {
		t.Errorf("transmission flags %v", f)
	}
	p = dial(t, ln)
	g, err := wire.ReadGreeting(p.br)
	if known := wire.FlagFixedNewstyle | wire.FlagNoZeroes; err != nil || g.Flags&^known != 0 {
		t.Errorf("handshake flags %v, %v", g.Flags, err)
	}
	p.send(wire.FlagCFixedNewstyle.Append(nil))
}

// "The following magic values are reserved and must not be used": neither is
// the magic number of the headers that were not negotiated.
func TestReservedMagic(t *testing.T) {
	_, ln := serve(t, oneExport(1<<20))
	for _, magic := range []uint32{wire.HistoricRequest, wire.HistoricReply, wire.TransactionLogMagic, wire.ExtendedRequest} {
		p := dial(t, ln).enter(false)
		b := wire.Request{Type: wire.CmdFlush, Cookie: 1}.Append(nil)
		b[0], b[1], b[2], b[3] = byte(magic>>24), byte(magic>>16), byte(magic>>8), byte(magic)
		p.send(b)
		p.closed()
	}
}
