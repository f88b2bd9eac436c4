package judge

import (
	"testing"

	"nbdconform/reference/wire"
)

// lba is the way to the transmission phase of the GET_LBA_STATUS draft.
func (c *conversation) lba() {
	c.opts.Dialect = wire.GetLBAStatus
	c.plain(all | wire.FlagSendGetLBAStatus)
}

func askLBA(kind wire.LBAType, offset, n uint64) wire.Request {
	return wire.Request{Type: wire.CmdGetLBAStatus, Flags: wire.CommandFlags(kind), Cookie: 1, Offset: offset, Length: n}
}

func (c *conversation) lbaStatus(e wire.Errno, list ...wire.LBADescriptor) {
	b := wire.SimpleReply{Error: e, Cookie: 1}.Append(nil)
	c.server(wire.LBAData(wire.LBAStatus(list).Append(nil)).Append(b))
}

var lbaTrips = []trip{
	{"LBA status is not advertised", []string{"client baseline.client.negotiate"}, func(c *conversation, bad bool) {
		c.opts.Dialect = wire.GetLBAStatus
		c.plain(pick[wire.TransmissionFlags](bad, all, all|wire.FlagSendGetLBAStatus))
		c.ask(askLBA(wire.LBAAllocated, 0, 512))
		c.lbaStatus(wire.OK, wire.LBADescriptor{Length: 512})
		c.disc()
	}},
	{"LBA status is of something else", []string{"server get-lba-status.range"}, func(c *conversation, bad bool) {
		c.lba()
		c.ask(askLBA(wire.LBAAllocated, 512, 512))
		c.lbaStatus(wire.OK, wire.LBADescriptor{Offset: 512, Length: 512}, wire.LBADescriptor{Offset: pick[uint64](bad, 1024, 1023), Length: 512})
		c.disc()
	}},
	{"LBA status ends within a descriptor", []string{"server get-lba-status.descriptors"}, func(c *conversation, bad bool) {
		c.lba()
		c.ask(askLBA(wire.LBAAllocated, 0, 512))
		b := wire.SimpleReply{Cookie: 1}.Append(nil)
		c.server(wire.LBAData(make([]byte, pick(bad, 13, 0))).Append(b))
		c.disc()
	}},
	{"LBA status that nobody can tell", []string{"server get-lba-status.unimplemented"}, func(c *conversation, bad bool) {
		c.lba()
		c.ask(askLBA(9, 512, 1024))
		c.lbaStatus(wire.OK, wire.LBADescriptor{Offset: 512, Length: 1024, Status: pick[uint16](bad, 1, 0)})
		c.disc()
	}},
	{"a provisioning state that there is not", []string{"server get-lba-status.allocated"}, func(c *conversation, bad bool) {
		c.lba()
		c.ask(askLBA(wire.LBAAllocated, 0, 1024))
		c.lbaStatus(wire.OK, wire.LBADescriptor{Length: 512, Status: 1}, wire.LBADescriptor{Offset: 512, Length: 512, Status: pick[uint16](bad, 3, 2)})
		c.disc()
	}},
	{"a dirtiness state that there is not", []string{"server get-lba-status.dirty"}, func(c *conversation, bad bool) {
		c.lba()
		c.ask(askLBA(wire.LBADirty, 0, 1024))
		c.lbaStatus(wire.OK, wire.LBADescriptor{Length: 1024, Status: pick[uint16](bad, 2, 1)})
		c.disc()
	}},
	{"DF, whose number is in use", []string{"client cmdflag.documented"}, func(c *conversation, bad bool) {
		c.lba()
		c.ask(wire.Request{Type: wire.CmdRead, Flags: pick(bad, wire.CmdFlagDF, 0), Cookie: 1, Length: 512})
		if bad {
			c.simple(1, wire.EINVAL, 0)
		} else {
			c.simple(1, wire.OK, 512)
		}
		c.disc()
	}},
	{"NO_HOLE before there was any", []string{"client cmdflag.documented"}, func(c *conversation, bad bool) {
		c.opts.Dialect = wire.WriteZeroesRFC
		c.plain(all)
		c.ask(wire.Request{Type: wire.CmdWriteZeroes, Flags: pick(bad, wire.CmdFlagNoHole, wire.CmdFlagFUA), Cookie: 1, Length: 512})
		c.simple(1, pick(bad, wire.EINVAL, wire.OK), 0)
		c.disc()
	}},
}

// Whatever is behind an error is skipped, and the connection may end there.
func TestLBAStatusFails(t *testing.T) {
	for _, bytes := range []int{1, 1 << 20} {
		c := new(conversation)
		c.lba()
		for _, data := range [][]byte{nil, {1, 2, 3}, make([]byte, 100)} {
			c.ask(askLBA(wire.LBAAllocated, 0, 512))
			c.server(wire.LBAData(data).Append(wire.SimpleReply{Error: wire.EIO, Cookie: 1}.Append(nil)))
		}
		c.ask(readAt(2, 0, 512))
		c.simple(2, wire.OK, 512)
		c.ask(askLBA(wire.LBADirty, 0, 512))
		c.simple(1, wire.EINVAL, 0)
		c.serverCloses()
		j := c.tell(bytes)
		for _, v := range j.Violations() {
			t.Error(v)
		}
		if by, lost := j.Lost(); lost {
			t.Errorf("lost by %q", by)
		}
	}
}

// Who was not told takes the command for what it is today.
func TestDialectsAreOptIn(t *testing.T) {
	c := new(conversation)
	c.lba()
	c.opts.Dialect = wire.Current
	c.ask(askLBA(wire.LBADirty, 0, 512))
	c.lbaStatus(wire.OK, wire.LBADescriptor{Length: 512})
	if len(c.tell(1<<20).Violations()) == 0 {
		t.Error("nothing is noticed")
	}
}
