// Package recording keeps the bytes of conversations between clients and
// servers, as the side that is ours saw them: what it sent before it went out,
// what it read as it arrived, and how either side ended.
//
// A [Recorder] costs a copy of the bytes and no more; its memory is bounded.
// What became of a recording (a capture file, a script) is the business of the
// packages capture and evidence.
package recording

import (
	"fmt"
	"time"
)

// A Kind says what happened.
type Kind string

// The kinds of events.
const (
	Connects   Kind = "connects"    // the client opened the connection
	ClientSent Kind = "client"      // Bytes
	ServerSent Kind = "server"      // Bytes
	ClientEnds Kind = "client-ends" // the client closed the connection
	ClientHalf Kind = "client-half" // the client ended its direction alone
	ServerEnds Kind = "server-ends" // the server ended its direction; Text says how unless in order
	TLS        Kind = "tls"         // the client tried to go over to TLS; what follows is plain text, unless Text says why it failed
	Silence    Kind = "silence"     // the client gave up waiting; Text says after how long
	CutClient  Kind = "cut-client"  // what the client sent from here on was not kept
	CutServer  Kind = "cut-server"  // what the server sent from here on was not kept
)

const (
	maxEvents     = 1 << 16          // of a recording
	maxEventBytes = 1 << 20          // that are merged into one event
	shortestKept  = 4 << 10          // bytes that are never merged into the event before
	mergeWithin   = time.Millisecond // of the event before, for the same
	maxText       = 400
)

// An Event is one thing that happened.
type Event struct {
	Conn  int           `json:"conn"` // which connection, from 0
	At    time.Duration `json:"at"`   // since Start
	Kind  Kind          `json:"kind"`
	Bytes []byte        `json:"bytes,omitempty"`
	Text  string        `json:"text,omitempty"`
}

// A Recording is what happened on some connections, in order.
type Recording struct {
	Start  time.Time `json:"start"`
	Events []Event   `json:"events"`
}

// A Cookie is where a request or a reply has its cookie, which may be another
// when the same is said again.
type Cookie struct {
	Conn   int
	Client bool  // in a request
	Offset int64 // in what that side sent
}

// A Range is a part of what the server sent on a connection.
type Range struct {
	Conn       int
	Start, End int64
}

// Limits bound a recording.
type Limits struct {
	Direction int // bytes of one direction of one connection
	Total     int // bytes of all
}

// DefaultLimits are those of a run: 4 MiB of a direction, 16 MiB of a spec.
var DefaultLimits = Limits{Direction: 4 << 20, Total: 16 << 20}

func (l Limits) String() string {
	return fmt.Sprintf("%d KiB of one direction of a connection, %d KiB of all connections", l.Direction>>10, l.Total>>10)
}

// A Sum is what was recorded of one connection.
type Sum struct {
	Client, Server       int  // bytes
	CutClient, CutServer bool // there was more, which was not kept
	TLS                  bool // a part is plain text from within TLS
}

// Sums adds up each connection.
func (r *Recording) Sums() []Sum {
	var sums []Sum
	for _, e := range r.Events {
		for e.Conn >= len(sums) {
			sums = append(sums, Sum{})
		}
		s := &sums[e.Conn]
		switch e.Kind {
		case ClientSent:
			s.Client += len(e.Bytes)
		case ServerSent:
			s.Server += len(e.Bytes)
		case CutClient:
			s.CutClient = true
		case CutServer:
			s.CutServer = true
		case TLS:
			s.TLS = true
		}
	}
	return sums
}

// Size is how many bytes were kept.
func (r *Recording) Size() (n int) {
	for _, e := range r.Events {
		n += len(e.Bytes)
	}
	return n
}

// Cut reports whether there was more than was kept.
func (r *Recording) Cut() bool {
	for _, e := range r.Events {
		if e.Kind == CutClient || e.Kind == CutServer {
			return true
		}
	}
	return false
}
