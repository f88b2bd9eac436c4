package server

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"syscall"
	"time"

	"nbdconform/reference/export"
	"nbdconform/reference/wire"
)

// A transmission is the second phase of a connection. One goroutine, loop,
// reads requests and checks them. Operations on a disk that never waits are
// done there and then, and their replies go out together as soon as no further
// request is at hand. Everything else goes to workers, which reply when they
// are done.
type transmission struct {
	*conn
	disk       export.Export
	memory     *export.Memory // the disk itself, if bytes move between it and the network directly; or nil
	gate       export.Gate    // or nil
	most       uint64         // that the disk was seen to have, bytes
	maxPayload uint64         // bytes of data in one request or reply
	minimum    uint64         // block size

	in        *inbox
	immediate bool    // most operations need no worker
	batch     *buffer // replies of loop that are not sent yet; nil: none
	waiting   int     // how many these are
	patience  patience
	trace     bool // log requests
	writer    writer
	budget    budget
	jobs      chan *request
	workers   int
	working   sync.WaitGroup

	outbox outbox // with hooks only
}

// Bounds of what is done without a worker, in bytes.
const (
	immediatePayload = wire.DefaultMaxPayload
	immediateRange   = 64 << 20
	trifle           = 64 << 10 // that the budget is not bothered with
	directAt         = 32 << 10 // data that is worth more than a copy
)

// maxLines is how many connections of a server have lines at the same time:
// each keeps a thread of the system, and has larger buffers than others.
const maxLines = 64

// lastWords is how long the outstanding requests may take, and the replies to
// them to be sent, once the client has disconnected or is hung up on.
var lastWords = 30 * time.Second

// transmission serves requests until the session ends.
func (c *conn) transmission() error {
	t := &transmission{
		conn: c, disk: c.Export.Disk, gate: c.Export.Gate, jobs: make(chan *request),
		maxPayload: uint64(min(c.Export.Constraints.MaxPayload, c.srv.cfg.PayloadLimit)),
		minimum:    uint64(c.Export.Constraints.Minimum),
	}
	if c.hooks.Wrap != nil {
		t.disk = c.hooks.Wrap(t.disk)
	}
	t.most = t.disk.Size()
	t.trace = t.tracing()
	t.logTransmission()
	if i, ok := t.disk.(export.Immediate); ok && t.gate == nil && buffered(socket(c.transport())) {
		t.immediate = i.Immediate()
	}
	if err := c.takeLine(); err != nil {
		return err
	}
	t.outbox.over = make(chan struct{})
	t.budget.init(c.srv.cfg.InFlight, &c.srv.reserve)
	t.writer.init(c.transport(), c.TLS, &t.budget, c.close)
	already, _ := c.br.Peek(c.br.Buffered())
	t.in = newInbox(c.transport(), already)
	defer t.in.close()
	if t.in.poll != nil {
		t.memory, _ = t.disk.(*export.Memory) // and not what only embeds one
	}
	c.br = bufio.NewReaderSize(t.in, 16) // for stall

	err := t.loop()
	last := time.AfterFunc(lastWords, t.close)
	defer last.Stop()
	close(t.jobs)
	t.flush()
	t.working.Wait()
	t.outbox.finish(t)
	t.budget.close()
	return err
}

// buffered reports whether the network takes replies while the client is
// still sending. On a net.Pipe each side waits for the other.
func buffered(nc net.Conn) bool {
	_, ok := nc.(syscall.Conn)
	return ok
}

// loop reads requests until NBD_CMD_DISC, or an error.
func (t *transmission) loop() error {
	for {
		q, err := t.readHeader()
		if err != nil {
			return err
		}
		t.requests++
		if t.trace {
			t.logRequest(&q)
		}
		r := requests.Get().(*request)
		r.Request, r.received = q, q
		if t.hooks.Request != nil {
			t.hooks.Request(&t.Session, &r.Request)
		}
		if done, err := t.request(r); done || err != nil {
			return err
		}
	}
}

// readHeader reads the header of a request, of the size that was negotiated.
func (t *transmission) readHeader() (wire.Request, error) {
	t.beforeReading(t.headerSize())
	return t.in.request(t.Extended)
}

