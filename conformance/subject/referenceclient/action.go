package referenceclient

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"nbdconform/conformance/subject"
	"nbdconform/reference/client"
	"nbdconform/reference/starttls"
	"nbdconform/reference/wire"
)

// grace is how long the client waits for a server that could make it wait for
// ever. Everybody is in this process.
const grace = 500 * time.Millisecond

// An action is one task under way.
type action struct {
	caller *Client
	task   subject.Task
	dial   func(context.Context) (net.Conn, error)
	text   strings.Builder
}

// config is how the client behaves.
func (a *action) config() (client.Config, error) {
	cfg := client.Config{
		Export: a.task.Server.Export, ExtendedHeaders: true, MetaContexts: []string{client.AllocationContext},
		Infos: []wire.InfoType{wire.InfoName, wire.InfoDescription}, Grace: grace,
		Hooks: &a.caller.quirk.Hooks,
	}
	if f := a.caller.quirk.New; f != nil {
		h := f()
		cfg.Hooks = &h
	}
	if err := a.secure(&cfg); err != nil {
		return cfg, err
	}
	if f := a.caller.quirk.Config; f != nil {
		f(&cfg)
	}
	return cfg, nil
}

// secure does what the task says of TLS.
func (a *action) secure(cfg *client.Config) error {
	to := a.task.Server
	cfg.TLS.Mode = client.TLSRequire
	var err error
	switch to.TLS {
	case subject.NoTLS:
		cfg.TLS.Mode = client.TLSOff
	case subject.TLSKey:
		cfg.TLS.Client, err = starttls.LoadPSKClient(filepath.Join(to.Keys, "keys.psk"), "alice")
	case subject.TLSAnonymous:
		cfg.TLS.Client, err = starttls.NewAnonymousClient()
	default:
		var how *starttls.X509Client
		if how, err = starttls.LoadClient(to.PKI); err != nil {
			return err
		}
		how.ServerName = "localhost"
		cfg.TLS.Client = how
		if to.TLS == subject.TLSAllow {
			cfg.TLS.Mode = client.TLSPrefer
		}
	}
	return err
}

// run does the task and returns what a program would print.
func (a *action) run(ctx context.Context) (string, error) {
	cfg, err := a.config()
	if err == nil {
		err = a.remembering(&cfg, func() error { return a.do(ctx, cfg) })
	}
	return a.text.String(), err
}

// remembering lets a client that takes an earlier server's mode for granted do so.
func (a *action) remembering(cfg *client.Config, f func() error) error {
	if !cfg.Hooks.Skip["tls.mode.remembered"] || cfg.TLS.Client == nil {
		return f()
	}
	m := &a.caller.memory
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.tls != nil {
		cfg.TLS.Mode = client.TLSOff
		if *m.tls {
			cfg.TLS.Mode = client.TLSRequire
		}
	}
	err := f()
	has := cfg.TLS.Mode == client.TLSRequire && err == nil
	m.tls = &has
	return err
}

func (a *action) do(ctx context.Context, cfg client.Config) error {
	conn, err := a.dial(ctx)
	if err != nil {
		return err
	}
	switch a.task.Operation {
	case subject.List, subject.Info:
		return a.ask(ctx, conn, cfg)
	}
	c, err := client.Connect(ctx, conn, cfg)
	if err != nil {
		return err
	}
	err = a.use(ctx, c, cfg)
	return errors.Join(err, c.Disconnect(ctx))
}

// ask is what needs no export: the client leaves during haggling.
func (a *action) ask(ctx context.Context, conn net.Conn, cfg client.Config) error {
	n, err := client.Negotiate(ctx, conn, cfg)
	if err != nil {
		return err
	}
	err = a.haggle(ctx, n)
	if closing := n.Close(); err == nil {
		err = closing
	}
	return err
}

func (a *action) haggle(ctx context.Context, n *client.Negotiation) error {
	if a.task.Operation == subject.List {
		list, err := n.List(ctx)
		for _, e := range list {
			fmt.Fprintf(&a.text, "%s %s\n", e.Name, e.Details)
		}
		return err
	}
	e, err := n.Info(ctx, a.task.Server.Export, wire.InfoName, wire.InfoDescription)
	if err != nil {
		return err
	}
	fmt.Fprintf(&a.text, "size %d flags %v\n", e.Size, e.Flags)
	if !n.Structured() {
		return nil
	}
	contexts, err := n.ListMetaContext(ctx, a.task.Server.Export)
	for _, name := range contexts {
		fmt.Fprintf(&a.text, "context %s\n", name)
	}
	if o := (*client.OptionError)(nil); errors.As(err, &o) && o.Type != wire.RepErrShutdown {
		return nil // the contexts are nice to know
	}
	return err
}

