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

// Observed is what of the protocol a client and a server used.
type Observed struct {
	Items       usage.Set
	Connections int // that negotiated something
}

// A proxy stands between a client and a server and changes nothing. A judge
// observes every connection.
type proxy struct {
	ln      net.Listener
	dial    func(context.Context) (net.Conn, error)
	dialect wire.Dialect
	cancel  context.CancelFunc
	serving sync.WaitGroup

	mu     sync.Mutex
	judges []*judge.Judge
	conns  []net.Conn
}

// maxMessages is how many messages of a connection the judge keeps.
const maxMessages = 1 << 14

// listen starts a proxy that listens at a socket.
func listen(ctx context.Context, socket string, dialect wire.Dialect, dial func(context.Context) (net.Conn, error)) (*proxy, error) {
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
	p := &proxy{ln: ln, dial: dial, dialect: dialect}
	ctx, p.cancel = context.WithCancel(ctx)
	p.serving.Go(func() {
		for {
			client, err := ln.Accept()
			if err != nil {
				return
			}
			p.serving.Go(func() { p.relay(ctx, client) })
		}
	})
	return p, nil
}

// drainTime is how long connections may take to end once the client has.
const drainTime = time.Second

// close waits for the connections to end, for drainTime at most, and returns
// what was observed.
func (p *proxy) close() Observed {
	_ = p.ln.Close()
	done := make(chan struct{})
	go func() {
		p.serving.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(drainTime):
	}
	p.cancel()
	p.mu.Lock()
	for _, c := range p.conns {
		_ = c.Close()
	}
	p.mu.Unlock()
	<-done
	o := Observed{Items: usage.Set{}}
	for _, j := range p.judges {
		items := usage.Items(j.Transcript(), p.dialect)
		o.Items.Join(items)
		if len(items) > 0 {
			o.Connections++
		}
	}
	return o
}

// relay connects a client to the server. The judge gets each byte before the
// other side does, so that it never sees a reply before its request.
func (p *proxy) relay(ctx context.Context, client net.Conn) {
	defer func() { _ = client.Close() }()
	server, err := p.dial(ctx)
	if err != nil {
		return
	}
	defer func() { _ = server.Close() }()
	j := judge.New(judge.Options{Oldstyle: true, Dialect: p.dialect, Messages: maxMessages})
	p.mu.Lock()
	p.judges, p.conns = append(p.judges, j), append(p.conns, client, server)
	p.mu.Unlock()
	var both sync.WaitGroup
	both.Go(func() { copyOneWay(client, server, j.FromClient, j.ClientClosed) })
	both.Go(func() { copyOneWay(server, client, j.FromServer, j.ServerClosed) })
	both.Wait()
}

// copyOneWay copies one direction to its end, and closes the other side then.
func copyOneWay(from, to net.Conn, observe func([]byte), closed func(error)) {
	buf := make([]byte, 256<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			observe(buf[:n])
			if _, err := to.Write(buf[:n]); err != nil {
				_ = from.Close() // the other side reads no more
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
