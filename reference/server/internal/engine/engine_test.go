//go:build unix

package engine

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"nbdconform/reference/export"
	"nbdconform/reference/wire"
)

const kib = 1 << 10

// pattern is n bytes that differ from place to place.
func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i>>8) ^ byte(i) | 1
	}
	return b
}

// transports are all kinds of them: the engine reads and writes each in another way.
var transports = map[string]struct {
	block  bool
	socket bool
}{
	"blocking socket": {block: true, socket: true},
	"poller's socket": {socket: true},
	"no socket":       {},
}

// dial returns both ends of a connection.
func dial(t *testing.T, socket bool) (near, far net.Conn) {
	t.Helper()
	if !socket {
		near, far = net.Pipe()
	} else {
		ln, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
		if far, err = net.Dial("unix", ln.Addr().String()); err != nil {
			t.Fatal(err)
		}
		if near, err = ln.Accept(); err != nil {
			t.Fatal(err)
		}
	}
	_ = far.SetDeadline(time.Now().Add(time.Minute))
	t.Cleanup(func() { _ = far.Close() })
	return near, far
}

// start has an engine run over near. Limits that cfg does not have are ample.
func start(t *testing.T, near net.Conn, cfg Config) (*Conn, *Transport) {
	t.Helper()
	if cfg.Shared == nil {
		cfg.Shared = NewShared(1 << 30)
	}
	if cfg.InFlight == 0 {
		cfg.InFlight = 64 << 20
	}
	tr := NewTransport(near)
	c, err := Start(tr, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		tr.Close()
		c.Close()
	})
	return c, tr
}

// overAll runs a test over each kind of transport.
func overAll(t *testing.T, f func(t *testing.T, c *Conn, far net.Conn)) {
	for name, k := range transports {
		t.Run(name, func(t *testing.T) {
			near, far := dial(t, k.socket)
			c, _ := start(t, near, Config{Block: k.block})
			f(t, c, far)
		})
	}
}

// write sends b while the test goes on.
func write(far net.Conn, b []byte) { go func() { _, _ = far.Write(b) }() }

// reply makes and sends a simple reply with data.
func reply(c *Conn, cookie uint64, batched bool, data []byte) {
	r := c.NewReply(wire.SimpleReplySize+len(data), batched)
	r.Bytes = wire.SimpleReply{Cookie: cookie}.Append(r.Bytes)
	copy(r.Extend(len(data)), data)
	c.Send(r, 0)
}

// receive reads a simple reply with n bytes of data.
func receive(t *testing.T, far net.Conn, cookie uint64, n int) []byte {
	t.Helper()
	b := make([]byte, wire.SimpleReplySize+n)
	if _, err := io.ReadFull(far, b); err != nil {
		t.Fatalf("reading the reply to %d: %v", cookie, err)
	}
	if want := (wire.SimpleReply{Cookie: cookie}).Append(nil); !bytes.Equal(b[:wire.SimpleReplySize], want) {
		t.Fatalf("reply % x, want % x", b[:wire.SimpleReplySize], want)
	}
	return b[wire.SimpleReplySize:]
}

func TestReadRequestAndItsPayload(t *testing.T) {
	for _, n := range []int{1, 4 * kib, 17 * kib, 100 * kib, 129 * kib, 1 << 20} {
		overAll(t, func(t *testing.T, c *Conn, far net.Conn) {
			q := wire.Request{Type: wire.CmdWrite, Cookie: 7, Length: uint64(n)}
			one := append(q.Append(nil), pattern(n)...)
			write(far, bytes.Repeat(one, 3))
			for i, inPlace := range []bool{true, false, true} {
				if got, err := c.ReadRequest(); err != nil || got != q {
					t.Fatalf("request %d: %v, %v", i, got, err)
				}
				var p Payload
				if err := c.ReadPayload(&p, n, inPlace); err != nil || !bytes.Equal(p.Data, pattern(n)) {
					t.Fatalf("payload %d of %d bytes: %v, or other bytes", i, n, err)
				}
				p.Release()
			}
		})
	}
}

