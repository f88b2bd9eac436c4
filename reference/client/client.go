package client

import (
	"bufio"
	"context"
	"net"
	"slices"
	"sync"
	"sync/atomic"

	"nbdconform/reference/wire"
)

// A Client is a session in the transmission phase. All methods can be called
// from several goroutines at once. It has to be ended with Disconnect or Close,
// unless it ended by itself: [Client.Done] tells.
type Client struct {
	conn       net.Conn
	r          *bufio.Reader // for receive alone
	cfg        Config
	export     Export
	size       atomic.Uint64 // of the export, bytes
	resizing   chan struct{} // holds one entry while a resize is under way
	structured bool          // replies come in chunks
	extended   bool          // extended headers were negotiated; structured is set too
	contexts   []wire.MetaContext
	names      map[uint32]string // of contexts, by id
	maxPayload uint64            // longest payload of one request, bytes
	maxEffect  uint64            // longest effect of one request without payload, bytes

	slots   chan struct{} // one entry for each transaction in flight
	sending sending

	mu       sync.Mutex
	inflight map[uint64]*transaction // by cookie
	free     []*transaction
	cookie   uint64        // of the last request
	err      *SessionError // why the session is over
	stopping *SessionError // why no request is taken any more, before it is over
	discSent bool
	drained  chan struct{} // closed when stopping and nothing is in flight

	stop  sync.Once       // starts the soft disconnect
	hurry context.Context // ends to have it done with now
	rush  context.CancelFunc
	done  chan struct{} // closed when receive ended: the session is over
}

func newClient(n *Negotiation, e Export, list []wire.MetaContext) *Client {
	c := &Client{
		conn: n.raw.conn, r: n.raw.r, cfg: n.cfg, export: e, structured: n.structured, extended: n.extended, contexts: list,
		names:    make(map[uint32]string, len(list)),
		slots:    make(chan struct{}, n.cfg.MaxInFlight),
		sending:  sending{turn: make(chan struct{}, 1)},
		inflight: make(map[uint64]*transaction),
		resizing: make(chan struct{}, 1),
		drained:  make(chan struct{}),
		done:     make(chan struct{}),
	}
	c.size.Store(e.Size)
	c.hurry, c.rush = context.WithCancel(context.Background())
	for _, m := range list {
		c.names[m.ID] = m.Name
	}
	c.maxPayload, c.maxEffect = requestSizes(e.Constraints, n.cfg.MaxRequest, n.extended)
	go c.receive()
	return c
}

// requestSizes are the longest payload and the longest effect of one request:
// multiples of the preferred block size where that leaves anything, and of the
// minimum block size in any case.
func requestSizes(s wire.SizeConstraints, most uint32, extended bool) (payload, effect uint64) {
	round := func(n uint64) uint64 {
		if n >= uint64(s.Preferred) {
			return n - n%uint64(s.Preferred)
		}
		return max(n-n%uint64(s.Minimum), uint64(s.Minimum))
	}
	effect = 1<<32 - 1
	if extended {
		effect = 1<<64 - 1
	}
	return round(uint64(min(s.MaxPayload, most))), round(effect)
}

// Export is what the server said about the export.
func (c *Client) Export() Export {
	e := c.export
	e.Infos, e.Size = slices.Clone(e.Infos), c.size.Load()
	return e
}

// Size is the size of the export, in bytes. It changes by Resize alone.
func (c *Client) Size() uint64 { return c.size.Load() }

// Flags are the transmission flags.
func (c *Client) Flags() wire.TransmissionFlags { return c.export.Flags }

// Constraints are the size constraints that requests are held to.
func (c *Client) Constraints() wire.SizeConstraints { return c.export.Constraints }

// Infos is all information that came in reply to NBD_OPT_GO.
func (c *Client) Infos() []wire.Info { return slices.Clone(c.export.Infos) }

// Structured reports whether replies come in chunks: structured replies or
// extended headers were negotiated.
func (c *Client) Structured() bool { return c.structured }

// Extended reports whether extended headers were negotiated.
func (c *Client) Extended() bool { return c.extended }

// Contexts are the metadata contexts that BlockStatus asks about.
func (c *Client) Contexts() []wire.MetaContext { return slices.Clone(c.contexts) }

// HasContext reports whether BlockStatus tells about the context of that name.
func (c *Client) HasContext(name string) bool {
	return slices.ContainsFunc(c.contexts, func(m wire.MetaContext) bool { return m.Name == name })
}

// Done is closed when the session is over and nothing of it is left.
func (c *Client) Done() <-chan struct{} { return c.done }

// Err is why the session is over, or nil before Done is closed. It is a
// [*SessionError]; errors.Is finds [ErrDisconnected] if all went well.
func (c *Client) Err() error {
	select {
	case <-c.done:
		return c.err
	default:
		return nil
	}
}
