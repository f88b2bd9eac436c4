package judge

import (
	"testing"

	"nbdconform/reference/wire"
)

const resizable = all | wire.FlagSendResize

func resizeTo(cookie, n uint64) wire.Request {
	return wire.Request{Type: wire.CmdResize, Cookie: cookie, Offset: n}
}

func readAt(cookie, offset, n uint64) wire.Request {
	return wire.Request{Type: wire.CmdRead, Cookie: cookie, Offset: offset, Length: n}
}

var resizeTrips = []trip{
	{"resize is not advertised", []string{"client resize.needs-flag"}, func(c *conversation, bad bool) {
		c.plain(pick[wire.TransmissionFlags](bad, all, resizable))
		c.ask(resizeTo(1, size/2))
		c.simple(1, wire.EPERM, 0)
		c.disc()
	}},
	{"resize fails with an error that it does not have", []string{"server resize.errors"}, func(c *conversation, bad bool) {
		c.plain(resizable)
		c.ask(resizeTo(1, size/2))
		c.simple(1, pick(bad, wire.EINVAL, wire.ENOSPC), 0)
		c.disc()
	}},
	{"what a resize cut off fails with something else", []string{"client size.bounds.client", "server resize.shrunk.enospc"}, func(c *conversation, bad bool) {
		c.plain(resizable)
		c.ask(resizeTo(1, size/2))
		c.simple(1, wire.OK, 0)
		if bad {
			c.ask(readAt(2, size/2, 512)) // which is the client's violation as well
			c.simple(2, wire.EINVAL, 0)
		}
		c.disc()
	}},
	{"a request is about what a resize is to cut off", []string{"client resize.outstanding"}, func(c *conversation, bad bool) {
		c.plain(resizable)
		c.ask(readAt(2, size/2-pick[uint64](bad, 0, 512), 512))
		c.ask(resizeTo(1, size/2))
		c.simple(2, wire.OK, 512)
		c.simple(1, wire.OK, 0)
		c.disc()
	}},
	{"a request is about what a resize is cutting off", []string{"client resize.between"}, func(c *conversation, bad bool) {
		c.plain(resizable)
		c.ask(resizeTo(1, size/2))
		c.ask(readAt(2, size/2-pick[uint64](bad, 0, 512), 512))
		c.simple(1, wire.OK, 0)
		c.simple(2, wire.OK, 512)
		c.disc()
	}},
	{"a request is about what will not be there either", []string{"client resize.between.beyond"}, func(c *conversation, bad bool) {
		c.plain(resizable)
		c.ask(resizeTo(1, size*2))
		if bad {
			c.ask(readAt(2, size*2, 512))
			c.simple(2, wire.EINVAL, 0)
		}
		c.simple(1, wire.OK, 0)
		c.disc()
	}},
}

// The size that was agreed on is the one that counts.
func TestAfterAResize(t *testing.T) {
	for name, talk := range map[string]func(c *conversation){
		"reads of what came into being": func(c *conversation) {
			c.ask(resizeTo(1, size*2))
			c.simple(1, wire.OK, 0)
			c.ask(readAt(2, size*2-512, 512))
			c.simple(2, wire.OK, 512)
		},
		"a resize that failed": func(c *conversation) {
			c.ask(resizeTo(1, size/2))
			c.simple(1, wire.EIO, 0)
			c.ask(readAt(2, size-512, 512))
			c.simple(2, wire.OK, 512)
		},
		"requests that a resize leaves alone": func(c *conversation) {
			c.ask(readAt(2, 0, 512))
			c.ask(resizeTo(1, size/2))
			c.ask(readAt(3, 0, size/2))
			c.simple(3, wire.OK, size/2)
			c.simple(1, wire.OK, 0)
			c.simple(2, wire.OK, 512)
		},
		"a shrunk export that grew again": func(c *conversation) {
			for i, n := range []uint64{size / 2, size} {
				c.ask(resizeTo(uint64(i), n))
				c.simple(uint64(i), wire.OK, 0)
			}
			c.ask(readAt(2, size-512, 512))
			c.simple(2, wire.OK, 512)
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := new(conversation)
			c.plain(resizable)
			talk(c)
			c.disc()
			for _, v := range c.tell(1 << 20).Violations() {
				t.Error(v)
			}
		})
	}
}

// A server whose other clients may resize the export can't be accused of what
// it lets this one do.
func TestAnotherClientMayHaveResized(t *testing.T) {
	c := new(conversation)
	c.plain(resizable)
	c.ask(readAt(1, size, 512))
	c.simple(1, wire.OK, 512)
	c.disc()
	for _, v := range c.tell(1 << 20).Violations() {
		if v.Side != "client" {
			t.Error(v)
		}
	}
}