// A payload that is not read in place stays when more is read.
func TestAPayloadOfItsOwnStays(t *testing.T) {
	overAll(t, func(t *testing.T, c *Conn, far net.Conn) {
		q := wire.Request{Type: wire.CmdWrite, Length: 4 * kib}
		var payloads [2]Payload
		for i, data := range [][]byte{pattern(4 * kib), make([]byte, 4*kib)} {
			write(far, append(q.Append(nil), data...))
			if _, err := c.ReadRequest(); err != nil {
				t.Fatal(err)
			}
			if err := c.ReadPayload(&payloads[i], 4*kib, false); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(payloads[0].Data, pattern(4*kib)) {
			t.Error("the payload has changed")
		}
	})
}

func TestExtendedRequests(t *testing.T) {
	near, far := dial(t, true)
	c, _ := start(t, near, Config{Extended: true})
	q := wire.Request{Type: wire.CmdRead, Offset: 1 << 40, Length: 1 << 33}
	write(far, q.AppendExtended(nil))
	if got, err := c.ReadRequest(); err != nil || got != q {
		t.Errorf("%v, %v", got, err)
	}
}

// What was received during the handshake comes first.
func TestWhatWasReceivedBeforeComesFirst(t *testing.T) {
	for name, k := range transports {
		t.Run(name, func(t *testing.T) {
			near, far := dial(t, k.socket)
			q := wire.Request{Type: wire.CmdTrim, Cookie: 3, Length: 5}
			b := q.Append(nil)
			c, _ := start(t, near, Config{Block: k.block, Received: b[:11]})
			write(far, b[11:])
			if got, err := c.ReadRequest(); err != nil || got != q {
				t.Errorf("%v, %v", got, err)
			}
		})
	}
}

func TestTheEndOfTheStream(t *testing.T) {
	q := wire.Request{Type: wire.CmdWrite, Length: 100}
	for _, c := range []struct {
		name string
		sent []byte
		read func(*Conn) error
		want error
	}{
		{"before a request", nil, func(*Conn) error { return nil }, io.EOF},
		{"in a request", q.Append(nil)[:9], func(*Conn) error { return nil }, io.ErrUnexpectedEOF},
		{"in a payload", make([]byte, 9), func(c *Conn) error { return c.ReadPayload(new(Payload), 100, false) }, io.ErrUnexpectedEOF},
		{"in a payload in place", make([]byte, 9), func(c *Conn) error { return c.ReadPayload(new(Payload), 100, true) }, io.ErrUnexpectedEOF},
		{"in a payload to drop", make([]byte, 9), func(c *Conn) error { return c.Discard(100) }, io.ErrUnexpectedEOF},
	} {
		overAll(t, func(t *testing.T, conn *Conn, far net.Conn) {
			go func() {
				_, _ = far.Write(c.sent)
				_ = far.Close()
			}()
			err := c.read(conn)
			if err == nil {
				_, err = conn.ReadRequest()
			}
			if err != c.want {
				t.Errorf("%s: %v, want %v", c.name, err, c.want)
			}
		})
	}
}

// A header that is wrong is not waited for.
func TestAWrongHeaderEndsAtOnce(t *testing.T) {
	overAll(t, func(t *testing.T, c *Conn, far net.Conn) {
		write(far, []byte("nonsense"))
		var wrong *wire.FormatError
		if _, err := c.ReadRequest(); !errors.As(err, &wrong) {
			t.Errorf("%v", err)
		}
	})
}

func TestDiscardStaysInSync(t *testing.T) {
	overAll(t, func(t *testing.T, c *Conn, far net.Conn) {
		q := wire.Request{Type: wire.CmdFlush, Cookie: 4}
		write(far, append(make([]byte, 700*kib), q.Append(nil)...))
		if err := c.Discard(700 * kib); err != nil {
			t.Fatal(err)
		}
		if got, err := c.ReadRequest(); err != nil || got != q {
			t.Errorf("%v, %v", got, err)
		}
	})
}

// ReadInto puts a payload into the pages of a disk, and leaves what follows.
func TestReadIntoStorage(t *testing.T) {
	for _, block := range []bool{false, true} {
		near, far := dial(t, true)
		c, _ := start(t, near, Config{Block: block})
		if !c.Direct() {
			t.Fatal("a socket is not direct")
		}
		const n = 600*kib + 5
		disk := export.New(1 << 20)
		q := wire.Request{Type: wire.CmdWrite, Offset: 77, Length: n}
		next := wire.Request{Type: wire.CmdFlush, Cookie: 1}
		write(far, next.Append(append(q.Append(nil), pattern(n)...)))
		if _, err := c.ReadRequest(); err != nil {
			t.Fatal(err)
		}
		var p export.Pages
		p.Start(q.Offset, n)
		if err := c.ReadInto(&p, n); err != nil {
			t.Fatal(err)
		}
		if err := p.Store(disk); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, n)
		if err := disk.ReadAt(got, q.Offset); err != nil || !bytes.Equal(got, pattern(n)) {
			t.Errorf("%v, or other bytes", err)
		}
		if got, err := c.ReadRequest(); err != nil || got != next {
			t.Errorf("%v, %v", got, err)
		}
	}
}

