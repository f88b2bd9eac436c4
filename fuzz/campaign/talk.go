package campaign

import (
	"fmt"
	"slices"
	"sync"

	"nbdconform/conformance/judge"
	"nbdconform/reference/wire"
)

// A talk is what went over one connection of a visit.
type talk struct {
	judge *judge.Judge

	mu     sync.Mutex
	events []event
}

// An event is something that happened to the connection.
type event struct {
	what happening
	data []byte // of said and heard
}

// A happening is a kind of event.
type happening uint8

const (
	said   happening = iota // by the server, in one go
	heard                   // from the client
	left                    // the client ended its direction
	silent                  // nothing happened for long, and the server hung up
	closed                  // the server hung up
)

// longTalk is how many messages of a talk are kept.
const longTalk = 1 << 16

func newTalk() *talk { return &talk{judge: judge.New(judge.Options{Messages: longTalk})} }

// note adds an event. Nothing comes behind the end.
func (t *talk) note(what happening, data []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := len(t.events)
	switch {
	case n > 0 && (t.events[n-1].what == silent || t.events[n-1].what == closed):
	case n > 0 && what == heard && t.events[n-1].what == heard:
		t.events[n-1].data = append(t.events[n-1].data, data...)
	default:
		t.events = append(t.events, event{what, slices.Clone(data)})
	}
}

// reached lists what client and server asked and answered, and how the client left.
func (t *talk) reached() (list []string) {
	asked := make(map[uint64]wire.Command)
	last := "hears nothing"
	point := func(format string, args ...any) {
		p := fmt.Sprintf(format, args...)
		if !slices.Contains(list, p) {
			list = append(list, p)
		}
		last = p
	}
	about := func(cookie uint64) string {
		if c, ok := asked[cookie]; ok {
			return c.String()
		}
		return "nothing it asked"
	}
	for _, m := range t.judge.Transcript().Messages {
		switch v := m.Value().(type) {
		case wire.OptionHeader:
			point("sends %v", v.Option)
		case wire.Request:
			asked[v.Cookie] = v.Type
			if m.Kind == judge.KindExtendedRequest {
				point("sends extended %v %v", v.Type, v.Flags)
			} else {
				point("sends %v %v", v.Type, v.Flags)
			}
		case wire.OptionReplyHeader:
			point("gets %v for %v", v.Type, v.Option)
		case wire.SimpleReply:
			point("gets %v for %s", v.Error, about(v.Cookie))
		case wire.ChunkHeader:
			point("gets %v %v for %s", v.Type, v.Flags, about(v.Cookie))
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if slices.ContainsFunc(t.events, func(e event) bool { return e.what == left }) {
		list = append(list, "leaves when it "+last)
	}
	return list
}
