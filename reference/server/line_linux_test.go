package server

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"nbdconform/reference/wire"
)

// pairOf is a line and the other end of it.
func pairOf(t *testing.T) (*line, net.Conn) {
	t.Helper()
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	var ends [2]net.Conn
	for i, fd := range fds {
		f := os.NewFile(uintptr(fd), "socket")
		if ends[i], err = net.FileConn(f); err != nil {
			t.Fatal(err)
		}
		_ = f.Close()
	}
	freed := 0
	l := newLine(ends[0], func() { freed++ })
	if l == nil {
		t.Fatal("no line")
	}
	t.Cleanup(func() {
		_ = l.Close()
		_ = ends[1].Close()
		if freed != 1 {
			t.Errorf("freed %d times", freed)
		}
	})
	return l, ends[1]
}

func TestALineCarriesBothWays(t *testing.T) {
	l, far := pairOf(t)
	data := pattern(3 << 20)
	go func() { _, _ = far.Write(data) }()
	got := make([]byte, len(data))
	if _, err := io.ReadFull(l, got); err != nil || string(got) != string(data) {
		t.Fatalf("reading: %v, or other bytes", err)
	}
	sent := make(chan error, 1)
	go func() {
		var parts net.Buffers // more than the kernel takes at once, and more than fits
		for i := 0; i < len(data); i += 1 << 10 {
			parts = append(parts, data[i:i+1<<10])
		}
		sent <- l.writeAll(parts)
	}()
	if _, err := io.ReadFull(far, got); err != nil || string(got) != string(data) {
		t.Fatalf("writing: %v, or other bytes", err)
	}
	if err := <-sent; err != nil {
		t.Fatal(err)
	}
	_ = far.Close()
	if n, err := l.Read(got); n != 0 || err != io.EOF {
		t.Errorf("%d, %v at the end", n, err)
	}
}

// Whoever waits for a line comes back when it is closed.
func TestNobodyWaitsForAClosedLine(t *testing.T) {
	wait := map[string]func(*line) error{
		"read":  func(l *line) error { _, err := l.Read(make([]byte, 1)); return err },
		"write": func(l *line) error { _, err := l.Write(make([]byte, 64<<20)); return err },
		"writev": func(l *line) error {
			return l.writeAll(net.Buffers{make([]byte, 64<<20), make([]byte, 64<<20)})
		},
	}
	for name, waits := range wait {
		t.Run(name, func(t *testing.T) {
			l, _ := pairOf(t)
			came := make(chan error, 1)
			go func() { came <- waits(l) }()
			time.Sleep(20 * time.Millisecond) // so that it does wait
			_ = l.Close()
			if err := <-came; err == nil {
				t.Error("no error")
			}
			if err := waits(l); !errors.Is(err, net.ErrClosed) {
				t.Errorf("%v after that", err)
			}
		})
	}
}

// A line that nothing comes over says so, for the buffer to be given back.
func TestAnIdleLineSaysSo(t *testing.T) {
	l, far := pairOf(t)
	var got []byte
	tries := 0
	err := l.receive(func(fd uintptr) bool {
		b := make([]byte, 8)
		n, err := syscall.Read(int(fd), b)
		if tries++; tries == 1 {
			if err != syscall.EAGAIN {
				t.Errorf("%d, %v with nothing to read", n, err)
			}
			_, _ = far.Write([]byte("late"))
			return false
		}
		got = b[:max(n, 0)]
		return true
	})
	if err != nil || tries != 2 || string(got) != "late" {
		t.Errorf("%q after %d tries: %v", got, tries, err)
	}
}

func TestLinesAreForConnectionsOfOurOwn(t *testing.T) {
	s, ln := serve(t, oneExport(1<<20))
	p := dial(t, ln).enter(true)
	if r := p.do(readOf(512), nil); r.Err != wire.OK { // the transmission phase has begun
		t.Fatal(r.Err)
	}
	if n := s.lines.Load(); n != 1 {
		t.Errorf("%d lines", n)
	}
	for range maxLines + 3 { // those beyond it are served all the same
		q := dial(t, ln).enter(true)
		if r := q.do(wire.Request{Type: wire.CmdRead, Cookie: 1, Length: 4096}, nil); r.Err != wire.OK {
			t.Fatal(r.Err)
		}
	}
	if n := s.lines.Load(); n != maxLines {
		t.Errorf("%d lines, want %d", n, maxLines)
	}
	p.send(wire.Request{Type: wire.CmdDisc}.Append(nil))
	p.closed()
	for s.lines.Load() == maxLines { // the reply is the end of the connection, the line goes a moment later
		time.Sleep(time.Millisecond)
	}
}

// A connection that somebody else has too is no line: they may close it.
func TestAConnectionThatIsHandedOverCanBeClosed(t *testing.T) {
	s, _ := serve(t, oneExport(1<<20))
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	q := dial(t, ln)
	near, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	over := make(chan error, 1)
	go func() { over <- s.ServeConn(context.Background(), near) }()
	q.enter(false)
	_ = near.Close() // whoever handed it over may end it
	if err := <-over; err == nil {
		t.Error("no error")
	}
}

// A client may stop in the middle of a request until it has the reply to the one
// before, whatever it did earlier.
func TestHalfARequestHoldsNoReplyBack(t *testing.T) {
	before := moment
	t.Cleanup(func() { moment = before }) // behind the server
	moment = 100 * time.Millisecond
	_, ln := serve(t, oneExport(1<<20))
	read := readOf(512)
	half := func(q wire.Request, n int) {
		p := dial(t, ln).enter(false)
		for range 2 * mostPatience { // replies go out together: the server comes to expect that
			p.send(requestsOf(read, 2*mostPatience))
			for range 2 * mostPatience {
				p.reply(read)
			}
		}
		next := requestsOf(q, 1)
		p.send(requestsOf(read, 1))
		time.Sleep(time.Millisecond) // so that the server expects more already
		p.send(next[:n])
		p.reply(read)
		p.send(next[n:])
		p.reply(q)
	}
	write := wire.Request{Type: wire.CmdWrite, Length: 4 * kib}
	for i := range 3 {
		half(read, 1+9*i)
		half(write, wire.RequestSize+1000*i)
	}
}

func TestALineWithinTheMachineIsNotPaced(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	far, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer far.Close()
	near, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	l := newLine(near, func() {})
	if l == nil {
		t.Fatal("no line")
	}
	defer l.Close()
	name, err := unix.GetsockoptString(l.fd, unix.IPPROTO_TCP, unix.TCP_CONGESTION)
	if err != nil || name != "reno" { // which every Linux has
		t.Errorf("%q, %v", name, err)
	}
}
