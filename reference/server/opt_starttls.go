package server

import (
	"bufio"
	"context"
	"fmt"
	"io"

	"nbdconform/reference/wire"
)

// startTLS answers NBD_OPT_STARTTLS.
func (o *option) startTLS() {
	switch {
	case !o.noData("opt.starttls.no-data"):
	case o.mode() == NoTLS:
		o.fail(o.srv.cfg.StartTLS, "this server does not do TLS")
	case !o.enforce("tls.forced.starttls.again", !o.TLS):
		o.fail(wire.RepErrInvalid, "TLS runs already")
	default:
		o.reply(wire.RepAck, nil)
		o.upgrade = true
	}
}

// upgradeToTLS does the handshake behind the acknowledgement of
// NBD_OPT_STARTTLS. What the client sent in the clear behind the option was
// sent by nobody knows whom, and ends the session.
func (c *conn) upgradeToTLS() error {
	if n := c.br.Buffered(); !c.enforce("tls.upgrade.all.client", n == 0) {
		return violation("tls.upgrade.all.client", "%d bytes follow NBD_OPT_STARTTLS in the clear", n)
	}
	tc, err := c.srv.cfg.TLS.Server.Upgrade(context.Background(), c.transport.Conn()) // deadline and close interrupt it
	if err != nil {
		return fmt.Errorf("answering NBD_OPT_STARTTLS: %w", err)
	}
	if err := c.transport.Replace(tc); err != nil {
		return err
	}
	c.rebuffer(handshakeBuffer)
	c.TLS = true
	if !c.enforce("opt.starttls.forget-state", false) {
		c.Structured, c.Extended, c.Contexts, c.ContextsFor = false, false, nil, ""
	}
	return nil
}

// rebuffer starts to read from the connection as it is now, with a buffer of
// size bytes. What was buffered comes first: nothing, where TLS begins.
func (c *conn) rebuffer(size int) {
	rest, _ := c.br.Peek(c.br.Buffered())
	c.br = bufio.NewReaderSize(&prefixed{prefix: rest, Reader: c.transport.Conn()}, size)
}

// prefixed reads prefix first.
type prefixed struct {
	prefix []byte
	io.Reader
}

func (p *prefixed) Read(b []byte) (int, error) {
	if len(p.prefix) > 0 {
		n := copy(b, p.prefix)
		p.prefix = p.prefix[n:]
		return n, nil
	}
	return p.Reader.Read(b)
}
