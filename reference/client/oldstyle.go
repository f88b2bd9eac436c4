package client

import (
	"context"
	"errors"

	"nbdconform/reference/wire"
)

// greetOldstyle reads the rest of oldstyle negotiation, which is all that
// there is to it.
func (n *Negotiation) greetOldstyle(ctx context.Context) *SessionError {
	const doing = "reading the greeting"
	if !n.cfg.Oldstyle {
		return &SessionError{Err: errors.New(doing + ": the server speaks oldstyle negotiation, which Config.Oldstyle does not allow")}
	}
	g, err := n.raw.OldGreeting(ctx)
	if err != nil {
		return sessionError(doing, unwrapOnce(err))
	}
	if extra := g.Flags >> 16; extra != 0 {
		return sessionError(doing, violation("flag.handshake.oldstyle", "handshake flags %#x have no place in oldstyle negotiation", extra))
	}
	e := &Export{Size: g.Size, Flags: wire.TransmissionFlags(g.Flags), Constraints: wire.DefaultSizeConstraints}
	if err := n.checkFlags(e.Flags); err != nil {
		return sessionError(doing, err)
	}
	n.old = e
	return nil
}
