package model

import (
	"bytes"
	"testing"

	"nbdconform/reference/wire"
)

const size = 1 << 20

const all = wire.FlagHasFlags | wire.FlagSendFlush | wire.FlagSendFUA | wire.FlagSendTrim |
	wire.FlagSendWriteZeroes | wire.FlagSendFastZero | wire.FlagSendDF | wire.FlagCanMultiConn

func connect(m *Model, flags wire.TransmissionFlags) *Conn {
	c := m.Connect()
	c.Structured = true
	i := wire.OptionReply{Option: wire.OptGo, Type: wire.RepInfo, Data: wire.ExportInfo{Size: size, Flags: flags}.Info().Append(nil)}
	ack := wire.OptionReply{Option: wire.OptGo, Type: wire.RepAck}
	c.Option(wire.OptionRequest{Option: wire.OptGo, Data: wire.InfoRequest{Infos: []wire.InfoType{wire.InfoBlockSize}}.Append(nil)}, []wire.OptionReply{i, ack})
	return c
}

func (c *Conn) write(off uint64, fill byte, flags wire.CommandFlags) *Request {
	p := bytes.Repeat([]byte{fill}, 512)
	return c.Send(wire.Request{Type: wire.CmdWrite, Flags: flags, Offset: off, Length: 512}, p, nil)
}

func (c *Conn) do(t wire.Command, off uint64, flags wire.CommandFlags) *Request {
	return c.Send(wire.Request{Type: t, Flags: flags, Offset: off, Length: 512}, nil, nil)
}

// content is a reply with 512 bytes of one value.
func content(off uint64, fill byte) Answer {
	return Answer{Pieces: []Piece{{Offset: off, Data: bytes.Repeat([]byte{fill}, 512)}}}
}

func flush(c *Conn) { c.Send(wire.Request{Type: wire.CmdFlush}, nil, nil).Reply(Answer{}) }

