package engine

import (
	"io"
	"time"

	"nbdconform/reference/server/internal/socket"
	"nbdconform/reference/wire"
)

// Sizes, in bytes.
const (
	// ReadAhead is how much is read from a blocking socket at once: dozens of
	// small requests with a single system call. As many replies are sent together.
	ReadAhead = 256 << 10

	plainReadAhead = 32 << 10 // of other transports
)

// A Config says how a connection is to be read and written.
type Config struct {
	Shared   *Shared // limits of all connections together
	InFlight int     // limit of what Acquire hands out, bytes

	Extended   bool   // requests have the extended header
	Received   []byte // read from the transport before; comes first, and is copied
	SingleSend bool   // replies are copied together for one write, as TLS makes a record of each

	// Block allows to take the socket from the runtime's poller. Nothing else may
	// have it, and no deadlines work any more.
	Block bool
	// Spin is how long a blocking socket polls before it blocks; 0: 20 microseconds.
	Spin time.Duration
}

const defaultSpin = 20 * time.Microsecond

// A Conn is a connection in the transmission phase. One goroutine at a time may
// read, and make and send batched replies.
type Conn struct {
	in       input
	out      sender
	blocking *socket.Socket // nil: the runtime's poller
	budget   budget
	header   int // of a request, bytes
	parse    func([]byte) (wire.Request, int, error)

	batch   *Reply // batched replies that are not sent yet; nil: none
	batched int    // how many these are
	target  batchSize
}

// Start begins to read requests from t. The error is net.ErrClosed if t is
// closed. When sending fails, it closes t.
func Start(t *Transport, cfg Config) (*Conn, error) {
	c := &Conn{header: wire.RequestSize, parse: wire.ParseRequest}
	if cfg.Extended {
		c.header, c.parse = wire.ExtendedRequestSize, wire.ParseExtendedRequest
	}
	if cfg.Block {
		if cfg.Spin == 0 {
			cfg.Spin = defaultSpin
		}
		if c.blocking = cfg.Shared.take(t.Conn(), cfg.Spin); c.blocking != nil {
			if err := t.Replace(c.blocking); err != nil {
				return nil, err
			}
		}
	}
	c.budget.init(cfg.InFlight, cfg.Shared)
	c.out.init(t, c.blocking, cfg.SingleSend, &c.budget)
	c.in.init(t.Conn(), c.blocking, cfg.Received)
	return c, nil
}

// Close gives back all memory. It does not close the transport. Nothing may be
// read or sent any more.
func (c *Conn) Close() {
	c.budget.close()
	c.in.close()
}

// ReadRequest reads the header of a request. At the end of the stream the error
// is io.EOF, within a header io.ErrUnexpectedEOF; it is a *[wire.FormatError] as
// soon as the bytes can be no header.
func (c *Conn) ReadRequest() (wire.Request, error) {
	c.beforeReading(c.header)
	return c.in.request(c.parse)
}

// A Payload is what followed a request. Its zero value is empty.
type Payload struct {
	Data []byte  // good until Release or, if it was read in place, until more is read
	own  *buffer // nil: none, or Data is in the read buffer
}

// Release gives back the memory of the payload, and empties it.
func (p *Payload) Release() {
	if p.own != nil {
		p.own.release()
	}
	*p = Payload{}
}

// ReadPayload reads n bytes into p, which is empty. inPlace says that p may
// alias the read buffer: the caller is done with it before it reads on.
func (c *Conn) ReadPayload(p *Payload, n int, inPlace bool) (err error) {
	c.beforeReading(n)
	if inPlace && c.in.fits(n) {
		p.Data, err = c.in.peek(n)
		c.in.skip(len(p.Data))
		return err
	}
	p.own = newBuffer(n)
	p.Data = p.own.b[:n]
	_, err = io.ReadFull(&c.in, p.Data)
	return err
}

// Storage is where a payload is received into without a copy. [export.Pages] is.
type Storage interface {
	// Next returns room for the next bytes, piece by piece: for at least the
	// given number of them, or for all that are left. At the end there is none.
	Next(least uint64) [][]byte
}

// ReadInto reads a payload of n bytes into s, which has room for just that many.
// It needs [Conn.Direct].
func (c *Conn) ReadInto(s Storage, n int) (err error) {
	c.beforeReading(n)
	for parts := s.Next(ReadAhead); len(parts) > 0 && err == nil; parts = s.Next(ReadAhead) {
		err = c.in.scatter(parts, c.header)
	}
	return err
}

// Direct reports whether the transport is a plain socket: payload is received
// and replies are sent without a copy only there.
func (c *Conn) Direct() bool { return c.in.receiver != nil }

// Discard reads n bytes and drops them.
func (c *Conn) Discard(n uint64) error {
	c.beforeReading(int(n))
	return c.in.discard(n)
}

// Read reads bytes that belong to no request. It does not send batched replies
// first.
func (c *Conn) Read(b []byte) (int, error) { return c.in.Read(b) }
