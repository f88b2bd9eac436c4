package session

import (
	"testing"

	"nbdconform/conformance/judge"
	"nbdconform/reference/wire"
)

// Saved findings have these words in their signatures.
func TestSubjectsStayAsTheyAre(t *testing.T) {
	message := func(k judge.Kind, raw []byte) judge.Message {
		return judge.Message{Index: 3, Kind: k, Raw: raw, Length: uint64(len(raw)), Text: "in other words"}
	}
	chunk := wire.ChunkHeader{Type: wire.ChunkOffsetHole, Cookie: 1}
	for want, m := range map[string]judge.Message{
		"greeting":                   message(judge.KindGreeting, wire.Greeting{}.Append(nil)),
		"oldstyle":                   message(judge.KindOldGreeting, wire.OldGreeting{}.Append(nil)),
		"NBD_REP_ACK":                message(judge.KindOptionReply, wire.OptionReply{Option: wire.OptGo, Type: wire.RepAck}.Append(nil)),
		"answer":                     message(judge.KindExportNameReply, wire.ExportNameReply{}.Append(nil)),
		"simple":                     message(judge.KindSimpleReply, wire.SimpleReply{}.Append(nil)),
		"NBD_REPLY_TYPE_OFFSET_HOLE": message(judge.KindChunk, chunk.Append(nil)),
		"extended":                   message(judge.KindExtendedChunk, chunk.AppendExtended(nil)),
		"124":                        message(judge.KindPadding, make([]byte, 4)),
		"not":                        message(judge.KindStray, []byte("GET / HTTP/1.1")),
		"within":                     message(judge.KindTLS, nil),
		"closes":                     message(judge.KindEnd, nil),
	} {
		if got := about(judge.Transcript{Messages: []judge.Message{{Index: 2}, m}}, 3); got != want {
			t.Errorf("a violation in a message of kind %v is about %q, want %q", m.Kind, got, want)
		}
	}
	if got := about(judge.Transcript{}, 3); got != "" {
		t.Errorf("a violation in a message that was dropped is about %q", got)
	}
}
