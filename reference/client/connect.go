package client

import (
	"context"
	"net"

	"nbdconform/reference/wire"
)

// Connect does the whole handshake on conn and chooses cfg.Export. From here on
// conn belongs to the client; it is closed when the session ends, and if
// Connect fails, after a soft disconnect where there is one.
//
// What the server does not know is left out: structured replies, metadata
// contexts, NBD_OPT_GO. What came of it can be read from the client.
func Connect(ctx context.Context, conn net.Conn, cfg Config) (*Client, error) {
	n, err := Negotiate(ctx, conn, cfg)
	if err != nil {
		return nil, err
	}
	if len(cfg.MetaContexts) > 0 && (n.structured || cfg.breaks("opt.set-meta.needs-structured")) {
		_, err := n.SetMetaContext(ctx, cfg.Export, cfg.MetaContexts...)
		if err != nil && !refused(err, wire.RepErrUnsup) {
			_ = n.Close()
			return nil, err
		}
	}
	c, err := n.Go(ctx, cfg.Export)
	if err != nil {
		_ = n.Close()
		return nil, err
	}
	return c, nil
}
