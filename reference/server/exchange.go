package server

import (
	"sync"
	"time"
)

// exchange shows a reply to the hook and sends what is left of it. A nil
// reply is that to NBD_CMD_DISC.
func (t *transmission) exchange(r *request, reply *buffer) (done bool, err error) {
	x := &Exchange{Session: &t.Session, Request: r.received}
	if reply == nil {
		x.Hangup = true
	} else {
		x.Replies = parseMessages(reply.b)
	}
	x.Payload = r.data
	t.hooks.Reply(x)
	x.Payload = nil
	b := x.Bytes()
	if reply != nil {
		putBuffer(reply)
	}
	t.budget.give(r.cost)
	r.release()
	if x.Delay > 0 && !x.Hangup {
		t.outbox.later(t, &x.Answer, b)
		return false, nil
	}
	return t.outbox.send(t, &x.Answer, b)
}

// An outbox has the replies that hooks delay or keep back.
type outbox struct {
	mu      sync.Mutex
	held    []held
	delayed sync.WaitGroup
	over    chan struct{} // closed when the session ends
}

type held struct {
	answer  Answer
	message []byte
}

// send sends a reply, and behind it those that were held; or holds it.
func (o *outbox) send(t *transmission, a *Answer, message []byte) (done bool, err error) {
	if hold := a.Hold; hold > 0 {
		a.Hold = 0
		o.mu.Lock()
		o.held = append(o.held, held{*a, message})
		o.mu.Unlock()
		o.delayed.Go(func() {
			timer := time.NewTimer(hold)
			defer timer.Stop()
			select {
			case <-timer.C:
			case <-o.over:
			}
			_, _ = o.release(t)
		})
		return false, nil
	}
	if done, err := o.put(t, a, message); done || err != nil {
		return done, err
	}
	return o.release(t)
}

// later sends a reply after its delay.
func (o *outbox) later(t *transmission, a *Answer, message []byte) {
	o.delayed.Go(func() {
		t.sleep(a.Delay)
		a.Delay = 0
		if done, _ := o.send(t, a, message); done {
			t.close() // it was a crash, or the like
		}
	})
}

// release sends all that is held.
func (o *outbox) release(t *transmission) (done bool, err error) {
	o.mu.Lock()
	list := o.held
	o.held = nil
	o.mu.Unlock()
	for _, h := range list {
		d, e := o.put(t, &h.answer, h.message)
		done = done || d
		if err == nil {
			err = e
		}
	}
	return done, err
}

func (o *outbox) put(t *transmission, a *Answer, message []byte) (done bool, err error) {
	if err := t.conn.send(a, message); err != nil {
		return true, err
	}
	return t.after(a)
}

// finish sends what is still held, at the end of the session, and waits for
// what is delayed.
func (o *outbox) finish(t *transmission) {
	close(o.over)
	_, _ = o.release(t)
	o.delayed.Wait()
}
