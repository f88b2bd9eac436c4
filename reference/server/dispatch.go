package server

import (
	"errors"

	"nbdconform/reference/export"
	"nbdconform/reference/server/internal/engine"
	"nbdconform/reference/wire"
)

// Who serves a request, and in which order replies are sent; section "Ordering of
// messages and writes" leaves it to the server.
//
// Requests to a disk that never waits are served inline, by the goroutine that
// reads them, and their replies are sent together as soon as no further request
// is at hand. All others go to workers, which reply when they are done. With
// Hooks.Reply there are no workers: requests are served one after the other.

// Limits of what is served inline, in bytes.
const (
	inlinePayload = wire.DefaultMaxPayload
	inlineRange   = 64 << 20
	uncounted     = 64 << 10 // memory that is not acquired
)

// quick reports whether q is served inline on a disk that never waits.
func quick(q *wire.Request) bool {
	return q.Length <= inlineRange && (q.Length <= inlinePayload || q.Type != wire.CmdRead && q.Type != wire.CmdWrite)
}

// acquire takes the memory that r needs from the limits of the connection, and
// waits while it has too little left. It reports false where the server as a
// whole has too little. Small requests that are served inline need none.
func (t *transmission) acquire(r *request) (ok bool) {
	n := requestMemory
	if r.command != nil && r.command.memory != nil {
		n = r.command.memory(t, &r.Request)
	}
	if r.inline && n <= uncounted {
		return true
	}
	r.held, ok = t.engine.Acquire(n)
	return ok
}

// dispatch serves r inline, or gives it to a worker, and waits while all are busy.
func (t *transmission) dispatch(r *request) (done bool, err error) {
	if r.inline || t.hooks.Reply != nil {
		return t.finish(r, t.serve(r))
	}
	select {
	case t.jobs <- r:
		return false, nil
	default:
	}
	if t.workers < t.srv.cfg.Workers {
		t.workers++
		t.working.Go(func() { t.work(r) })
		return false, nil
	}
	t.engine.Flush()
	t.jobs <- r
	return false, nil
}

// work is a worker, which begins with r.
func (t *transmission) work(r *request) {
	for ok := true; ok; r, ok = <-t.jobs {
		_, _ = t.finish(r, t.serve(r))
	}
}

// serve does what a request asks for and returns the reply, or nil if there is
// to be none.
func (t *transmission) serve(r *request) *engine.Reply {
	if t.gate != nil {
		if err := t.gate.Admit(r.Type, r.Offset, r.Length, t.transport.Done()); err != nil {
			return t.notAdmitted(r, err)
		}
	}
	switch {
	case r.command == nil: // hooks accept unknown commands
		return t.status(r, nil)
	case r.command.reply != nil:
		return r.command.reply(t, r)
	}
	return t.status(r, r.command.do(t, r))
}

// notAdmitted makes the reply to a request that the gate does not admit. The
// client gets the gate's error as it is, even where the command has no such error.
func (t *transmission) notAdmitted(r *request, err error) *engine.Reply {
	switch {
	case errors.Is(err, export.ErrHangup):
		t.transport.Close()
		return nil
	case errors.Is(err, export.ErrNoReply):
		return nil
	}
	e := wire.EIO
	errors.As(err, &e)
	return t.failureAs(r, e, err)
}

// finish sends the reply to r, unless it is nil. done ends the session.
func (t *transmission) finish(r *request, reply *engine.Reply) (done bool, err error) {
	if reply == nil {
		t.engine.Release(r.held)
		r.release()
		return false, nil
	}
	if t.hooks.Reply != nil {
		return t.exchange(r, reply)
	}
	held := r.held
	r.release() // its payload may be in the read buffer
	t.engine.Send(reply, held)
	return false, nil
}
