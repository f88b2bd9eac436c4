package server

import (
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
// reads requests and checks them. Short operations on a disk that never
// waits are done there and then, and their replies go out together as soon
// as no further request is at hand. Everything else goes to workers, which
// reply when they are done.
type transmission struct {
	*conn
	disk       export.Export
	gate       export.Gate // or nil
	most       uint64      // that the disk was seen to have, bytes
	maxPayload uint64      // bytes of data in one request or reply
	minimum    uint64      // block size

	immediate bool // small operations need no worker
	writer    writer
	budget    budget
	jobs      chan *request
	workers   int
	working   sync.WaitGroup

	outbox outbox // with hooks only
}

// Bounds of what is done without a worker, in bytes.
const (
	immediatePayload = 128 << 10
	immediateRange   = 64 << 20
	flushAt          = 256 << 10 // replies that wait for company
)

// lastWords is how long the outstanding replies may take to be sent once the
// client has disconnected, or is hung up on.
const lastWords = 30 * time.Second

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
	if i, ok := t.disk.(export.Immediate); ok && t.gate == nil && buffered(socket(c.transport())) {
		t.immediate = i.Immediate()
	}
	t.outbox.over = make(chan struct{})
	t.budget.init(c.srv.cfg.InFlight)
	t.writer = writer{nc: c.transport(), join: c.TLS, budget: &t.budget, failed: c.close}
	t.rebuffer(transmitBuffer)

	err := t.loop()
	_ = t.nc.SetWriteDeadline(time.Now().Add(lastWords))
	close(t.jobs)
	t.working.Wait()
	t.writer.flush()
	t.outbox.finish(t)
	return err
}

// buffered reports whether the network takes replies while the client is
// still sending. On a net.Pipe each side waits for the other.
func buffered(nc net.Conn) bool {
	_, ok := nc.(syscall.Conn)
	return ok
}

// prefixed reads prefix first.
type prefixed struct {
	prefix []byte
	io.Reader
}

func (p *prefixed) Read(b []byte) (int, error) {
	if len(p.prefix) > 0 {
		n := copy(b, p.prefix)
		p.prefix = p.prefix[n:]
		return n, nil
	}
	return p.Reader.Read(b)
}

// loop reads requests until NBD_CMD_DISC, or an error.
func (t *transmission) loop() error {
	for {
		q, err := t.readHeader()
		if err != nil {
			return err
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
	if t.Extended {
		t.beforeReading(wire.ExtendedRequestSize)
		return wire.ReadExtendedRequest(t.br)
	}
	t.beforeReading(wire.RequestSize)
	return wire.ReadRequest(t.br)
}

// beforeReading sends the replies that wait, if reading n bytes may take a while.
func (t *transmission) beforeReading(n int) {
	if t.immediate && t.br.Buffered() < n {
		t.writer.flush()
	}
}

// request checks a request, gets its payload and has it done.
func (t *transmission) request(r *request) (done bool, err error) {
	if r.Type == wire.CmdDisc {
		return t.disconnect(r)
	}
	follows := r.PayloadLength(t.Extended)
	if err := t.checkAnnounced(follows); err != nil {
		return true, err
	}
	r.contexts = t.Contexts
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
		t.beforeReading(int(follows))
		if err := t.discard("request payload", follows); err != nil {
			return true, err
		}
		return t.finish(r, t.errorReply(r, e, text), true)
	}
	r.cost = t.estimate(&r.Request)
	if !t.budget.try(r.cost) {
		t.writer.flush()
		t.budget.take(r.cost)
	}
	if err := t.readPayload(r, int(follows)); err != nil {
		return true, err
	}
	switch {
	case t.hooks.Reply != nil, t.immediate && r.Length <= immediateRange &&
		(r.Length <= immediatePayload || r.Type != wire.CmdRead && r.Type != wire.CmdWrite):
		return t.finish(r, t.do(r), true)
	}
	t.dispatch(r)
	return false, nil
}

// readPayload reads the n bytes that follow the request.
func (t *transmission) readPayload(r *request, n int) error {
	if n == 0 {
		return nil
	}
	t.beforeReading(n)
	r.payload = getBuffer(n)
	r.payload.b = r.payload.b[:n]
	if _, err := io.ReadFull(t.br, r.payload.b); err != nil {
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
	t.writer.flush()
	t.jobs <- r
}

// work is a worker.
func (t *transmission) work(r *request) {
	for ok := true; ok; r, ok = <-t.jobs {
		_, _ = t.finish(r, t.do(r), false)
	}
}

// finish sends a reply, or leaves it for others to come along if the caller
// is the reading goroutine. A nil reply is none. done ends the session.
func (t *transmission) finish(r *request, reply *buffer, reading bool) (done bool, err error) {
	if reply == nil {
		t.budget.give(r.cost)
		r.release()
		return false, nil
	}
	if t.hooks.Reply != nil {
		return t.exchange(r, reply)
	}
	reply.cost = r.cost
	r.release()
	if n := t.writer.add(reply); !reading || !t.immediate || n >= flushAt {
		t.writer.flush()
	}
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
		if err := t.gate.Admit(r.Type, r.Offset, r.Length); err != nil {
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
