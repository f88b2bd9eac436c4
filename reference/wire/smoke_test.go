package wire

import "testing"

func TestFlagsPrintUnknownBits(t *testing.T) {
	if got, want := (CmdFlagFUA | CmdFlagNoHole | 0x40).String(), "FUA|NO_HOLE|0x40"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
