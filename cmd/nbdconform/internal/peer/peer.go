package peer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"nbdconform/reference/client"
	"nbdconform/reference/nbduri"
	"nbdconform/reference/wire"
)

// A Peer says how to reach a server.
type Peer struct {
	Timeout        time.Duration // of connecting and the handshake
	SimpleReplies  bool          // do without structured replies
	CompactHeaders bool          // do without extended headers
	Contexts       []string      // metadata contexts to select
	Infos          []wire.InfoType
	Warn           io.Writer // for what is odd about a URI
}

// Negotiate connects to the server at a URI, up to where an export is chosen.
func (p *Peer) Negotiate(ctx context.Context, uri string) (nbduri.URI, *client.Negotiation, error) {
	if !strings.Contains(uri, "://") {
		return nbduri.URI{}, nil, fmt.Errorf("%q is no NBD URI: want one such as nbd://localhost:10809/disk or 'nbd+unix:///disk?socket=/tmp/nbd.sock'", uri)
	}
	if p.Timeout <= 0 {
		return nbduri.URI{}, nil, fmt.Errorf("--timeout %v: want more than 0, such as 30s", p.Timeout)
	}
	u, warnings, err := nbduri.Parse(uri)
	if err != nil {
		return u, nil, err
	}
	for _, w := range warnings {
		fmt.Fprintln(p.Warn, "warning:", w)
	}
	cfg := client.Config{
		Export: u.Export, Oldstyle: true, SimpleReplies: p.SimpleReplies, ExtendedHeaders: !p.CompactHeaders && !p.SimpleReplies,
		MetaContexts: p.Contexts, Infos: p.Infos,
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
	ctx, cancel := context.WithTimeoutCause(ctx, p.Timeout, fmt.Errorf("no answer within %v", p.Timeout))
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

// Connect connects to the export at a URI.
func (p *Peer) Connect(ctx context.Context, uri string) (*client.Client, error) {
	u, n, err := p.Negotiate(ctx, uri)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, p.Timeout, fmt.Errorf("no answer within %v", p.Timeout))
	defer cancel()
	c, err := p.enter(ctx, n, u.Export)
	if err != nil {
		_ = n.Close()
		return nil, explained(ctx, err)
	}
	return c, nil
}

// enter selects the contexts and chooses the export.
func (p *Peer) enter(ctx context.Context, n *client.Negotiation, export string) (*client.Client, error) {
	if len(p.Contexts) > 0 && n.Structured() {
		if _, err := n.SetMetaContext(ctx, export, p.Contexts...); err != nil && !isOptionError(err) {
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
