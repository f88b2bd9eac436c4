package campaign

import (
	"fmt"
	"slices"
	"sync"

	"nbdconform/conformance/clause"
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
	for _, m := range t.judge.Transcript().Messages {
		if m.Side == clause.Client {
			if h, _, err := wire.ParseOptionHeader(m.Raw); err == nil {
				point("sends %v", h.Option)
			} else if q, _, err := wire.ParseRequest(m.Raw); err == nil {
				asked[q.Cookie] = q.Type
				point("sends %v %v", q.Type, q.Flags)
			} else if q, _, err := wire.ParseExtendedRequest(m.Raw); err == nil {
				asked[q.Cookie] = q.Type
				point("sends extended %v %v", q.Type, q.Flags)
			}
			continue
		}
		if h, _, err := wire.ParseOptionReplyHeader(m.Raw); err == nil {
			point("gets %v for %v", h.Type, h.Option)
		} else if p, _, err := wire.ParseReply(m.Raw); err == nil {
			about := "nothing it asked"
			if c, ok := asked[p.Cookie()]; ok {
				about = c.String()
			}
			if p.Magic == wire.SimpleReplyMagic {
				point("gets %v for %s", p.Simple.Error, about)
			} else {
				point("gets %v %v for %s", p.Chunk.Type, p.Chunk.Flags, about)
			}
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if slices.ContainsFunc(t.events, func(e event) bool { return e.what == left }) {
		list = append(list, "leaves when it "+last)
	}
	return list
}
