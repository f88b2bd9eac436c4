package client

import (
	"context"
	"errors"
	"fmt"

	"nbdconform/reference/starttls"
	"nbdconform/reference/wire"
)

// A TLSMode is what a client wants of TLS. Section "Client-side requirements".
type TLSMode uint8

// The modes.
const (
	TLSOff     TLSMode = 0 // never ask for it
	TLSPrefer  TLSMode = 1 // ask, and go on in the clear if there is none: safe from nobody in between
	TLSRequire TLSMode = 2 // ask, and end the session if there is none
)

// TLS is what a client wants of TLS, and how it does it.
type TLS struct {
	Mode   TLSMode
	Client starttls.Client // does the handshake; needed unless Mode is TLSOff
}

// ErrNoTLS is what a [*SessionError] wraps where TLS was required and could
// not be had.
var ErrNoTLS = errors.New("the server does not offer TLS")

// secure sends NBD_OPT_STARTTLS as the first option, so that nothing that it
// would undo comes before, and does the handshake.
func (n *Negotiation) secure(ctx context.Context) error {
	t := n.cfg.TLS
	switch {
	case t.Mode == TLSOff:
		return nil
	case t.Client == nil:
		return n.fail(&SessionError{Err: errors.New("starting TLS: the configuration does not say how")})
	case !n.Fixed() && !n.cfg.breaks("tls.client.starttls.not-fixed"):
		if t.Mode == TLSPrefer {
			return nil
		}
		return n.fail(&SessionError{Err: fmt.Errorf("starting TLS: %w: no fixed newstyle negotiation", ErrNoTLS)})
	}
	err := n.StartTLS(ctx, t.Client)
	if err != nil && n.cfg.breaks("tls.handshake.failed.client") && n.ended == nil {
		return nil
	}
	var refusal *OptionError
	if !errors.As(err, &refusal) || n.ended != nil {
		return err
	}
	if t.Mode == TLSPrefer {
		return nil
	}
	_ = n.Close() // tls.client.starttls.insisting
	n.ended = &SessionError{Err: fmt.Errorf("starting TLS: %w: %w", ErrNoTLS, refusal)}
	return n.ended
}

// StartTLS sends NBD_OPT_STARTTLS and goes over to TLS. All that was negotiated
// before is void. An [*OptionError] is the server's refusal, which leaves the
// session as it was; a handshake that fails ends it.
func (n *Negotiation) StartTLS(ctx context.Context, t starttls.Client) error {
	if n.tls != nil {
		return usage("tls.client.starttls.again", "NBD_OPT_STARTTLS must not be sent within TLS")
	}
	if err := n.simpleOption(ctx, wire.OptStartTLS); err != nil && !n.cfg.breaks("tls.client.starttls.error") {
		return err
	}
	if n.cfg.breaks("tls.client.upgrade") {
		return nil
	}
	if n.cfg.breaks("tls.upgrade.all.client") {
		_ = n.raw.SendOption(ctx, wire.OptionRequest{Option: wire.OptList})
	}
	if k := n.raw.Buffered(); k > 0 { // somebody in between may have sent that
		return n.fail(violation("tls.upgrade.all.server", "starting TLS: %d bytes follow the acknowledgement in the clear", k))
	}
	conn, err := t.Upgrade(ctx, n.raw.conn)
	if err != nil && n.cfg.breaks("tls.handshake.failed.client") {
		return err
	}
	if err != nil {
		return n.fail(&SessionError{Err: fmt.Errorf("starting TLS: %w", err)})
	}
	n.tls = conn
	n.raw = NewRaw(conn)
	n.raw.SetLimits(n.cfg.Limits)
	n.structured, n.contexts = false, contexts{}
	return nil
}

// TLS is the connection within TLS, or nil in the clear.
func (n *Negotiation) TLS() starttls.Conn { return n.tls }

// TLS is the connection within TLS, or nil in the clear.
func (c *Client) TLS() starttls.Conn {
	t, _ := c.conn.(starttls.Conn)
	return t
}
