package server

import (
	"context"
	"fmt"

	"nbdconform/reference/wire"
)

// startTLS answers NBD_OPT_STARTTLS.
func (o *option) startTLS() {
	switch {
	case !o.noData("opt.starttls.no-data"):
	case o.mode() == NoTLS:
		o.fail(o.srv.cfg.StartTLS, "this server has no TLS")
	case !o.enforce("tls.forced.starttls.again", !o.TLS):
		o.fail(wire.RepErrInvalid, "TLS is in use already")
	default:
		o.reply(wire.RepAck, nil)
		o.upgrade = true
	}
}

// upgradeToTLS does the handshake after the acknowledgement of NBD_OPT_STARTTLS.
// Plaintext after the option may be from an attacker, and ends the session.
func (c *conn) upgradeToTLS() error {
	if n := c.br.Buffered(); !c.enforce("tls.upgrade.all.client", n == 0) {
		return violation("tls.upgrade.all.client", "%d bytes of plaintext follow NBD_OPT_STARTTLS", n)
	}
	tc, err := c.srv.cfg.TLS.Server.Upgrade(context.Background(), c.transport.Conn()) // deadline and close interrupt it
	if err != nil {
		return fmt.Errorf("answering NBD_OPT_STARTTLS: %w", err)
	}
	if err := c.transport.Replace(tc); err != nil {
		return err
	}
	c.rebuffer()
	c.TLS = true
	if !c.enforce("opt.starttls.forget-state", false) {
		c.Structured, c.Extended, c.Contexts, c.ContextsFor = false, false, nil, ""
	}
	return nil
}