// use does the task with an export.
func (a *action) use(ctx context.Context, c *client.Client, cfg client.Config) error {
	t := a.task
	has := func(f wire.TransmissionFlags) bool { return c.Flags()&f != 0 }
	if cfg.Hooks.Skip["flag.transmission.multi-conn.absent"] && !has(wire.FlagCanMultiConn) {
		if err := a.spread(ctx, c, cfg); err != nil {
			return err
		}
	}
	switch t.Operation {
	case subject.Visit:
		return c.ReadAt(ctx, make([]byte, min(c.Size(), 64<<10)), 0, 0)
	case subject.Map:
		return a.printMap(ctx, c)
	case subject.CopyOut:
		return a.copyOut(ctx, c)
	case subject.CopyIn:
		return a.copyIn(ctx, c, cfg)
	case subject.Compare:
		return a.compare(ctx, c)
	case subject.Zero:
		if !has(wire.FlagSendWriteZeroes) {
			return c.WriteAt(ctx, make([]byte, t.Length), t.Offset, 0)
		}
		flags := wire.CommandFlags(0)
		if has(wire.FlagSendFUA) {
			flags = wire.CmdFlagFUA
		}
		return c.WriteZeroes(ctx, t.Offset, t.Length, flags)
	case subject.Trim:
		if !has(wire.FlagSendTrim) {
			return nil
		}
		return c.Trim(ctx, t.Offset, t.Length, 0)
	case subject.Resize:
		if !has(wire.FlagSendResize) {
			return errors.New("the server does not resize")
		}
		if err := c.ReadAt(ctx, make([]byte, 4096), 0, 0); err != nil {
			return err
		}
		if err := c.Resize(ctx, t.Length); err != nil || t.Length < 4096 {
			return err
		}
		return c.ReadAt(ctx, make([]byte, 4096), t.Length-4096, 0)
	}
	return fmt.Errorf("%s is not known", t.Operation)
}

// spread reads by the connection and by another one, in turns.
func (a *action) spread(ctx context.Context, c *client.Client, cfg client.Config) error {
	conn, err := a.dial(ctx)
	if err != nil {
		return err
	}
	second, err := client.Connect(ctx, conn, cfg)
	if err != nil {
		return err
	}
	block := make([]byte, 4096)
	for _, by := range []*client.Client{c, second, c} {
		err = errors.Join(err, by.ReadAt(ctx, block, 0, 0))
	}
	return errors.Join(err, second.Disconnect(ctx))
}

func (a *action) printMap(ctx context.Context, c *client.Client) error {
	if !c.HasContext(client.AllocationContext) {
		fmt.Fprintf(&a.text, "0 %d 0\n", c.Size())
		return nil
	}
	for off := uint64(0); off < c.Size(); {
		status, err := c.BlockStatus(ctx, off, c.Size()-off, 0)
		if err != nil {
			return err
		}
		extents := status[client.AllocationContext]
		if len(extents) == 0 { // a client that bears everything takes this for data
			extents = []wire.Extent{{Length: c.Size() - off}}
		}
		for _, e := range extents {
			fmt.Fprintf(&a.text, "%d %d %d\n", off, e.Length, e.Status)
			off += e.Length
		}
	}
	return nil
}

func (a *action) copyOut(ctx context.Context, c *client.Client) error {
	f, err := os.Create(a.task.File)
	if err != nil {
		return err
	}
	err = client.CopyOut(ctx, f, c, client.CopyOptions{Requests: 4, RequestSize: 64 << 10})
	return errors.Join(err, f.Close())
}

// copyIn copies the lower half by one connection and the upper by another,
// where the server likes that, and flushes when all is written.
func (a *action) copyIn(ctx context.Context, c *client.Client, cfg client.Config) error {
	b, err := os.ReadFile(filepath.Clean(a.task.File))
	if err != nil {
		return err
	}
	clients, half := []*client.Client{c, c}, len(b)/2/4096*4096
	if c.Flags()&wire.FlagCanMultiConn != 0 && c.Flags()&wire.FlagSendFlush != 0 {
		conn, err := a.dial(ctx)
		if err != nil {
			return err
		}
		second, err := client.Connect(ctx, conn, cfg)
		if err != nil {
			return err
		}
		defer func() { _ = second.Disconnect(ctx) }()
		clients[1] = second
	}
	flush := c.Flags()&wire.FlagSendFlush != 0 && !cfg.Hooks.Skip["interop.client.flush"]
	if clients[0] == clients[1] {
		if err := write(ctx, c, b, 0); err != nil || !flush {
			return err
		}
		return c.Flush(ctx)
	}
	done := make(chan error, 1)
	go func() { done <- write(ctx, clients[1], b[half:], uint64(half)) }()
	err = write(ctx, c, b[:half], 0)
	if cfg.Hooks.Skip["trans.order.flush.connections"] {
		err = errors.Join(err, c.Flush(ctx))
		return errors.Join(err, <-done)
	}
	if err = errors.Join(err, <-done); err != nil || !flush {
		return err
	}
	return c.Flush(ctx)
}

// write writes b at off, in pieces that leave runs of zeroes to the server.
func write(ctx context.Context, c *client.Client, b []byte, off uint64) error {
	const step = 64 << 10
	for len(b) > 0 {
		n := min(len(b), step)
		part := b[:n]
		var err error
		if c.Flags()&wire.FlagSendWriteZeroes != 0 && strings.Count(string(part), "\x00") == n {
			err = c.WriteZeroes(ctx, off, uint64(n), 0)
		} else {
			err = c.WriteAt(ctx, part, off, 0)
		}
		if err != nil {
			return err
		}
		b, off = b[n:], off+uint64(n)
	}
	return nil
}

func (a *action) compare(ctx context.Context, c *client.Client) error {
	want, err := os.ReadFile(filepath.Clean(a.task.File))
	if err != nil {
		return err
	}
	got := make([]byte, c.Size())
	if err := c.ReadAt(ctx, got, 0, 0); err != nil {
		return err
	}
	if string(got) != string(want) {
		return errors.New("the file and the export differ")
	}
	return nil
}
