package usage

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nbdconform/conformance/judge"
	"nbdconform/reference/wire"
)

// A conversation is one that never went over a wire.
type conversation struct{ *judge.Judge }

func (c conversation) client(b []byte) { c.FromClient(b) }
func (c conversation) server(b []byte) { c.FromServer(b) }

func opened() conversation {
	t := conversation{judge.New(judge.Options{})}
	t.server(wire.Greeting{Flags: wire.FlagFixedNewstyle}.Append(nil))
	t.client(wire.FlagCFixedNewstyle.Append(nil))
	t.client(wire.OptionRequest{Option: wire.OptStructuredReply}.Append(nil))
	t.server(wire.OptionReply{Option: wire.OptStructuredReply, Type: wire.RepErrUnsup}.Append(nil))
	t.client(wire.OptionRequest{Option: wire.OptGo, Data: wire.InfoRequest{}.Append(nil)}.Append(nil))
	info := wire.ExportInfo{Size: 1 << 20, Flags: wire.FlagHasFlags | wire.FlagSendFlush}.Info()
	t.server(wire.OptionReply{Option: wire.OptGo, Type: wire.RepInfo, Data: info.Append(nil)}.Append(nil))
	t.server(wire.OptionReply{Option: wire.OptGo, Type: wire.RepAck}.Append(nil))
	return t
}

var opening = []Item{
	{Extension, FixedNewstyle},
	{HandshakeFlag, "NBD_FLAG_FIXED_NEWSTYLE"},
	{ClientFlag, "NBD_FLAG_C_FIXED_NEWSTYLE"},
	{Option, "NBD_OPT_GO"},
	{Reply, "NBD_REP_ACK"},
	{Reply, "NBD_REP_ERR_UNSUP"},
	{Reply, "NBD_REP_INFO"},
	{Info, "NBD_INFO_EXPORT"},
	{TransmissionFlag, "NBD_FLAG_HAS_FLAGS"},
	{TransmissionFlag, "NBD_FLAG_SEND_FLUSH"},
}

func check(t *testing.T, k conversation, more ...Item) {
	t.Helper()
	want := Set{}
	want.Add(opening...)
	want.Add(more...)
	if d := cmp.Diff(want.List(), Items(k.Transcript(), wire.Current).List()); d != "" {
		t.Error(d)
	}
}

func TestARefusedOptionIsNotUsed(t *testing.T) { check(t, opened()) }

func TestACommandCountsOnceItSucceeded(t *testing.T) {
	request := Item{Magic, requestMagic}
	simple := []Item{{Magic, simpleReply}, {Extension, SimpleReplies}}
	k := opened()
	k.client(wire.Request{Type: wire.CmdFlush, Cookie: 1}.Append(nil))
	check(t, k, request)
	k.server(wire.SimpleReply{Cookie: 1, Error: wire.EIO}.Append(nil))
	check(t, k, append(simple, request, Item{Error, "NBD_EIO"})...)
	k.client(wire.Request{Type: wire.CmdFlush, Cookie: 2}.Append(nil))
	k.server(wire.SimpleReply{Cookie: 2}.Append(nil))
	check(t, k, append(simple, request, Item{Error, "NBD_EIO"}, Item{Command, "NBD_CMD_FLUSH"})...)
}

func TestWhatBreaksAClauseDoesNotCount(t *testing.T) {
	k := opened()
	k.client(wire.Request{Type: wire.CmdTrim, Cookie: 1, Length: 4096}.Append(nil)) // not advertised
	k.server(wire.SimpleReply{Cookie: 1}.Append(nil))
	if Items(k.Transcript(), wire.Current).Has(Command, "NBD_CMD_TRIM") {
		t.Error("a command that may not be sent counts as used")
	}
}

func TestSetsAreWrittenAndRead(t *testing.T) {
	want := Set{}
	want.Add(opening...)
	b, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var got Set
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestAllHasEveryKindOnce(t *testing.T) {
	seen, kinds := Set{}, map[Kind]int{}
	for _, i := range All() {
		if seen[i] {
			t.Errorf("%v is there twice", i)
		}
		seen[i] = true
		kinds[i.Kind]++
	}
	for _, k := range Kinds {
		if kinds[k] == 0 {
			t.Errorf("there is no %s", k)
		}
	}
}

// A client that closes the connection at an old greeting does not speak that.
func TestAnOldNegotiationCountsOnceTheClientAcceptsIt(t *testing.T) {
	for style, greeting := range map[string][]byte{
		Oldstyle: wire.OldGreeting{Size: 1 << 20, Flags: uint32(wire.FlagHasFlags)}.Append(nil),
		Newstyle: wire.Greeting{}.Append(nil),
	} {
		k := conversation{judge.New(judge.Options{Oldstyle: true})}
		k.server(greeting)
		if Items(k.Transcript(), wire.Current).Has(Extension, style) {
			t.Errorf("%s counts as used by a client that sent nothing", style)
		}
		if style == Newstyle {
			k.client(wire.ClientFlags(0).Append(nil))
			k.client(wire.OptionRequest{Option: wire.OptExportName}.Append(nil))
			k.server(wire.ExportNameReply{Size: 1 << 20, Flags: wire.FlagHasFlags, Zeroes: true}.Append(nil))
		}
		k.client(wire.Request{Type: wire.CmdDisc}.Append(nil))
		if !Items(k.Transcript(), wire.Current).Has(Extension, style) {
			t.Errorf("%s does not count as used", style)
		}
	}
}
