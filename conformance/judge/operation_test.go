package judge

import (
	"testing"

	"nbdconform/reference/wire"
)

func TestOperation(t *testing.T) {
	j := New(Options{})
	j.FromServer(wire.Greeting{Flags: wire.FlagFixedNewstyle | wire.FlagNoZeroes}.Append(nil)) // 0
	j.FromClient((wire.FlagCFixedNewstyle | wire.FlagCNoZeroes).Append(nil))                   // 1
	j.FromClient(wire.OptionRequest{Option: wire.OptList}.Append(nil))                         // 2
	j.FromServer(wire.OptionReply{Option: wire.OptList, Type: wire.RepAck}.Append(nil))        // 3
	j.FromClient(wire.OptionRequest{Option: wire.OptExportName}.Append(nil))                   // 4
	j.FromServer(wire.ExportNameReply{Size: 1 << 20, Flags: wire.FlagHasFlags | wire.FlagSendFlush}.Append(nil))
	j.FromClient(wire.Request{Type: wire.CmdRead, Cookie: 1, Length: 1}.Append(nil)) // 6
	j.FromClient(wire.Request{Type: wire.CmdFlush, Cookie: 2}.Append(nil))           // 7
	j.FromServer(append(wire.SimpleReply{Cookie: 1}.Append(nil), 0))                 // 8
	j.FromServer(wire.SimpleReply{Cookie: 2}.Append(nil))                            // 9
	tr := j.Transcript()
	for index, want := range map[int]string{
		0: "", 1: "", 2: "NBD_OPT_LIST", 3: "NBD_OPT_LIST", 4: "NBD_OPT_EXPORT_NAME", 5: "NBD_OPT_EXPORT_NAME",
		6: "NBD_CMD_READ", 7: "NBD_CMD_FLUSH", 8: "NBD_CMD_READ", 9: "NBD_CMD_FLUSH", 99: "NBD_CMD_FLUSH",
	} {
		if got := tr.Operation(index); got != want {
			t.Errorf("message %d is about %q, want %q", index, got, want)
		}
	}
}
