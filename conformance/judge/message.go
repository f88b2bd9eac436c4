package judge

import (
	"fmt"

	"nbdconform/conformance/clause"
	"nbdconform/reference/wire"
)

// A Message is one message of one side.
type Message struct {
	Index  int         // in order over both directions, from 0, dropped ones included
	Side   clause.Side // who sent it
	Offset int64       // where it starts in that side's stream, bytes
	Length uint64      // with its payload, as announced, bytes
	Kind   Kind        // what it is
	Raw    []byte      // its header and the first bytes of its payload
	Text   string      // one line for people; Kind and Value are for programs
}

// A Kind is what a message is.
type Kind uint8

// The kinds of messages, with what [Message.Value] returns for each.
const (
	KindStray           Kind = iota // bytes that no message was made of: nil
	KindGreeting                    // of newstyle negotiation: wire.Greeting
	KindOldGreeting                 // of oldstyle negotiation: wire.OldGreeting
	KindClientFlags                 // wire.ClientFlags
	KindOption                      // wire.OptionHeader
	KindOptionReply                 // wire.OptionReplyHeader
	KindExportNameReply             // to NBD_OPT_EXPORT_NAME: wire.ExportNameReply
	KindRequest                     // compact: wire.Request
	KindExtendedRequest             // wire.Request
	KindSimpleReply                 // wire.SimpleReply
	KindChunk                       // of a structured reply: wire.ChunkHeader
	KindExtendedChunk               // of an extended reply: wire.ChunkHeader
	KindPadding                     // zeroes ahead of the first reply, where none belong: nil
	KindTLS                         // what is within TLS and was not decrypted: nil
	KindEnd                         // the end of the direction: nil
)

var kinds = [...]string{
	"stray", "greeting", "oldstyle-greeting", "client-flags", "option", "option-reply", "export-name-reply",
	"request", "extended-request", "simple-reply", "chunk", "extended-chunk", "padding", "tls", "end",
}

func (k Kind) String() string {
	if int(k) < len(kinds) {
		return kinds[k]
	}
	return fmt.Sprintf("Kind(%d)", uint8(k))
}

// Value is the part of the message in front of its payload, parsed, or nil. Its
// type goes with the kind.
func (m Message) Value() any {
	v, _ := m.parsed()
	return v
}

// Payload is what was kept of the payload, a part of Raw, and whether that is
// all of it. A message without a Value has none.
func (m Message) Payload() (b []byte, whole bool) {
	v, n := m.parsed()
	if v == nil {
		return nil, false
	}
	return m.Raw[n:], uint64(len(m.Raw)) == m.Length
}

// parsed returns the value and how many bytes of Raw it is made of.
func (m Message) parsed() (v any, n int) {
	var err error
	switch m.Kind {
	case KindGreeting:
		v, n, err = boxed(wire.ParseGreeting(m.Raw))
	case KindOldGreeting:
		v, n, err = boxed(wire.ParseOldGreeting(m.Raw))
	case KindClientFlags:
		v, n, err = boxed(wire.ParseClientFlags(m.Raw))
	case KindOption:
		v, n, err = boxed(wire.ParseOptionHeader(m.Raw))
	case KindOptionReply:
		v, n, err = boxed(wire.ParseOptionReplyHeader(m.Raw))
	case KindExportNameReply:
		v, n, err = boxed(wire.ParseExportNameReply(m.Raw, false))
	case KindRequest:
		v, n, err = boxed(wire.ParseRequest(m.Raw))
	case KindExtendedRequest:
		v, n, err = boxed(wire.ParseExtendedRequest(m.Raw))
	case KindSimpleReply, KindChunk, KindExtendedChunk:
		var p wire.Reply
		if p, n, err = wire.ParseReply(m.Raw); m.Kind == KindSimpleReply {
			v = p.Simple
		} else {
			v = p.Chunk
		}
	default:
		return nil, 0
	}
	if err != nil {
		return nil, 0
	}
	return v, n
}

// boxed is what a parser returns, with the value as any.
func boxed[T any](v T, n int, err error) (any, int, error) { return v, n, err }

// Cookie is the cookie of a request or a reply; false: it is neither.
func (m Message) Cookie() (cookie uint64, ok bool) {
	switch v := m.Value().(type) {
	case wire.Request:
		return v.Cookie, true
	case wire.SimpleReply:
		return v.Cookie, true
	case wire.ChunkHeader:
		return v.Cookie, true
	}
	return 0, false
}

// CookieAt is where a request or a reply has its cookie.
const CookieAt = 8

// BeforeContents is how many bytes of a message precede the contents of the
// export in it, or 0 where it is no reply that carries any.
func (m Message) BeforeContents() uint64 {
	const offset = 8 // of NBD_REPLY_TYPE_OFFSET_DATA
	v, n := m.parsed()
	switch v := v.(type) {
	case wire.SimpleReply:
		return uint64(n)
	case wire.ChunkHeader:
		if v.Type == wire.ChunkOffsetData {
			return uint64(n) + offset
		}
	}
	return 0
}

func (m Message) String() string {
	who := "S"
	if m.Side == clause.Client {
		who = "C"
	}
	return fmt.Sprintf("%s: %8d  %s", who, m.Offset, m.Text)
}