// Replies of each goroutine come in the order in which they were sent.
func TestReplies(t *testing.T) {
	overAll(t, func(t *testing.T, c *Conn, far net.Conn) {
		go func() {
			for i := range uint64(4) {
				reply(c, i, true, pattern(int(i)*70*kib))
			}
			c.Flush()
			for i := range uint64(4) {
				reply(c, i+4, false, pattern(int(i)*70*kib))
			}
		}()
		for i := range uint64(8) {
			n := int(i%4) * 70 * kib
			if got := receive(t, far, i, n); !bytes.Equal(got, pattern(n)) {
				t.Errorf("reply %d has other data", i)
			}
		}
	})
}

// A reply that was abandoned is not sent; one before it in the batch is.
func TestAbandon(t *testing.T) {
	overAll(t, func(t *testing.T, c *Conn, far net.Conn) {
		go func() {
			reply(c, 1, true, nil)
			for _, batched := range []bool{true, false} {
				r := c.NewReply(100, batched)
				r.Bytes = wire.SimpleReply{Cookie: 99}.Append(r.Bytes)
				c.Abandon(r)
			}
			reply(c, 2, true, nil)
			c.Flush()
		}()
		receive(t, far, 1, 0)
		receive(t, far, 2, 0)
	})
}

// Borrowed bytes are sent between the others, as they were when they were borrowed.
func TestBorrow(t *testing.T) {
	for _, block := range []bool{false, true} {
		near, far := dial(t, true)
		c, _ := start(t, near, Config{Block: block})
		disk := export.New(1 << 20)
		_ = disk.WriteAt(pattern(64*kib), 0)
		for _, batched := range []bool{true, false} {
			r := c.NewReply(100, batched)
			r.Bytes = append(r.Bytes, "head"...)
			r.Borrow(disk, 5, 40*kib)
			r.Bytes = append(r.Bytes, "middle"...)
			r.Borrow(disk, 1, 3)
			_ = disk.WriteAt(make([]byte, 64*kib), 0)
			c.Send(r, 0)
			c.Flush()
			want := bytes.Join([][]byte{[]byte("head"), pattern(64 * kib)[5 : 5+40*kib], []byte("middle"), pattern(4)[1:]}, nil)
			got := make([]byte, len(want))
			if _, err := io.ReadFull(far, got); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%v, or other bytes", err)
			}
			_ = disk.WriteAt(pattern(64*kib), 0)
		}
	}
}

// counted has what is written, write by write, each taken by the test.
type counted struct {
	net.Conn
	writes chan []byte
}

func (c *counted) Write(b []byte) (int, error) {
	c.writes <- bytes.Clone(b)
	return len(b), nil
}

// Replies that come together while others are sent are sent with one write.
func TestSingleSend(t *testing.T) {
	near, _ := dial(t, false)
	w := &counted{Conn: near, writes: make(chan []byte)}
	c, _ := start(t, w, Config{SingleSend: true})
	sent := make(chan struct{})
	go func() {
		reply(c, 1, false, nil) // which waits for the write to be taken
		close(sent)
	}()
	for busy := false; !busy; time.Sleep(time.Millisecond) {
		c.out.mu.Lock()
		busy = c.out.busy
		c.out.mu.Unlock()
	}
	reply(c, 2, false, nil) // these find the sender busy
	reply(c, 3, false, nil)
	if n := len(<-w.writes); n != wire.SimpleReplySize {
		t.Errorf("%d bytes first", n)
	}
	if n := len(<-w.writes); n != 2*wire.SimpleReplySize {
		t.Errorf("%d bytes then", n)
	}
	<-sent
}

