package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	"nbdconform/reference/nbduri"
	"nbdconform/reports/capture"
	"nbdconform/reports/recording"
	"nbdconform/reports/render"
)

// A proxy stands between clients and a server, and changes nothing.
type proxy struct {
	listen, to string
	once       bool
	capture    string              // file for what was said; "": nothing is kept
	recorder   *recording.Recorder // with capture
}

// mostCaptured bounds what is kept for a capture, in bytes.
const mostCaptured = 256 << 20

// run serves until the context ends or, with once, the first connection does.
func (p *proxy) run(ctx context.Context, a *auditor) error {
	uri, _, err := nbduri.Parse(p.to)
	if err != nil {
		return err
	}
	network, address := "tcp", p.listen
	if path, ok := strings.CutPrefix(p.listen, "unix:"); ok {
		network, address = "unix", path
	}
	l, err := new(net.ListenConfig).Listen(ctx, network, address)
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = l.Close() })
	defer stop()
	defer func() { _ = l.Close() }()
	if p.capture != "" {
		p.recorder = recording.New(recording.Limits{Direction: mostCaptured, Total: mostCaptured})
		if err := p.write(); err != nil { // rather than at the end
			return err
		}
	}
	fmt.Fprintf(os.Stderr, "listening at %s, for %s\n", l.Addr(), uri)
	var wg sync.WaitGroup
	for {
		c, err := l.Accept()
		if err != nil {
			wg.Wait()
			if ctx.Err() == nil {
				return err
			}
			return p.write()
		}
		if p.once {
			_ = l.Close()
			p.carry(ctx, a, c, uri)
			return p.write()
		}
		wg.Go(func() { p.carry(ctx, a, c, uri) })
	}
}

// write writes the capture, if one is wanted.
func (p *proxy) write() error {
	if p.capture == "" {
		return nil
	}
	said := p.recorder.Recording()
	if said == nil {
		said = &recording.Recording{Start: time.Now()}
	}
	if said.Cut() {
		fmt.Fprintf(os.Stderr, "the capture has the first %d MiB alone\n", mostCaptured>>20)
	}
	return render.Replace(p.capture, func(w io.Writer) error {
		return capture.Write(w, said, capture.About{Application: "nbdconform " + version()})
	})
}

// carry connects a client to the server and tells a judge what they say, each
// byte before it goes on, so that no answer comes before its question.
func (p *proxy) carry(ctx context.Context, a *auditor, client net.Conn, uri nbduri.URI) {
	defer func() { _ = client.Close() }()
	server, err := uri.Dial(ctx)
	if err != nil {
		fmt.Fprintln(os.Stderr, "nbdconform: connecting to the server:", err)
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
	var wg sync.WaitGroup
	wg.Go(func() { pass(client, server, w.FromClient, w.ClientClosed) })
	wg.Go(func() { pass(server, client, w.FromServer, w.ServerClosed) })
	wg.Wait()
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
