package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"nbdconform/reference/client"
	"nbdconform/reference/nbduri"
	"nbdconform/reference/wire"
)

// A peer says how the commands that use a server reach it.
type peer struct {
	timeout  time.Duration // of connecting and the handshake
	simple   bool          // do without structured replies
	compact  bool          // do without extended headers
	contexts []string
	infos    []wire.InfoType
}

func (p *peer) flags(f *pflag.FlagSet) {
	f.DurationVar(&p.timeout, "timeout", 30*time.Second, "for connecting and the handshake")
	f.BoolVar(&p.simple, "simple-replies", false, "do not ask for structured replies")
	f.BoolVar(&p.compact, "compact-headers", false, "do not ask for extended headers")
}

// negotiate connects to the server at a URI, up to where an export is chosen.
func (p *peer) negotiate(ctx context.Context, uri string) (nbduri.URI, *client.Negotiation, error) {
	if !strings.Contains(uri, "://") {
		return nbduri.URI{}, nil, fmt.Errorf("%q is no NBD URI: want one such as nbd://localhost:10809/disk or 'nbd+unix:///disk?socket=/tmp/nbd.sock'", uri)
	}
	if p.timeout <= 0 {
		return nbduri.URI{}, nil, fmt.Errorf("--timeout %v: want more than 0, such as 30s", p.timeout)
	}
	u, warnings, err := nbduri.Parse(uri)
	if err != nil {
		return u, nil, err
	}
	for _, w := range warnings {
		fmt.Fprintln(os.Stderr, "warning:", w)
	}
	cfg := client.Config{
		Export: u.Export, Oldstyle: true, SimpleReplies: p.simple, ExtendedHeaders: !p.compact && !p.simple,
		MetaContexts: p.contexts, Infos: p.infos,
	}
	tls, err := u.StartTLS()
	if err != nil {
		return u, nil, err
	}
	if tls != nil {
		cfg.TLS = client.TLS{Mode: client.TLSPrefer, Client: tls}
		if u.TLS {
			cfg.TLS.Mode = client.TLSRequire
		}
	}
	ctx, cancel := context.WithTimeoutCause(ctx, p.timeout, fmt.Errorf("no answer within %v", p.timeout))
	defer cancel()
	conn, err := u.Dial(ctx)
	if err != nil {
		return u, nil, explained(ctx, err)
	}
	n, err := client.Negotiate(ctx, conn, cfg)
	if err == nil && n.Oldstyle() && u.Export != "" { // it may be any disk
		_ = n.Close()
		return u, nil, fmt.Errorf("the server speaks oldstyle negotiation, which has one export without a name: leave %q out of the URI", u.Export)
	}
	return u, n, explained(ctx, err)
}

// connect connects to the export at a URI.
func (p *peer) connect(ctx context.Context, uri string) (*client.Client, error) {
	u, n, err := p.negotiate(ctx, uri)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, p.timeout, fmt.Errorf("no answer within %v", p.timeout))
	defer cancel()
	c, err := p.enter(ctx, n, u.Export)
	if err != nil {
		_ = n.Close()
		return nil, explained(ctx, err)
	}
	return c, nil
}

// enter selects the contexts and chooses the export.
func (p *peer) enter(ctx context.Context, n *client.Negotiation, export string) (*client.Client, error) {
	if len(p.contexts) > 0 && n.Structured() {
		if _, err := n.SetMetaContext(ctx, export, p.contexts...); err != nil && !isOptionError(err) {
			return nil, err
		}
	}
	return n.Go(ctx, export)
}

func isOptionError(err error) bool {
	_, ok := errors.AsType[*client.OptionError](err)
	return ok
}

// explained prefers the cause that a context gives to its bare end.
func explained(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return fmt.Errorf("%w: %w", err, context.Cause(ctx))
	}
	return err
}
