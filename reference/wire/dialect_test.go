package wire_test

import (
	"strings"
	"testing"

	"nbdconform/reference/wire"
)

func TestDialectsHaveNames(t *testing.T) {
	for i, name := range wire.Dialects() {
		d, err := wire.DialectOf(name)
		if err != nil || d != wire.Dialect(i) || d.String() != name {
			t.Errorf("%s is %v, error %v", name, d, err)
		}
	}
	if d, err := wire.DialectOf(""); err != nil || d != wire.Current {
		t.Errorf("no name is %v, error %v", d, err)
	}
	if _, err := wire.DialectOf("esperanto"); err == nil || !strings.Contains(err.Error(), "get-lba-status") {
		t.Errorf("error %v does not say what there is", err)
	}
	if got := wire.Dialect(99).String(); got != "Dialect(99)" {
		t.Errorf("got %s", got)
	}
}

// What has a number twice is known by the name that goes with the dialect.
func TestDialectsNameWhatIsUsedAgain(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{wire.Current.CommandName(7), "NBD_CMD_BLOCK_STATUS"},
		{wire.GetLBAStatus.CommandName(7), "NBD_CMD_GET_LBA_STATUS"},
		{wire.GetLBAStatus.CommandName(6), "NBD_CMD_WRITE_ZEROES"},
		{wire.Current.FlagNames(1 | 1<<7), "HAS_FLAGS|SEND_DF"},
		{wire.GetLBAStatus.FlagNames(1 | 1<<7), "HAS_FLAGS|SEND_GET_LBA_STATUS"},
		{wire.LBADirty.String(), "NBD_FLAG_GET_DIRTY"},
		{wire.LBAAllocated.String(), "NBD_FLAG_GET_ALLOCATED"},
		{wire.LBAType(7).String(), "LBAType(7)"},
		{wire.LBADescriptor{Offset: 512, Length: 1024, Status: 2}.String(), "512+1024:2"},
	} {
		if c.got != c.want {
			t.Errorf("got %s, want %s", c.got, c.want)
		}
	}
}

func TestDialectsHaveFlagsOfTheirOwn(t *testing.T) {
	for _, c := range []struct {
		dialect wire.Dialect
		command wire.Command
		want    wire.CommandFlags
	}{
		{wire.Current, wire.CmdWriteZeroes, wire.CmdFlagFUA | wire.CmdFlagNoHole | wire.CmdFlagFastZero},
		{wire.WriteZeroesRFC, wire.CmdWriteZeroes, wire.CmdFlagFUA},
		{wire.WriteZeroesRFC, wire.CmdRead, wire.CmdFlagFUA | wire.CmdFlagDF},
		{wire.GetLBAStatus, wire.CmdGetLBAStatus, 0xffff},
		{wire.GetLBAStatus, wire.CmdRead, wire.CmdFlagFUA},
		{wire.GetLBAStatus, wire.CmdTrim, wire.CmdFlagFUA},
	} {
		if got := c.dialect.AllowedFlags(c.command); got != c.want {
			t.Errorf("%v: %v has %v, want %v", c.dialect, c.command, got, c.want)
		}
	}
}
