package judge

import (
	"testing"

	"nbdconform/reference/wire"
)

var initStateTrips = []trip{
	{"initial state has other than 16 bits", []string{"server init-state.length"}, func(c *conversation, bad bool) {
		c.hello()
		c.opt(wire.OptGo, info("disk", wire.InfoInitState))
		c.export(wire.OptGo, size, all)
		i := (wire.InitSparse | wire.InitZero).Info()
		if bad {
			i.Payload = append(i.Payload, 0, 0)
		}
		c.info(wire.OptGo, i)
		c.ack(wire.OptGo)
		c.disc()
	}},
}

// Nobody owns the number 4 for good.
func TestInitStateThatNobodyAskedFor(t *testing.T) {
	c := new(conversation)
	c.hello()
	c.opt(wire.OptGo, info("disk"))
	c.export(wire.OptGo, size, all)
	c.info(wire.OptGo, wire.Info{Type: wire.InfoInitState, Payload: []byte("later")})
	c.ack(wire.OptGo)
	c.disc()
	for _, v := range c.tell(1 << 20).Violations() {
		t.Error(v)
	}
}