func TestContents(t *testing.T) {
	refused := Answer{Failed: true, Error: wire.EINVAL}
	for name, tt := range map[string]struct {
		talk func(m *Model, c *Conn) []Violation
		want string
	}{
		"what was written is there": {func(_ *Model, c *Conn) []Violation {
			c.write(0, 7, 0).Reply(Answer{})
			return c.do(wire.CmdRead, 0, 0).Reply(content(0, 7))
		}, ""},
		"what was written is not there": {func(_ *Model, c *Conn) []Violation {
			c.write(0, 7, 0).Reply(Answer{})
			return c.do(wire.CmdRead, 0, 0).Reply(content(0, 0))
		}, "cmd.write.then-reply"},
		"another connection, of which nothing is known, wrote": {func(m *Model, c *Conn) []Violation {
			c.write(0, 7, wire.CmdFlagFUA).Reply(Answer{})
			m.Connect().write(0, 8, 0).Reply(Answer{})
			return c.do(wire.CmdRead, 0, 0).Reply(content(0, 8))
		}, ""},
		"a hole where data was written": {func(_ *Model, c *Conn) []Violation {
			c.write(0, 7, 0).Reply(Answer{})
			return c.do(wire.CmdRead, 0, 0).Reply(Answer{Pieces: []Piece{{N: 512}}})
		}, "cmd.write.then-reply"},
		"zeroes that are none": {func(_ *Model, c *Conn) []Violation {
			c.do(wire.CmdWriteZeroes, 0, 0).Reply(Answer{})
			return c.do(wire.CmdRead, 0, 0).Reply(content(0, 7))
		}, "cmd.write-zeroes.reads-zero"},
		"trimmed bytes are anything": {func(_ *Model, c *Conn) []Violation {
			c.write(0, 7, 0).Reply(Answer{})
			c.do(wire.CmdTrim, 0, 0).Reply(Answer{})
			c.do(wire.CmdRead, 0, 0).Reply(content(0, 8))
			return c.do(wire.CmdRead, 0, 0).Reply(content(0, 9))
		}, ""},
		"what is untouched is learned": {func(_ *Model, c *Conn) []Violation {
			c.do(wire.CmdRead, 0, 0).Reply(content(0, 8))
			return c.do(wire.CmdRead, 0, 0).Reply(content(0, 9))
		}, "baseline.server.read"},
		"a failed write leaves anything": {func(_ *Model, c *Conn) []Violation {
			c.write(0, 7, 0).Reply(Answer{Failed: true, Error: wire.EIO})
			return c.do(wire.CmdRead, 0, 0).Reply(content(0, 9))
		}, ""},
		"a refused write changes nothing": {func(m *Model, c *Conn) []Violation {
			m.Set("", 0, bytes.Repeat([]byte{3}, 512))
			c.write(0, 7, 1<<9).Reply(refused)
			return c.do(wire.CmdRead, 0, 0).Reply(content(0, 7))
		}, "layout.write.range"},
		"fast zeroes that are refused change nothing": {func(_ *Model, c *Conn) []Violation {
			c.write(0, 7, 0).Reply(Answer{})
			c.do(wire.CmdWriteZeroes, 0, wire.CmdFlagFastZero).Reply(Answer{Failed: true, Error: wire.ENOTSUP})
			return c.do(wire.CmdRead, 0, 0).Reply(content(0, 0))
		}, "cmd.write.then-reply"},
		"a read at the same time as a write": {func(_ *Model, c *Conn) []Violation {
			w := c.write(0, 7, 0)
			r := c.do(wire.CmdRead, 0, 0)
			w.Reply(Answer{})
			return r.Reply(content(0, 0))
		}, ""},
		"two writes at the same time": {func(_ *Model, c *Conn) []Violation {
			a, b := c.write(0, 7, 0), c.write(256, 8, 0)
			b.Reply(Answer{})
			a.Reply(Answer{})
			return c.do(wire.CmdRead, 256, 0).Reply(content(256, 7))
		}, "cmd.write.then-reply"}, // where they meet anything is right, behind it is 8
		"another connection before the flush": {func(m *Model, c *Conn) []Violation {
			c.write(0, 7, 0).Reply(Answer{})
			return connect(m, all).do(wire.CmdRead, 0, 0).Reply(content(0, 0))
		}, ""},
		"another connection behind the flush": {func(m *Model, c *Conn) []Violation {
			c.write(0, 7, 0).Reply(Answer{})
			flush(c)
			return connect(m, all).do(wire.CmdRead, 0, 0).Reply(content(0, 0))
		}, "cmd.write.then-reply"},
		"another connection without NBD_FLAG_CAN_MULTI_CONN": {func(m *Model, _ *Conn) []Violation {
			m.facts = map[string]*fact{}
			c := connect(m, all&^wire.FlagCanMultiConn)
			c.write(0, 7, 0).Reply(Answer{})
			flush(c)
			return connect(m, all&^wire.FlagCanMultiConn).do(wire.CmdRead, 0, 0).Reply(content(0, 0))
		}, ""},
		"a write that had no answer": {func(m *Model, c *Conn) []Violation {
			c.write(0, 7, 0)
			c.End()
			d := connect(m, all)
			d.write(0, 9, wire.CmdFlagFUA).Reply(Answer{})
			return d.do(wire.CmdRead, 0, 0).Reply(content(0, 7))
		}, ""},
		"a valid request that fails": {func(_ *Model, c *Conn) []Violation {
			return c.do(wire.CmdRead, 0, 0).Reply(refused)
		}, "baseline.server.read"},
		"an invalid one": {func(_ *Model, c *Conn) []Violation {
			return c.do(wire.CmdRead, size, 0).Reply(refused)
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			m := New(Options{Healthy: true})
			got := tt.talk(m, connect(m, all))
			switch {
			case tt.want == "" && len(got) > 0:
				t.Errorf("got %v", got)
			case tt.want != "" && (len(got) == 0 || string(got[0].Clause) != tt.want):
				t.Errorf("got %v, want %s", got, tt.want)
			}
		})
	}
}

func TestStatus(t *testing.T) {
	for name, tt := range map[string]struct {
		context string
		status  uint64
		want    string
	}{
		"data is data":          {"base:allocation", 0, ""},
		"data is no zero":       {"base:allocation", 3, "layout.allocation.zero"},
		"written is dirty":      {"qemu:dirty-bitmap:b", 1, ""},
		"written is not clean":  {"qemu:dirty-bitmap:b", 0, "meta.qemu.dirty-bitmap.dirty"},
		"written is on top":     {"qemu:allocation-depth", 1, ""},
		"written is not below":  {"qemu:allocation-depth", 2, "meta.qemu.allocation-depth"},
		"others mean something": {"x-other:thing", 77, ""},
	} {
		t.Run(name, func(t *testing.T) {
			c := connect(New(Options{Records: true}), all)
			c.Contexts = []wire.MetaContext{{ID: 4, Name: tt.context}}
			c.write(0, 7, 0).Reply(Answer{})
			got := c.do(wire.CmdBlockStatus, 0, 0).Reply(Answer{
				Statuses: []wire.BlockStatus{{ContextID: 4, Extents: []wire.Extent{{Length: 512, Status: tt.status}}}},
			})
			if tt.want == "" && len(got) > 0 || tt.want != "" && (len(got) == 0 || string(got[0].Clause) != tt.want) {
				t.Errorf("got %v, want %q", got, tt.want)
			}
		})
	}
}
