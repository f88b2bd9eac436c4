package audit

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"

	"nbdconform/reference/nbduri"
	"nbdconform/reports/capture"
	"nbdconform/reports/recording"
	"nbdconform/reports/render"
)

// A Proxy stands between clients and a server, and changes nothing.
type Proxy struct {
	Listen  string    // HOST:PORT or unix:PATH
	To      string    // NBD URI of the server
	Once    bool      // end with the first connection
	Capture string    // file for what was said, as pcapng; "": nothing is kept
	Version string    // of the suite, for the capture
	Log     io.Writer // says where it listens, and what goes wrong

	recorder *recording.Recorder // with Capture
}

// mostCaptured bounds what is kept for a capture, in bytes.
const mostCaptured = 256 << 20

// Run serves until the context ends or, with once, the first connection does.
func (p *Proxy) Run(ctx context.Context, a *Auditor) error {
	uri, _, err := nbduri.Parse(p.To)
	if err != nil {
		return err
	}
	network, address := "tcp", p.Listen
	if path, ok := strings.CutPrefix(p.Listen, "unix:"); ok {
		network, address = "unix", path
	}
	l, err := new(net.ListenConfig).Listen(ctx, network, address)
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = l.Close() })
	defer stop()
	defer func() { _ = l.Close() }()
	if p.Capture != "" {
		p.recorder = recording.New(recording.Limits{Direction: mostCaptured, Total: mostCaptured})
		if err := p.write(); err != nil { // rather than at the end
			return err
		}
	}
	fmt.Fprintf(p.Log, "listening at %s, for %s\n", l.Addr(), uri)
	var conns sync.WaitGroup
	for {
		c, err := l.Accept()
		if err != nil {
			conns.Wait()
			if ctx.Err() == nil {
				return err
			}
			return p.write()
		}
		if p.Once {
			_ = l.Close()
			p.carry(ctx, a, c, uri)
			return p.write()
		}
		conns.Go(func() { p.carry(ctx, a, c, uri) })
	}
}

// write writes the capture, if one is wanted.
func (p *Proxy) write() error {
	if p.Capture == "" {
		return nil
	}
	said := p.recorder.Recording()
	if said == nil {
		said = &recording.Recording{Start: time.Now()}
	}
	if said.Cut() {
		fmt.Fprintf(p.Log, "the capture has the first %d MiB alone\n", mostCaptured>>20)
	}
	return render.Replace(p.Capture, func(w io.Writer) error {
		return capture.Write(w, said, capture.About{Application: "nbdconform " + p.Version})
	})
}

// carry connects a client to the server and tells a judge what they say, each
// byte before it goes on, so that no answer comes before its question.
func (p *Proxy) carry(ctx context.Context, a *Auditor, client net.Conn, uri nbduri.URI) {
	defer func() { _ = client.Close() }()
	server, err := uri.Dial(ctx)
	if err != nil {
		fmt.Fprintln(p.Log, "nbdconform: connecting to the server:", err)
		return
	}
	defer func() { _ = server.Close() }()
	if p.recorder != nil {
		server = p.recorder.Conn(p.recorder.Connect(), server)
	}
	w := a.conversation("through the proxy")
	w.certain = true
	stop := context.AfterFunc(ctx, func() { _, _ = client.Close(), server.Close() })
	defer stop()
	var both sync.WaitGroup
	both.Go(func() { pass(client, server, w.FromClient, w.ClientClosed) })
	both.Go(func() { pass(server, client, w.FromServer, w.ServerClosed) })
	both.Wait()
	a.report(w)
}

// pass carries one direction to its end, which it passes on.
func pass(from, to net.Conn, said func([]byte), closed func(error)) {
	buf := make([]byte, 256<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			said(buf[:n])
			if _, err := to.Write(buf[:n]); err != nil {
				_ = from.Close() // the other side is gone
				return
			}
		}
		switch {
		case err == nil:
			continue
		case errors.Is(err, net.ErrClosed):
			return
		case errors.Is(err, io.EOF):
			closed(nil)
		default:
			closed(err)
		}
		if h, ok := to.(interface{ CloseWrite() error }); ok {
			_ = h.CloseWrite()
			return
		}
		_ = to.Close()
		return
	}
}
