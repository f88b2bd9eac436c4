package wire_test

import (
	"errors"
	"fmt"
	"testing"

	"nbdconform/reference/wire"
)

// named makes a value of each type with names, to see how it prints.
var named = map[string]func(uint64) fmt.Stringer{
	"Option":            func(v uint64) fmt.Stringer { return wire.Option(v) },
	"ReplyType":         func(v uint64) fmt.Stringer { return wire.ReplyType(v) },
	"InfoType":          func(v uint64) fmt.Stringer { return wire.InfoType(v) },
	"Command":           func(v uint64) fmt.Stringer { return wire.Command(v) },
	"ChunkType":         func(v uint64) fmt.Stringer { return wire.ChunkType(v) },
	"Errno":             func(v uint64) fmt.Stringer { return wire.Errno(v) },
	"HandshakeFlags":    func(v uint64) fmt.Stringer { return wire.HandshakeFlags(v) },
	"ClientFlags":       func(v uint64) fmt.Stringer { return wire.ClientFlags(v) },
	"TransmissionFlags": func(v uint64) fmt.Stringer { return wire.TransmissionFlags(v) },
	"CommandFlags":      func(v uint64) fmt.Stringer { return wire.CommandFlags(v) },
	"ReplyFlags":        func(v uint64) fmt.Stringer { return wire.ReplyFlags(v) },
	"StateFlags":        func(v uint64) fmt.Stringer { return wire.StateFlags(v) },
	"InitFlags":         func(v uint64) fmt.Stringer { return wire.InitFlags(v) },
}

var flagPrefixes = map[string]string{
	"HandshakeFlags": "NBD_FLAG_", "ClientFlags": "NBD_FLAG_C_", "TransmissionFlags": "NBD_FLAG_",
	"CommandFlags": "NBD_CMD_FLAG_", "ReplyFlags": "NBD_REPLY_FLAG_", "StateFlags": "NBD_STATE_", "InitFlags": "NBD_INIT_",
}

// Says also when names_string.go is older than the constants.
func TestConstantsPrintTheDocumentsNames(t *testing.T) {
	seen := 0
	for _, c := range readSource(t).consts {
		value, ok := named[c.typ]
		if !ok {
			continue
		}
		seen++
		if got := flagPrefixes[c.typ] + value(c.value).String(); got != c.comment {
			t.Errorf("%s prints as %s, its comment says %s; run go generate", c.name, got, c.comment)
		}
	}
	if seen < 80 {
		t.Errorf("looked at %d constants, there should be more", seen)
	}
}

func TestUnknownValuesPrint(t *testing.T) {
	for _, c := range []struct {
		value fmt.Stringer
		want  string
	}{
		{wire.Option(99), "Option(99)"},
		{wire.ReplyType(1<<31 + 99), "ReplyType(2147483747)"},
		{wire.InfoType(0xffff), "InfoType(65535)"},
		{wire.Command(9), "Command(9)"},
		{wire.ChunkType(3), "ChunkType(3)"},
		{wire.Errno(2), "Errno(2)"},
		{wire.CmdFlagFUA | wire.CmdFlagNoHole | 0x40, "FUA|NO_HOLE|0x40"},
		{wire.TransmissionFlags(1 << 15), "0x8000"},
		{wire.HandshakeFlags(0), "0"},
	} {
		if got := c.value.String(); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
}

func TestMessagesPrint(t *testing.T) {
	for _, c := range []struct {
		value fmt.Stringer
		want  string
	}{
		{wire.Request{Type: wire.CmdTrim, Cookie: 10, Length: 512}, "NBD_CMD_TRIM flags 0 cookie 0xa offset 0 length 512"},
		{wire.SimpleReply{Error: wire.EIO, Cookie: 10}, "simple reply NBD_EIO cookie 0xa"},
		{wire.Chunk{Flags: wire.ReplyFlagDone, Cookie: 10}, "NBD_REPLY_TYPE_NONE flags DONE cookie 0xa length 0"},
		{wire.OptionRequest{Option: wire.OptList}, "NBD_OPT_LIST length 0"},
		{wire.OptionReply{Option: wire.OptList, Type: wire.RepErrPolicy, Data: []byte("no")}, `NBD_REP_ERR_POLICY to NBD_OPT_LIST: "no"`},
		{wire.OptionReply{Option: wire.OptList, Type: wire.RepAck}, "NBD_REP_ACK to NBD_OPT_LIST length 0"},
		{wire.Extent{Length: 512, Status: 3}, "512:0x3"},
	} {
		if got := c.value.String(); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}

func TestErrnoIsAGoError(t *testing.T) {
	err := fmt.Errorf("writing: %w", wire.ENOSPC)
	if !errors.Is(err, wire.ENOSPC) || errors.Is(err, wire.EIO) {
		t.Errorf("%v is not told apart", err)
	}
	if got, want := err.Error(), "writing: NBD_ENOSPC"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestClassesOfTypes(t *testing.T) {
	for _, c := range []struct {
		name      string
		got, want bool
	}{
		{"an acknowledgement is final", wire.RepAck.IsFinal(), true},
		{"an undefined error is final", wire.ReplyType(1<<31 + 99).IsFinal(), true},
		{"one export of a list is not final", wire.RepServer.IsFinal(), false},
		{"an acknowledgement is no error", wire.RepAck.IsError(), false},
		{"an undefined error chunk is one", wire.ChunkType(1<<15 + 99).IsError(), true},
		{"a hole is content", wire.ChunkOffsetHole.IsContent(), true},
		{"block status is no content", wire.ChunkBlockStatus.IsContent(), false},
		{"success is a defined value", wire.OK.Known(), true},
		{"ENOTSUP is a defined value", wire.ENOTSUP.Known(), true},
		{"errno 2 is not a defined value", wire.Errno(2).Known(), false},
		{"the resize command is known", wire.CmdResize.Known(), true},
		{"command 9 is not known", wire.Command(9).Known(), false},
	} {
		if c.got != c.want {
			t.Errorf("%s: got %t", c.name, c.got)
		}
	}
}
