package server

import (
	"fmt"

	"nbdconform/reference/wire"
)

// A Handshake is one of the negotiations that the protocol has or had. Section
// "Handshake".
type Handshake int

// The negotiations, the newest first.
const (
	FixedNewstyle Handshake = iota
	Newstyle                // NBD_OPT_EXPORT_NAME is the only option
	Oldstyle                // one export, and nothing to negotiate
)

// flags are what a newstyle server offers.
func (h Handshake) flags() wire.HandshakeFlags {
	if h == Newstyle {
		return wire.FlagNoZeroes
	}
	return wire.FlagFixedNewstyle | wire.FlagNoZeroes
}

// oldstyle greets and enters the transmission phase with the default export.
// The client sends nothing. Section "Oldstyle negotiation".
func (c *conn) oldstyle() (enter bool, err error) {
	e := c.srv.cfg.find("")
	if c.needsTLS(e) {
		return false, fmt.Errorf("export %q needs TLS", e.Name)
	}
	flags := c.flags(e, "")
	a := &Answer{}
	if err := c.send(a, wire.OldGreeting{Size: e.Disk.Size(), Flags: uint32(flags)}.Append(nil)); err != nil {
		return false, fmt.Errorf("sending the greeting: %w", err)
	}
	c.choose(e, "", flags)
	return true, nil
}
