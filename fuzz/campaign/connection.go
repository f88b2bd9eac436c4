package campaign

import (
	"fmt"
	"slices"
	"sync"

	"nbdconform/conformance/judge"
	"nbdconform/reference/wire"
)

// A connection is what was sent over one connection of a run.
type connection struct {
	judge *judge.Judge

	mu     sync.Mutex
	events []event
}

// An event is something that happened to the connection.
type event struct {
	what eventKind
	data []byte // of said and heard
}

// A eventKind is a kind of event.
type eventKind uint8

const (
	said   eventKind = iota // by the server, in one go
	heard                   // from the client
	left                    // the client ended its direction
	silent                  // nothing happened for long, and the server hung up
	closed                  // the server hung up
)

// mostMessages is how many messages of a connection are kept.
const mostMessages = 1 << 16

func newConnection() *connection {
	return &connection{judge: judge.New(judge.Options{Messages: mostMessages})}
}

// note adds an event. Nothing comes behind the end.
func (t *connection) note(what eventKind, data []byte) {
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
func (t *connection) reached() (list []string) {
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
