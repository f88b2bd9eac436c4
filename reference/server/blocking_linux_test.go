package server

import (
	"context"
	"net"
	"testing"
	"time"

	"nbdconform/reference/wire"
)

func TestBlockingSocketsAreForConnectionsOfOurOwn(t *testing.T) {
	const most = 64
	s, ln := serve(t, oneExport(1<<20))
	p := dial(t, ln).enter(true)
	if r := p.do(readOf(512), nil); r.Err != wire.OK { // the transmission phase has begun
		t.Fatal(r.Err)
	}
	if n := s.shared.Blocking(); n != 1 {
		t.Errorf("%d blocking sockets", n)
	}
	for range most + 3 { // those beyond the limit are served too
		q := dial(t, ln).enter(true)
		if r := q.do(wire.Request{Type: wire.CmdRead, Cookie: 1, Length: 4096}, nil); r.Err != wire.OK {
			t.Fatal(r.Err)
		}
	}
	if n := s.shared.Blocking(); n != most {
		t.Errorf("%d blocking sockets, want %d", n, most)
	}
	p.send(wire.Request{Type: wire.CmdDisc}.Append(nil))
	p.closed()
	for s.shared.Blocking() == most { // the client sees the end of the connection a moment earlier
		time.Sleep(time.Millisecond)
	}
}

// A connection that the caller of ServeConn has too is no blocking socket: the
// caller may close it.
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
	_ = near.Close()
	if err := <-over; err == nil {
		t.Error("no error")
	}
}
