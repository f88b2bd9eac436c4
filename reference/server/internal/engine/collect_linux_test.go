package engine

import (
	"io"
	"testing"
	"time"

	"nbdconform/reference/wire"
)

// requestsOf is n requests in a row, with their payload.
func requestsOf(q wire.Request, n int) (b []byte) {
	payload := make([]byte, q.PayloadLength(false))
	for range n {
		b = append(q.Append(b), payload...)
	}
	return b
}

// A client may stop in the middle of a request until it has the reply to the one
// before, whatever it did earlier.
func TestHalfARequestHoldsNoReplyBack(t *testing.T) {
	read := wire.Request{Type: wire.CmdRead, Length: 512}
	half := func(q wire.Request, n int) {
		near, far := dial(t, true)
		c, tr := start(t, near, Config{Block: true, Spin: 100 * time.Millisecond})
		served := make(chan struct{})
		go func() {
			defer close(served)
			for {
				q, err := c.ReadRequest()
				if err != nil {
					return
				}
				var p Payload
				if n := int(q.PayloadLength(false)); n > 0 && c.ReadPayload(&p, n, true) != nil {
					return
				}
				p.Release()
				reply(c, 0, true, nil)
			}
		}()
		send := func(b []byte) {
			if _, err := far.Write(b); err != nil {
				t.Fatal(err)
			}
		}
		for range 2 * maxBatchSize { // replies are sent together: the engine comes to expect that
			send(requestsOf(read, 2*maxBatchSize))
			for range 2 * maxBatchSize {
				receive(t, far, 0, 0)
			}
		}
		next := requestsOf(q, 1)
		send(requestsOf(read, 1))
		time.Sleep(time.Millisecond) // so that the engine expects more already
		send(next[:n])
		receive(t, far, 0, 0)
		send(next[n:])
		receive(t, far, 0, 0)
		tr.Close()
		<-served
	}
	write := wire.Request{Type: wire.CmdWrite, Length: 4 * kib}
	for i := range 3 {
		half(read, 1+9*i)
		half(write, wire.RequestSize+1000*i)
	}
}

// A client that goes on sending gets several replies at a time, and one that waits
// for each gets it at once.
func TestBatchesFollowTheRequestsInFlight(t *testing.T) {
	near, far := dial(t, true)
	c, _ := start(t, near, Config{Block: true, Spin: 100 * time.Millisecond})
	q := wire.Request{Type: wire.CmdFlush}
	serve := func() {
		if _, err := c.ReadRequest(); err != nil {
			t.Fatal(err)
		}
		reply(c, 0, true, nil)
	}
	sent := 0
	for ; c.target.replies < maxBatchSize; sent++ {
		if sent == 1000 {
			t.Fatalf("a batch has %d replies", c.target.replies)
		}
		write(far, q.Append(nil)) // arrives while the engine expects it
		serve()
	}
	c.Flush()
	for range sent {
		receive(t, far, 0, 0)
	}
	for i := range 2 {
		write(far, q.Append(nil))
		serve()
		go func() { // which waits for the reply, and sends no sooner
			b := make([]byte, wire.SimpleReplySize)
			if _, err := io.ReadFull(far, b); err == nil {
				_, _ = far.Write(q.Append(nil))
			}
		}()
		began := time.Now()
		serve()
		if took := time.Since(began); i == 1 && took >= 100*time.Millisecond || c.target.replies != 0 {
			t.Errorf("the reply came after %v, a batch has %d replies", took, c.target.replies)
		}
		c.Flush()
		receive(t, far, 0, 0)
	}
}
