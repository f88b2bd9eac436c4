package server

import (
	"testing"

	"nbdconform/reference/export"
	"nbdconform/reference/wire"
)

// lbaPeer is in transmission with a server that speaks the GET_LBA_STATUS draft.
func lbaPeer(t *testing.T, change func(*Config)) *peer {
	cfg := oneExport(1 << 20)
	cfg.Dialect = wire.GetLBAStatus
	change(&cfg)
	_, ln := serve(t, cfg)
	return dial(t, ln)
}

func TestDialectWithoutChunks(t *testing.T) {
	p := lbaPeer(t, func(*Config) {}).greet()
	for _, o := range []wire.Option{wire.OptStructuredReply, wire.OptExtendedHeaders, wire.OptListMetaContext, wire.OptSetMetaContext} {
		p.want(p.option(o, nil), wire.RepErrUnsup)
	}
}

// lba asks and returns the error and what follows the header.
func (p *peer) lba(kind wire.LBAType, offset, length uint64) (wire.Errno, wire.LBAStatus) {
	p.t.Helper()
	q := wire.Request{Type: wire.CmdGetLBAStatus, Flags: wire.CommandFlags(kind), Cookie: 5, Offset: offset, Length: length}
	r := p.do(q, nil)
	d, err := wire.ReadLBAData(p.br, wire.DefaultLimits)
	if err != nil {
		p.t.Fatal(err)
	}
	s, err := wire.ParseLBAStatus(d)
	if err != nil {
		p.t.Fatal(err)
	}
	return r.Err, s
}

func TestLBAStatusErrorsStayInStep(t *testing.T) {
	p := lbaPeer(t, func(c *Config) {
		c.Exports[0].Constraints = wire.SizeConstraints{Minimum: 4096, Preferred: 4096, MaxPayload: 1 << 20}
	}).enter(false)
	for _, e := range []struct {
		offset, length uint64
		want           wire.Errno
		descriptors    int
	}{
		{1 << 20, 4096, wire.EINVAL, 0},
		{1 << 63, 4096, wire.EINVAL, 0},
		{512, 4096, wire.EINVAL, 0},
		{0, 0, wire.OK, 0},
		{0, 4096, wire.OK, 1},
	} {
		for _, kind := range []wire.LBAType{wire.LBAAllocated, wire.LBADirty, 0xffff} {
			got, s := p.lba(kind, e.offset, e.length)
			if got != e.want || len(s) != e.descriptors && e.length > 0 {
				t.Errorf("%v of %d+%d: %v, %v", kind, e.offset, e.length, got, s)
			}
		}
	}
}

func TestLBAStatusOfABrokenDisk(t *testing.T) {
	p := lbaPeer(t, func(c *Config) { c.Exports[0].Disk = blind{c.Exports[0].Disk} }).enter(false)
	if got, s := p.lba(wire.LBAAllocated, 0, 4096); got != wire.EIO || len(s) != 0 {
		t.Errorf("%v, %v", got, s)
	}
}

// blind is a disk that can't tell what is on it.
type blind struct{ export.Export }

func (blind) Extents([]wire.Extent, string, uint64, uint64, int) ([]wire.Extent, error) {
	return nil, wire.EIO
}

func TestLBAStatusIsOmitted(t *testing.T) {
	p := lbaPeer(t, func(c *Config) { c.Exports[0].Omit = wire.FlagSendGetLBAStatus }).enter(false)
	if got, _ := p.lba(wire.LBAAllocated, 0, 4096); got != wire.EINVAL {
		t.Errorf("got %v", got)
	}
}

func TestDialectsThatDoNotExist(t *testing.T) {
	cfg := oneExport(1 << 20)
	cfg.Dialect = 77
	if _, err := New(cfg); err == nil {
		t.Error("a server speaks it")
	}
}

// A server of today has block status in the place of the draft's command.
func TestDialectsAreOptIn(t *testing.T) {
	_, ln := serve(t, oneExport(1<<20))
	p := dial(t, ln).enter(false)
	if r := p.do(wire.Request{Type: wire.CmdGetLBAStatus, Cookie: 1, Length: 512}, nil); r.Err != wire.EINVAL {
		t.Errorf("got %v", r.Err)
	}
	if r := p.do(wire.Request{Type: wire.CmdRead, Cookie: 2, Length: 512}, nil); r.Err != wire.OK {
		t.Errorf("out of sync: %v", r.Err)
	}
}