// When sending fails, the transport is closed and memory is given back all the same.
func TestAnErrorOfSendingClosesTheTransport(t *testing.T) {
	shared := NewShared(1 << 20)
	near, far := dial(t, true)
	c, tr := start(t, near, Config{Shared: shared})
	_ = far.Close()
	held, ok := c.Acquire(1000)
	if !ok {
		t.Fatal("no memory")
	}
	r := c.NewReply(16, false)
	r.Bytes = wire.SimpleReply{}.Append(r.Bytes)
	c.Send(r, held)
	select {
	case <-tr.Done():
	case <-time.After(time.Minute):
		t.Error("the transport is not closed")
	}
	if shared.Left() != 1<<20 {
		t.Errorf("%d bytes are left", shared.Left())
	}
	if _, err := c.ReadRequest(); !errors.Is(err, net.ErrClosed) && !errors.Is(err, io.EOF) && !errors.Is(err, os.ErrClosed) {
		t.Errorf("reading: %v", err)
	}
}

func TestAcquire(t *testing.T) {
	shared := NewShared(150)
	near, far := dial(t, true)
	c, _ := start(t, near, Config{Shared: shared, InFlight: 100})
	all, ok := c.Acquire(1000) // more than there is counts as all
	if !ok || all != 100 || shared.Left() != 50 {
		t.Fatalf("%d, %v, %d left", all, ok, shared.Left())
	}
	other, _ := start(t, near, Config{Shared: shared, InFlight: 100})
	if _, ok := other.Acquire(51); ok || shared.Left() != 50 {
		t.Errorf("more than the server has: %v, %d left", ok, shared.Left())
	}
	if other.Close(); shared.Left() != 50 {
		t.Errorf("%d bytes are left after a refusal", shared.Left())
	}
	r := c.NewReply(16, true)
	r.Bytes = wire.SimpleReply{}.Append(r.Bytes)
	c.Send(r, 60) // the batch holds it until it is sent
	held, ok := c.Acquire(60)
	if !ok || held != 60 {
		t.Errorf("%d, %v", held, ok)
	}
	receive(t, far, 0, 0)
	waited := make(chan bool)
	go func() {
		_, ok := c.Acquire(30)
		waited <- ok
	}()
	select {
	case <-waited:
		t.Error("more than the limit of the connection was acquired")
	case <-time.After(20 * time.Millisecond):
	}
	c.Release(40)
	if !<-waited {
		t.Error("no memory although some was released")
	}
	if c.Close(); shared.Left() != 150 {
		t.Errorf("%d bytes are left after Close", shared.Left())
	}
}

// An idle connection over a socket holds no buffer.
func TestAnIdleConnectionHoldsNoBuffer(t *testing.T) {
	near, far := dial(t, true)
	c, tr := start(t, near, Config{})
	write(far, wire.Request{Type: wire.CmdFlush}.Append(nil))
	if _, err := c.ReadRequest(); err != nil {
		t.Fatal(err)
	}
	over := make(chan struct{})
	go func() {
		_, _ = c.ReadRequest()
		close(over)
	}()
	time.Sleep(20 * time.Millisecond) // so that it waits
	tr.Close()
	if <-over; c.in.buf != nil {
		t.Error("a buffer is held")
	}
}

func TestATransportIsNotReplacedAfterClose(t *testing.T) {
	near, far := dial(t, true)
	tr := NewTransport(near)
	tr.Close()
	tr.Close()
	other, end := dial(t, true)
	if err := tr.Replace(other); !errors.Is(err, net.ErrClosed) {
		t.Errorf("%v", err)
	}
	for _, end := range []net.Conn{far, end} { // both are closed
		if _, err := end.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("%v", err)
		}
	}
}