func (t *transmission) headerSize() int {
	if t.Extended {
		return wire.ExtendedRequestSize
	}
	return wire.RequestSize
}

// beforeReading sends the replies that wait, if reading n bytes may take a while.
func (t *transmission) beforeReading(n int) {
	if t.batch == nil {
		return
	}
	l, ok := t.writer.nc.(*line)
	patient := ok && t.batch.size() < trifle && t.in.fits(n)
	for len(t.in.bytes()) < n {
		if patient && t.waiting < t.patience.want && l.soon() && t.in.fill() == nil {
			continue // which may be less than n
		}
		if patient {
			t.patience.learn(t.waiting)
		}
		t.flush()
		return
	}
}

// flush sends the replies that loop has collected.
func (t *transmission) flush() {
	if b := t.batch; b != nil {
		t.batch, t.waiting = nil, 0
		t.writer.send(b)
	}
}

// room returns a buffer that takes n more bytes of the reply to r, behind what
// is in it: replies of loop share one.
func (t *transmission) room(r *request, n int) *buffer {
	if !r.inline {
		return getBuffer(n)
	}
	if t.batch != nil && cap(t.batch.b)-len(t.batch.b) < n {
		t.flush()
	}
	if t.batch == nil {
		t.batch = getBuffer(max(n, t.in.ahead))
	}
	return t.batch
}

// abandon takes back what was put into b, as far as before.
func (t *transmission) abandon(r *request, b *buffer, before int) {
	b.b = b.b[:before]
	if !r.inline {
		putBuffer(b)
	}
}

// discard reads n bytes that nobody wants, so that the stream stays in step.
func (t *transmission) discard(what string, n uint64) error {
	if n > uint64(t.srv.cfg.DiscardLimit) {
		return &wire.TooLongError{What: what, Length: n, Limit: uint64(t.srv.cfg.DiscardLimit)}
	}
	t.beforeReading(int(n))
	if err := t.in.discard(n); err != nil {
		return fmt.Errorf("discarding %d bytes of %s: %w", n, what, err)
	}
	return nil
}

// request checks a request, gets its payload and has it done.
func (t *transmission) request(r *request) (done bool, err error) {
	if r.Type == wire.CmdDisc {
		return t.disconnect(r)
	}
	if t.Extended && t.srv.cfg.UnannouncedWrites && r.Type == wire.CmdWrite {
		r.Flags |= wire.CmdFlagPayloadLen
	}
	follows := r.PayloadLength(t.Extended)
	if err := t.checkAnnounced(follows); err != nil {
		return true, err
	}
	r.contexts = t.Contexts
	r.inline = t.immediate && t.hooks.Reply == nil
	e, text := wire.OK, ""
	if t.hasFilter(&r.Request) {
		if e, text, err = t.filter(r, follows); err != nil {
			return true, err
		}
		follows = 0
	}
	if e == wire.OK {
		e, text = t.check(&r.Request)
	}
	if e != wire.OK {
		if err := t.discard("request payload", follows); err != nil {
			return true, err
		}
		return t.finish(r, t.errorReply(r, e, text))
	}
	r.inline = r.inline && quick(&r.Request)
	if !t.charge(r) {
		if err := t.discard("request payload", follows); err != nil {
			return true, err
		}
		return t.finish(r, t.errorReply(r, wire.ENOMEM, "the requests of all clients take all memory that is there for them"))
	}
	if err := t.readPayload(r, int(follows)); err != nil {
		return true, err
	}
	if r.inline || t.hooks.Reply != nil {
		return t.finish(r, t.do(r))
	}
	t.dispatch(r)
	return false, nil
}

// quick reports whether q is done without a worker on a disk that never waits.
func quick(q *wire.Request) bool {
	return q.Length <= immediateRange && (q.Length <= immediatePayload || q.Type != wire.CmdRead && q.Type != wire.CmdWrite)
}

// charge takes what r costs from the budget, and waits while that is too much;
// more than there ever is counts as all. Where the server as a whole has no more
// it reports false.
func (t *transmission) charge(r *request) bool {
	cost := min(t.estimate(&r.Request), t.budget.all)
	if r.inline && cost <= trifle {
		return true
	}
	if !t.budget.try(cost) {
		t.flush() // which may be what has the rest of the budget
		t.budget.take(cost)
	}
	if !t.srv.reserve.take(cost) {
		t.budget.untake(cost)
		return false
	}
	r.cost = cost
	return true
}

