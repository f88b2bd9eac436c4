package server

import (
	"bufio"
	"fmt"
	"sync"
	"time"

	"nbdconform/reference/export"
	"nbdconform/reference/server/internal/engine"
	"nbdconform/reference/wire"
)

// A transmission is the second phase of a connection. One goroutine, loop, reads
// requests and checks them; see dispatch.go for who serves them, and in which
// order. Section "Transmission".
type transmission struct {
	*conn
	engine     *engine.Conn
	disk       export.Export
	memory     *export.Memory // the disk itself, if data is sent from and received into it without a copy; or nil
	gate       export.Gate    // or nil
	largest    uint64         // size that the disk was seen to have, bytes
	maxPayload uint64         // data in one request or reply, bytes
	minimum    uint64         // block size, bytes

	immediate bool // most requests need no worker
	trace     bool // requests are logged
	jobs      chan *request
	workers   int
	working   sync.WaitGroup

	hooked hookedReplies // with hooks only
}

// closeTimeout is how long the outstanding requests may take, and the replies to
// them to be sent, once the client has disconnected or the session was ended.
var closeTimeout = 30 * time.Second

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
	t.largest = t.disk.Size()
	t.trace = t.tracing()
	t.logTransmission()
	if i, ok := t.disk.(export.Immediate); ok && t.gate == nil && c.transport.Buffers() {
		t.immediate = i.Immediate()
	}
	t.hooked.over = make(chan struct{})
	if err := t.start(); err != nil {
		return err
	}
	defer t.engine.Close()

	err := t.loop()
	timeout := time.AfterFunc(closeTimeout, t.transport.Close)
	defer timeout.Stop()
	close(t.jobs)
	t.engine.Flush()
	t.working.Wait()
	t.hooked.finish(t)
	return err
}

// start has the engine take over from the handshake.
func (t *transmission) start() (err error) {
	received, _ := t.br.Peek(t.br.Buffered())
	t.engine, err = engine.Start(t.transport, engine.Config{
		Shared: t.srv.shared, InFlight: t.srv.cfg.InFlight,
		Extended: t.Extended, Received: received, SingleSend: t.TLS,
		Block: t.owned && t.hooks.Reply == nil,
	})
	if err != nil {
		return err
	}
	if t.engine.Direct() {
		t.memory, _ = t.disk.(*export.Memory) // and not what only embeds one
	}
	t.br = bufio.NewReaderSize(t.engine, 16) // for stall
	return nil
}

// loop reads requests until NBD_CMD_DISC, or an error.
func (t *transmission) loop() error {
	for {
		q, err := t.engine.ReadRequest()
		if err != nil {
			return err
		}
		t.requests++
		if t.trace {
			t.logRequest(&q)
		}
		r := newRequest(q)
		if t.hooks.Request != nil {
			t.hooks.Request(&t.Session, &r.Request)
		}
		if done, err := t.request(r); done || err != nil {
			return err
		}
	}
}

// request checks a request, reads its payload and has it served. A request that
// is refused is followed by its payload all the same. Section "Request message".
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
	r.command = t.command(r.Type)
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
		e, text = t.check(&r.Request, r.command)
	}
	if e != wire.OK {
		return t.refuse(r, follows, e, text)
	}
	r.inline = r.inline && quick(&r.Request)
	if !t.acquire(r) {
		return t.refuse(r, follows, wire.ENOMEM, "the requests of all clients take all memory that the server has for them")
	}
	if err := t.readPayload(r, int(follows)); err != nil {
		return true, err
	}
	return t.dispatch(r)
}

// refuse drops the n bytes of payload that follow r, and replies with an error.
func (t *transmission) refuse(r *request, n uint64, e wire.Errno, text string) (done bool, err error) {
	if err := t.discardPayload(n); err != nil {
		return true, err
	}
	return t.finish(r, t.errorReply(r, e, text))
}

// discardPayload reads n bytes of payload and drops them, so that the stream
// stays in sync.
func (t *transmission) discardPayload(n uint64) error {
	const what = "request payload"
	if err := t.checkDiscard(what, n); err != nil {
		return err
	}
	if err := t.engine.Discard(n); err != nil {
		return fmt.Errorf("discarding %d bytes of %s: %w", n, what, err)
	}
	return nil
}
