package interop

import (
	"context"
	"net"
	"time"

	"nbdconform/conformance/judge"
	"nbdconform/conformance/subject"
	"nbdconform/conformance/usage"
	"nbdconform/reference/client"
	"nbdconform/reference/export"
	"nbdconform/reference/starttls"
	"nbdconform/reference/wire"
)

const (
	grace       = 300 * time.Millisecond // for a server to close the connection after NBD_CMD_DISC
	sessionTime = 10 * time.Second       // for one session
)

// contexts are the metadata contexts that the reference client asks for.
var contexts = []string{export.BaseAllocation, export.AllocationDepth, export.DirtyBitmap + "b0"}

// drive has the reference client use all that it has with a server, one session
// after the other, and returns what was observed. What the server refuses is not
// an error: it is not observed.
func drive(ctx context.Context, t subject.Server) usage.Set {
	items := usage.Set{}
	p := t.Profile()
	base := client.Config{Export: p.Export, Dialect: p.Dialect, Oldstyle: true, Grace: grace}
	session := func(f func(context.Context, net.Conn, client.Config) error) {
		ctx, cancel := context.WithTimeout(ctx, sessionTime)
		defer cancel()
		conn, err := t.Dial(ctx)
		if err != nil {
			return
		}
		defer func() { _ = conn.Close() }()
		j := judge.New(judge.Options{Oldstyle: true, Dialect: p.Dialect, Messages: 1 << 12})
		cfg := base
		if p.TLS != nil {
			cfg.TLS = client.TLS{Mode: client.TLSPrefer, Client: judgedTLS{p.TLS, j}}
		}
		_ = f(ctx, judge.Conn(conn, j), cfg)
		items.Join(usage.Items(j.Transcript(), p.Dialect))
	}
	for _, set := range []func(*client.Config){
		func(c *client.Config) { c.ExtendedHeaders = true },
		func(*client.Config) {},
		func(c *client.Config) { c.SimpleReplies = true },
		func(c *client.Config) { c.AnyBlockSize, c.Zeroes = true, true },
	} {
		session(func(ctx context.Context, conn net.Conn, cfg client.Config) error {
			set(&cfg)
			cfg.MetaContexts = contexts
			cfg.Infos = []wire.InfoType{wire.InfoName, wire.InfoDescription, wire.InfoInitState}
			var wrong wire.Request
			cfg.Hooks = &client.Hooks{Request: func(m *client.RequestMessage) { replaceRequest(m, &wrong) }}
			c, err := client.Connect(ctx, conn, cfg)
			if err != nil {
				return err
			}
			defer func() { _ = c.Close() }()
			tryCommands(ctx, c)
			provokeErrors(ctx, c, &wrong)
			return nil
		})
	}
	session(tryOptions)
	session(func(ctx context.Context, conn net.Conn, cfg client.Config) error {
		cfg.TLS = client.TLS{} // in plaintext, whatever the server requires
		return tryOptions(ctx, conn, cfg)
	})
	session(func(ctx context.Context, conn net.Conn, cfg client.Config) error {
		cfg.ExtendedHeaders = true
		return tryOptions(ctx, conn, cfg)
	})
	session(func(ctx context.Context, conn net.Conn, cfg client.Config) error {
		cfg.AnyBlockSize = true
		return tryOptions(ctx, conn, cfg)
	})
	session(func(ctx context.Context, conn net.Conn, cfg client.Config) error {
		n, err := client.Negotiate(ctx, conn, cfg)
		if err != nil {
			return err
		}
		c, err := n.ExportName(ctx, cfg.Export)
		if err != nil {
			return err
		}
		return c.Disconnect(ctx)
	})
	return items
}

// tryCommands sends every command with every flag that the client has for it. It sends
// none that the server does not advertise.
func tryCommands(ctx context.Context, c *client.Client) {
	const length = 64 << 10
	if c.Size() < 4*length {
		return
	}
	b := make([]byte, length)
	for i := range b {
		b[i] = byte(i | 1)
	}
	_ = c.ReadAt(ctx, b, 0, wire.CmdFlagDF)
	for _, f := range []wire.CommandFlags{0, wire.CmdFlagFUA} {
		_ = c.WriteAt(ctx, b, 0, f)
		_ = c.Trim(ctx, length, length, f)
	}
	for _, f := range []wire.CommandFlags{0, wire.CmdFlagFUA, wire.CmdFlagNoHole, wire.CmdFlagFastZero, wire.CmdFlagNoHole | wire.CmdFlagFastZero} {
		_ = c.WriteZeroes(ctx, 2*length, length, f)
	}
	_ = c.ReadAt(ctx, make([]byte, 4*length), 0, 0)
	_ = c.Flush(ctx)
	_ = c.Cache(ctx, 0, length)
	_, _ = c.BlockStatus(ctx, 0, c.Size(), 0)
	_, _ = c.BlockStatus(ctx, 0, c.Size(), wire.CmdFlagReqOne)
	for _, m := range c.Contexts() {
		_, _ = c.BlockStatusOf(ctx, 0, c.Size(), 0, m.Name)
	}
	_, _ = c.LBAStatus(ctx, 0, length, wire.LBAAllocated)
	if c.Flags()&wire.FlagSendResize != 0 {
		_ = c.Resize(ctx, c.Size()+length)
	}
}

