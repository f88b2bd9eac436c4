package pairing

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"nbdconform/conformance/judge"
	"nbdconform/conformance/usage"
	"nbdconform/reference/wire"
)

// A Heard is what was said through a tap.
type Heard struct {
	Items       usage.Set
	Connections int // with which something was negotiated
}

// A tap stands between a client and a server and changes nothing. A judge
// listens to every connection.
type tap struct {
	ln      net.Listener
	dial    func(context.Context) (net.Conn, error)
	dialect wire.Dialect
	cancel  context.CancelFunc
	carried sync.WaitGroup

	mu     sync.Mutex
	judges []*judge.Judge
	ends   []net.Conn
}

// messages is how many messages of a connection are kept to be read.
const messages = 1 << 14

// listen makes a tap at a socket.
func listen(ctx context.Context, socket string, dialect wire.Dialect, dial func(context.Context) (net.Conn, error)) (*tap, error) {
	if err := os.Remove(socket); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	ln, err := net.Listen("unix", socket)
	if err != nil {
		return nil, fmt.Errorf("listening for the client: %w", err)
	}
	if err := os.Chmod(socket, 0o666); err != nil { // #nosec: a program in a container may be another user
		return nil, errors.Join(err, ln.Close())
	}
	t := &tap{ln: ln, dial: dial, dialect: dialect}
	ctx, t.cancel = context.WithCancel(ctx)
	t.carried.Go(func() {
		for {
			client, err := ln.Accept()
			if err != nil {
				return
			}
			t.carried.Go(func() { t.carry(ctx, client) })
		}
	})
	return t, nil
}

// leave is how long connections may take to end once the client has.
const leave = time.Second

// close waits for the connections to end, for a moment, and says what was heard.
func (t *tap) close() Heard {
	_ = t.ln.Close()
	over := make(chan struct{})
	go func() {
		t.carried.Wait()
		close(over)
	}()
	select {
	case <-over:
	case <-time.After(leave):
	}
	t.cancel()
	t.mu.Lock()
	for _, c := range t.ends {
		_ = c.Close()
	}
	t.mu.Unlock()
	<-over
	h := Heard{Items: usage.Set{}}
	for _, j := range t.judges {
		items := usage.Items(j.Transcript(), t.dialect)
		h.Items.Join(items)
		if len(items) > 0 {
			h.Connections++
		}
	}
	return h
}

// carry connects a client to the server. Each byte is told to the judge before
// it goes on, so that no answer comes before its question.
func (t *tap) carry(ctx context.Context, client net.Conn) {
	defer func() { _ = client.Close() }()
	server, err := t.dial(ctx)
	if err != nil {
		return
	}
	defer func() { _ = server.Close() }()
	j := judge.New(judge.Options{Oldstyle: true, Dialect: t.dialect, Messages: messages})
	t.mu.Lock()
	t.judges, t.ends = append(t.judges, j), append(t.ends, client, server)
	t.mu.Unlock()
	var both sync.WaitGroup
	both.Go(func() { pass(client, server, j.FromClient, j.ClientClosed) })
	both.Go(func() { pass(server, client, j.FromServer, j.ServerClosed) })
	both.Wait()
}

// pass carries one direction to its end, which it passes on.
func pass(from, to net.Conn, said func([]byte), closed func(error)) {
	buf := make([]byte, 256<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			said(buf[:n])
			if _, err := to.Write(buf[:n]); err != nil {
				_ = from.Close() // nobody is there to hear more
				return
			}
		}
		switch {
		case err == nil:
			continue
		case errors.Is(err, net.ErrClosed):
			return
		case errors.Is(err, io.EOF):
			err = nil
		}
		closed(err)
		if h, ok := to.(interface{ CloseWrite() error }); ok {
			_ = h.CloseWrite()
		} else {
			_ = to.Close()
		}
		return
	}
}
