package judge

import (
	"fmt"
	"testing"

	"nbdconform/reference/wire"
)

// valueOfKind is an example of what the messages of each kind have for a value.
var valueOfKind = map[Kind]any{
	KindStray:           nil,
	KindGreeting:        wire.Greeting{},
	KindOldGreeting:     wire.OldGreeting{},
	KindClientFlags:     wire.ClientFlags(0),
	KindOption:          wire.OptionHeader{},
	KindOptionReply:     wire.OptionReplyHeader{},
	KindExportNameReply: wire.ExportNameReply{},
	KindRequest:         wire.Request{},
	KindExtendedRequest: wire.Request{},
	KindSimpleReply:     wire.SimpleReply{},
	KindChunk:           wire.ChunkHeader{},
	KindExtendedChunk:   wire.ChunkHeader{},
	KindPadding:         nil,
	KindTLS:             nil,
	KindEnd:             nil,
}

func TestEachKindHasItsValue(t *testing.T) {
	seen := map[Kind]int{}
	names := map[string]Kind{}
	for k := range valueOfKind {
		if other, twice := names[k.String()]; twice {
			t.Errorf("%d and %d are both %q", k, other, k.String())
		}
		names[k.String()] = k
	}
	for _, trip := range trips {
		for _, bad := range []bool{true, false} {
			c := &conversation{}
			trip.talk(c, bad)
			for _, m := range c.tell(1 << 30).Transcript().Messages {
				seen[m.Kind]++
				want, ok := valueOfKind[m.Kind]
				if got := m.Value(); !ok || typeName(got) != typeName(want) {
					t.Errorf("%s: the value of a message of kind %v is %s, want %s", trip.name, m.Kind, typeName(got), typeName(want))
				}
			}
		}
	}
	for k := range valueOfKind {
		if seen[k] == 0 {
			t.Errorf("no test has a message of kind %v", k)
		}
	}
}

func typeName(v any) string { return fmt.Sprintf("%T", v) }

func TestPartsOfAMessage(t *testing.T) {
	request := wire.Request{Type: wire.CmdWrite, Cookie: 7, Length: 3}.Append(nil)
	reply := wire.OptionReply{Option: wire.OptInfo, Type: wire.RepInfo, Data: []byte{0, 3, 1, 2}}.Append(nil)
	chunk := wire.ChunkHeader{Type: wire.ChunkOffsetData, Cookie: 9, Length: 12}.Append(nil)
	for name, tc := range map[string]struct {
		m       Message
		payload string
		whole   bool
		cookie  uint64
		before  uint64
	}{
		"a whole payload": {
			m:       Message{Kind: KindOptionReply, Raw: reply, Length: uint64(len(reply))},
			payload: "\x00\x03\x01\x02", whole: true,
		},
		"a payload that was cut": {
			m:       Message{Kind: KindRequest, Raw: append(request, 'a'), Length: uint64(len(request) + 3)},
			payload: "a", cookie: 7,
		},
		"contents behind an offset": {
			m:       Message{Kind: KindChunk, Raw: append(chunk, 1, 2), Length: uint64(len(chunk) + 12)},
			payload: "\x01\x02", cookie: 9, before: uint64(len(chunk) + 8),
		},
		"bytes that look like a request and are none": {m: Message{Kind: KindStray, Raw: request, Length: uint64(len(request))}},
	} {
		t.Run(name, func(t *testing.T) {
			payload, whole := tc.m.Payload()
			if string(payload) != tc.payload || whole != tc.whole {
				t.Errorf("payload %q, whole %v; want %q, %v", payload, whole, tc.payload, tc.whole)
			}
			if cookie, ok := tc.m.Cookie(); cookie != tc.cookie || ok != (tc.cookie != 0) {
				t.Errorf("cookie %d, %v; want %d", cookie, ok, tc.cookie)
			}
			if n := tc.m.BeforeContents(); n != tc.before {
				t.Errorf("%d bytes before the contents, want %d", n, tc.before)
			}
		})
	}
}
