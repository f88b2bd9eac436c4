package model

import (
	"nbdconform/conformance/clause"
	"nbdconform/reference/wire"
)

// A Conn is one connection as its server has to see it.
type Conn struct {
	m  *Model
	id int

	Structured bool
	Extended   bool
	TLS        bool

	// Contexts are those that the last NBD_OPT_SET_META_CONTEXT selected; in
	// the transmission phase: those that NBD_CMD_BLOCK_STATUS answers for.
	Contexts    []wire.MetaContext
	contextsFor string

	// Of exports that seem to need TLS, before there is any:
	demands map[string]demand
	shown   []string // that the server is known to have
	hidden  []string // that it is not

	// Of the transmission phase:
	Entered bool
	Name    string
	Size    uint64 // grows and shrinks with NBD_CMD_RESIZE
	Flags   wire.TransmissionFlags
	sizes   *wire.SizeConstraints // that hold, as far as anybody was told
	asked   bool                  // somebody asked for them: what was not told is as by default
	most    uint64                // that the export was seen to have
	disk    *disk
	unsure  bool // what was negotiated is unknown
	waiting []*Request
}

// Connect is a new connection.
func (m *Model) Connect() *Conn {
	m.conns++
	return &Conn{m: m, id: m.conns, disk: &disk{stranger: true}}
}

// Upgraded tells that TLS runs: what was negotiated before is void.
func (c *Conn) Upgraded() {
	*c = Conn{m: c.m, id: c.id, TLS: true, disk: c.disk}
}

// Unsure tells that the server saw something else than the model did:
// what it does on this connection can't be predicted any more.
func (c *Conn) Unsure() { c.unsure = true }

// Limit is the largest payload that the server said it takes, or should take.
func (c *Conn) Limit() uint64 {
	if c.sizes != nil {
		return uint64(c.sizes.MaxPayload)
	}
	return wire.DefaultMaxPayload
}

// Minimum is the minimum block size that the server told; strict says that it
// did, otherwise it is the default of 1.
func (c *Conn) Minimum() (n uint64, strict bool) {
	if c.sizes != nil && c.sizes.Minimum > 0 {
		return uint64(c.sizes.Minimum), true
	}
	return 1, false
}

// enter begins the transmission phase.
func (c *Conn) enter(name string, size uint64, flags wire.TransmissionFlags) {
	f := c.fact(c.m.key(name))
	c.Entered, c.Name, c.Size, c.Flags, c.sizes, c.asked, c.most = true, name, size, flags, f.sizes, f.asked, size
	c.disk = c.m.disk(name)
	if c.contextsFor != name {
		c.Contexts = nil
	}
}

// End tells that the connection is over. What it sent and got no answer to
// may still happen, at any time.
func (c *Conn) End() {
	for _, r := range c.waiting {
		if r.changes() {
			c.disk.put(run{from: r.span.From, to: r.span.To, kind: undefined, by: nobody})
		} else {
			c.disk.remove(r)
		}
	}
	c.waiting = nil
}

func (d *disk) remove(r *Request) {
	for i, q := range d.inflight {
		if q == r {
			d.inflight = append(d.inflight[:i], d.inflight[i+1:]...)
			return
		}
	}
}

// visible reports whether the connection has to see r.
func (c *Conn) visible(r run) bool {
	return r.by == nobody || r.by == c.id || r.settled && c.Flags&wire.FlagCanMultiConn != 0
}

// clauses that don't depend on anything.
const (
	clauseRead  clause.ID = "baseline.server.read"
	clauseWrite clause.ID = "baseline.server.write"
)