// replaceRequest puts an invalid request in the place of the one that is about to
// be sent.
func replaceRequest(m *client.RequestMessage, wrong *wire.Request) {
	if wrong.Length == 0 || m.Request.Type == wire.CmdDisc {
		return
	}
	m.Request.Type, m.Request.Offset, m.Request.Flags = wrong.Type, wrong.Offset, wrong.Flags
	if m.Request.Type != wire.CmdRead || wrong.Length != 1 {
		m.Request.Length = wrong.Length
	}
}

// provokeErrors sends invalid requests: requests that have no payload, sent in the place of
// a read.
func provokeErrors(ctx context.Context, c *client.Client, wrong *wire.Request) {
	const length = 4096
	if c.Size() < length {
		return
	}
	for _, q := range []wire.Request{
		{Type: wire.CmdRead, Offset: c.Size(), Length: length},        // NBD_EINVAL
		{Type: wire.CmdWriteZeroes, Offset: c.Size(), Length: length}, // NBD_ENOSPC, or NBD_EPERM on what can't be written to
		{Type: wire.CmdTrim, Offset: c.Size(), Length: length},
		{Type: 77, Offset: 0, Length: length},
		{Type: wire.CmdRead, Offset: 0, Length: 1<<31 + length, Flags: wire.CmdFlagDF}, // NBD_EOVERFLOW
	} {
		*wrong = q
		_ = c.ReadAt(ctx, make([]byte, length), 0, 0)
		*wrong = wire.Request{}
	}
}

// tryOptions sends every option, valid and invalid ones, and disconnects.
func tryOptions(ctx context.Context, conn net.Conn, cfg client.Config) error {
	n, err := client.Negotiate(ctx, conn, cfg)
	if err != nil {
		return err
	}
	defer func() { _ = n.Close() }()
	_, _ = n.List(ctx)
	_, _ = n.Info(ctx, cfg.Export, wire.InfoName, wire.InfoDescription, wire.InfoInitState)
	_, _ = n.Info(ctx, "no such export")
	_, _ = n.ListMetaContext(ctx, cfg.Export)
	_, _ = n.SetMetaContext(ctx, cfg.Export, contexts...)
	for _, o := range []wire.OptionRequest{
		{Option: wire.OptPeekExport},
		{Option: wire.OptList, Data: []byte("no data is allowed")},
		{Option: wire.OptStructuredReply},
		{Option: 4711},
		{Option: wire.OptInfo, Data: make([]byte, 1<<17)},
	} {
		if _, err := n.Say(ctx, o); err != nil {
			return err
		}
	}
	if cfg.TLS.Client == nil { // the last: what would follow an acknowledgement is TLS
		_, err = n.Say(ctx, wire.OptionRequest{Option: wire.OptStartTLS})
	}
	return err
}

// judgedTLS shows a judge the messages within TLS.
type judgedTLS struct {
	starttls.Client
	judge *judge.Judge
}

func (t judgedTLS) Upgrade(ctx context.Context, nc net.Conn) (starttls.Conn, error) {
	if under, ok := nc.(interface{ NetConn() net.Conn }); ok {
		nc = under.NetConn()
	}
	c, err := t.Client.Upgrade(ctx, nc)
	if err != nil {
		return nil, err
	}
	t.judge.Decrypted()
	return secured{c, judge.Conn(c, t.judge)}, nil
}

// secured is a connection within TLS that shows a judge its messages.
type secured struct {
	starttls.Conn
	judged net.Conn
}

func (s secured) Read(b []byte) (int, error)  { return s.judged.Read(b) }
func (s secured) Write(b []byte) (int, error) { return s.judged.Write(b) }
func (s secured) Close() error                { return s.judged.Close() }