// readPayload reads the n bytes that follow the request.
func (t *transmission) readPayload(r *request, n int) (err error) {
	if n == 0 {
		return nil
	}
	t.beforeReading(n)
	switch {
	case r.inline && t.memory != nil && n >= directAt && r.Type == wire.CmdWrite:
		r.pages = storage.Get().(*export.Pages)
		r.pages.Start(r.Offset, uint64(n))
		for parts := r.pages.Next(readAhead); len(parts) > 0 && err == nil; parts = r.pages.Next(readAhead) {
			err = t.in.scatter(parts, t.headerSize())
		}
	case r.inline && t.in.fits(n):
		r.data, err = t.in.peek(n)
		t.in.skip(len(r.data)) // it stays where it is until more is read
	default:
		r.payload = getBuffer(n)
		r.data = r.payload.b[:n]
		_, err = io.ReadFull(t.in, r.data)
	}
	if err != nil {
		return fmt.Errorf("reading the %d bytes of %v: %w", n, r.Type, err)
	}
	return nil
}

// dispatch gives r to a worker; it waits while all are busy.
func (t *transmission) dispatch(r *request) {
	select {
	case t.jobs <- r:
		return
	default:
	}
	if t.workers < t.srv.cfg.Workers {
		t.workers++
		t.working.Go(func() { t.work(r) })
		return
	}
	t.flush()
	t.jobs <- r
}

// work is a worker.
func (t *transmission) work(r *request) {
	for ok := true; ok; r, ok = <-t.jobs {
		_, _ = t.finish(r, t.do(r))
	}
}

// finish sends a reply, or leaves it for others to come along. A nil reply is
// none. done ends the session.
func (t *transmission) finish(r *request, reply *buffer) (done bool, err error) {
	if reply == nil {
		t.budget.give(r.cost)
		r.release()
		return false, nil
	}
	if t.hooks.Reply != nil {
		return t.exchange(r, reply)
	}
	reply.cost += r.cost
	inline := r.inline
	r.release()
	if inline {
		t.waiting++
		if reply.size() >= readAhead {
			t.flush()
		}
		return false, nil
	}
	t.writer.add(reply)
	t.writer.flush()
	return false, nil
}

// disconnect ends the session: all outstanding requests are handled before
// the connection closes. Section "NBD_CMD_DISC".
func (t *transmission) disconnect(r *request) (done bool, err error) {
	if t.hooks.Reply == nil {
		r.release()
		return true, nil
	}
	return t.exchange(r, nil)
}

// do does what a request asks for and returns the encoded reply, or nil if
// there is to be none.
func (t *transmission) do(r *request) *buffer {
	if t.gate != nil {
		if err := t.gate.Admit(r.Type, r.Offset, r.Length, t.gone); err != nil {
			return t.barred(r, err)
		}
	}
	switch r.Type {
	case wire.CmdRead:
		return t.read(r)
	case wire.CmdWrite:
		return t.status(r, t.write(r))
	case wire.CmdFlush:
		return t.status(r, t.disk.Flush())
	case wire.CmdTrim:
		return t.status(r, t.trim(r))
	case wire.CmdCache:
		return t.status(r, t.cache(r))
	case wire.CmdWriteZeroes:
		return t.status(r, t.writeZeroes(r))
	case wire.CmdBlockStatus:
		if t.isLBAStatus(&r.Request) {
			return t.lbaStatus(r)
		}
		return t.blockStatus(r)
	case wire.CmdResize:
		return t.status(r, t.resize(r))
	}
	return t.status(r, nil) // an unknown command, and hooks that let it pass
}

// barred is what becomes of a request that the gate does not admit. The gate's
// error goes to the client as it is, even where it is not one for the command.
func (t *transmission) barred(r *request, err error) *buffer {
	switch {
	case errors.Is(err, export.ErrHangup):
		t.close()
		return nil
	case errors.Is(err, export.ErrNoReply):
		return nil
	}
	e := wire.EIO
	errors.As(err, &e)
	return t.failureAs(r, e, err)
}
