package recording

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"time"
)

// A Recorder records. Its methods may be called from several goroutines. A nil
// Recorder records nothing.
type Recorder struct {
	mu     sync.Mutex
	limits Limits
	start  time.Time
	events []Event
	sizes  [][2]int // client and server, by connection
	cut    [][2]bool
	total  int
}

// New makes an empty recorder.
func New(l Limits) *Recorder { return &Recorder{limits: l, start: time.Now()} }

// Connect tells of a new connection, and returns its number.
func (r *Recorder) Connect() int {
	if r == nil {
		return 0
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	n := len(r.sizes)
	r.sizes, r.cut = append(r.sizes, [2]int{}), append(r.cut, [2]bool{})
	r.add(Event{Conn: n, Kind: Connects})
	return n
}

// Note tells of an event without bytes.
func (r *Recorder) Note(conn int, k Kind, format string, args ...any) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	text := strings.ToValidUTF8(fmt.Sprintf(format, args...), "?")
	r.add(Event{Conn: conn, Kind: k, Text: text[:min(len(text), maxText)]})
}

// Last is the connection on which the server spoke, ended or was silent last, or -1.
func (r *Recorder) Last() int {
	if r == nil {
		return -1
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := len(r.events) - 1; i >= 0; i-- {
		switch e := r.events[i]; e.Kind {
		case ServerSent, ServerEnds, Silence, CutServer:
			return e.Conn
		}
	}
	return -1
}

// Recording returns what was recorded so far, which the caller may only read,
// or nil if nobody connected.
func (r *Recorder) Recording() *Recording {
	if r == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.events) == 0 {
		return nil
	}
	return &Recording{Start: r.start, Events: append([]Event(nil), r.events...)}
}

func (r *Recorder) add(e Event) {
	if len(r.events) >= maxEvents {
		return
	}
	e.At = time.Since(r.start)
	r.events = append(r.events, e)
}

// ClientSaid tells what the client sent next, for those who see it from the server.
func (r *Recorder) ClientSaid(conn int, b []byte) { r.said(conn, 0, b) }

// ServerSaid tells what the server sent next.
func (r *Recorder) ServerSaid(conn int, b []byte) { r.said(conn, 1, b) }

// said records bytes of one direction: 0 the client's, 1 the server's.
func (r *Recorder) said(conn, direction int, b []byte) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	kind, cut := ClientSent, CutClient
	if direction == 1 {
		kind, cut = ServerSent, CutServer
	}
	if r.cut[conn][direction] || len(b) == 0 {
		return
	}
	room := min(r.limits.Direction-r.sizes[conn][direction], r.limits.Total-r.total, len(b))
	if len(r.events) >= maxEvents-2 {
		room = 0
	}
	if room > 0 {
		r.sizes[conn][direction] += room
		r.total += room
		if !r.merge(conn, kind, b[:room]) {
			r.add(Event{Conn: conn, Kind: kind, Bytes: append([]byte(nil), b[:room]...)})
		}
	}
	if room < len(b) {
		r.cut[conn][direction] = true
		r.add(Event{Conn: conn, Kind: cut})
	}
}

// merge joins what the server said in small pieces at nearly the same time. How
// the client cut what it said may be what a spec is about.
func (r *Recorder) merge(conn int, k Kind, b []byte) bool {
	if k != ServerSent || len(r.events) == 0 || len(b) >= shortestKept {
		return false
	}
	e := &r.events[len(r.events)-1]
	if e.Conn != conn || e.Kind != k || len(e.Bytes)+len(b) > maxEventBytes || time.Since(r.start)-e.At > mergeWithin {
		return false
	}
	e.Bytes = append(e.Bytes, b...)
	return true
}

// Conn returns a connection that behaves as c and records what happens on it.
func (r *Recorder) Conn(conn int, c net.Conn) net.Conn {
	if r == nil {
		return c
	}
	t := &tap{Conn: c, rec: r, conn: conn}
	if h, ok := c.(half); ok {
		return &halfTap{tap: t, half: h}
	}
	return t
}

type half interface{ CloseWrite() error }

type tap struct {
	net.Conn
	rec  *Recorder
	conn int
	once sync.Once // the client's end
	gone sync.Once // the server's
}

func (t *tap) Write(b []byte) (int, error) {
	t.rec.said(t.conn, 0, b)
	return t.Conn.Write(b)
}

func (t *tap) Read(b []byte) (int, error) {
	n, err := t.Conn.Read(b)
	t.rec.said(t.conn, 1, b[:n])
	switch {
	case err == nil, errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, net.ErrClosed):
	case errors.Is(err, io.EOF):
		t.gone.Do(func() { t.rec.Note(t.conn, ServerEnds, "") })
	default:
		t.gone.Do(func() { t.rec.Note(t.conn, ServerEnds, "%v", err) })
	}
	return n, err
}

func (t *tap) Close() error {
	t.once.Do(func() { t.rec.Note(t.conn, ClientEnds, "") })
	return t.Conn.Close()
}

// A halfTap is a tap whose connection can end one direction alone.
type halfTap struct {
	*tap
	half half
}

func (t *halfTap) CloseWrite() error {
	t.rec.Note(t.conn, ClientHalf, "")
	return t.half.CloseWrite()
}
