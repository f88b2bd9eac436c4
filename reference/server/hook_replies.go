package server

import (
	"sync"
	"time"

	"nbdconform/reference/server/internal/engine"
)

// exchange calls Hooks.Reply with the reply to r and sends what it leaves. The
// reply to NBD_CMD_DISC is nil.
func (t *transmission) exchange(r *request, reply *engine.Reply) (done bool, err error) {
	x := &Exchange{Session: &t.Session, Request: r.received}
	if reply == nil {
		x.Hangup = true
	} else {
		x.Replies = parseMessages(reply.Bytes)
	}
	x.Payload = r.payload.Data
	t.hooks.Reply(x)
	x.Payload = nil
	b := x.Bytes()
	if reply != nil {
		reply.Release()
	}
	t.engine.Release(r.held)
	r.release()
	if x.Delay > 0 && !x.Hangup {
		t.hooked.later(t, &x.Answer, b)
		return false, nil
	}
	return t.hooked.send(t, &x.Answer, b)
}

// hookedReplies are the replies that hooks delay or hold.
type hookedReplies struct {
	mu      sync.Mutex
	held    []held
	delayed sync.WaitGroup
	over    chan struct{} // closed when the session ends
}

type held struct {
	answer  Answer
	message []byte
}

// send sends a reply, and after it those that were held; or holds it.
func (h *hookedReplies) send(t *transmission, a *Answer, message []byte) (done bool, err error) {
	if hold := a.Hold; hold > 0 {
		a.Hold = 0
		h.mu.Lock()
		h.held = append(h.held, held{*a, message})
		h.mu.Unlock()
		h.delayed.Go(func() {
			timer := time.NewTimer(hold)
			defer timer.Stop()
			select {
			case <-timer.C:
			case <-h.over:
			}
			_, _ = h.release(t)
		})
		return false, nil
	}
	if done, err := h.put(t, a, message); done || err != nil {
		return done, err
	}
	return h.release(t)
}

// later sends a reply after its delay.
func (h *hookedReplies) later(t *transmission, a *Answer, message []byte) {
	h.delayed.Go(func() {
		t.transport.Sleep(a.Delay)
		a.Delay = 0
		if done, _ := h.send(t, a, message); done {
			t.transport.Close() // it was a crash, or the like
		}
	})
}

// release sends all that is held.
func (h *hookedReplies) release(t *transmission) (done bool, err error) {
	h.mu.Lock()
	list := h.held
	h.held = nil
	h.mu.Unlock()
	for _, x := range list {
		d, e := h.put(t, &x.answer, x.message)
		done = done || d
		if err == nil {
			err = e
		}
	}
	return done, err
}

func (h *hookedReplies) put(t *transmission, a *Answer, message []byte) (done bool, err error) {
	if err := t.conn.send(a, message); err != nil {
		return true, err
	}
	return t.after(a)
}

// finish sends what is still held, at the end of the session, and waits for
// what is delayed.
func (h *hookedReplies) finish(t *transmission) {
	close(h.over)
	_, _ = h.release(t)
	h.delayed.Wait()
}
