package server

import (
	"fmt"

	"nbdconform/reference/wire"
)

// handshake runs the negotiation, fixed newstyle unless it is configured
// otherwise. enter says that the transmission phase follows; without it and
// without an error the session ended as it should. Section "Newstyle negotiation".
func (c *conn) handshake() (enter bool, err error) {
	if c.srv.cfg.Handshake == Oldstyle {
		return c.oldstyle()
	}
	x := &GreetingExchange{Session: &c.Session, Greeting: wire.Greeting{Flags: c.srv.cfg.Handshake.flags()}}
	if c.hooks.Greeting != nil {
		c.hooks.Greeting(x)
	}
	if err := c.send(&x.Answer, x.Greeting.Append(nil)); err != nil {
		return false, fmt.Errorf("sending the greeting: %w", err)
	}
	if done, err := c.after(&x.Answer); done {
		return false, err
	}
	c.fixed = x.Greeting.Flags&wire.FlagFixedNewstyle != 0
	if c.ClientFlags, err = wire.ReadClientFlags(c.br); err != nil {
		return false, fmt.Errorf("reading the client's flags: %w", err)
	}
	if err := c.checkClientFlags(x.Greeting.Flags); err != nil {
		return false, err
	}
	for {
		if enter, done, err := c.option(); done || enter || err != nil {
			return enter, err
		}
	}
}

// checkClientFlags compares the client's flags with what was offered. Section
// "Client flags".
func (c *conn) checkClientFlags(offered wire.HandshakeFlags) error {
	const known = wire.FlagCFixedNewstyle | wire.FlagCNoZeroes
	if extra := c.ClientFlags &^ known; !c.enforce("flag.client.unknown.drop", extra == 0) {
		return violation("flag.client.unknown.drop", "client flags %v are unknown", extra)
	}
	if extra := c.ClientFlags & known &^ wire.ClientFlags(offered); !c.enforce("flag.client.unoffered.drop", extra == 0) {
		return violation("flag.client.unoffered.drop", "client flags %v were not offered", extra)
	}
	return nil
}
