package client

import (
	"bytes"
	"context"
	"errors"
	"net"
	"sync"
	"testing"
	"time"

	"nbdconform/reference/wire"
)

func TestShutdownLeadsToSoftDisconnect(t *testing.T) {
	for name, say := range map[string]func(f *fake, q wire.Request){
		"simple": func(f *fake, q wire.Request) { f.simple(q, wire.ESHUTDOWN) },
		"chunk": func(f *fake, q wire.Request) {
			f.chunk(q, wire.ReplyFlagDone, wire.ChunkError, wire.ErrorChunk{Error: wire.ESHUTDOWN}.Append(nil))
		},
		"second error": func(f *fake, q wire.Request) {
			f.chunk(q, 0, wire.ChunkErrorOffset, wire.ErrorOffset(wire.EIO, "", 0).Append(nil))
			f.chunk(q, wire.ReplyFlagDone, wire.ChunkErrorOffset, wire.ErrorOffset(wire.ESHUTDOWN, "", 1).Append(nil))
		},
	} {
		t.Run(name, func(t *testing.T) {
			second := make(chan struct{})
			c := enter(t, structured(), Config{}, func(f *fake) {
				first, _ := f.request()
				close(second)
				pending, _ := f.request()
				say(f, first)
				time.Sleep(20 * time.Millisecond) // a hasty NBD_CMD_DISC would be in f's way
				f.chunk(pending, wire.ReplyFlagDone, wire.ChunkNone, nil)
				f.disc()
			})
			var group sync.WaitGroup
			group.Go(func() {
				<-second
				if err := c.Flush(within10s(t)); err != nil {
					t.Errorf("the request in flight: %v", err)
				}
			})
			if err := write4k(within10s(t), c); err == nil {
				t.Error("the request succeeds")
			}
			var s *SessionError
			if err := write4k(within10s(t), c); !errors.As(err, &s) || s.Violation {
				t.Errorf("the next request: %v, want a session error", err)
			}
			group.Wait()
			<-c.Done()
			var r *RequestError
			if err := c.Err(); !errors.As(err, &r) || errors.Is(err, ErrDisconnected) {
				t.Errorf("the session ended with %v", err)
			}
		})
	}
}

// After NBD_ESHUTDOWN the client does not wait for ever for pending replies.
func TestShutdownRunsOutOfPatience(t *testing.T) {
	second := make(chan struct{})
	c := enter(t, simple(), Config{Grace: 50 * time.Millisecond}, func(f *fake) {
		first, _ := f.request()
		close(second)
		f.request()
		f.simple(first, wire.ESHUTDOWN)
		f.disc()
	})
	var group sync.WaitGroup
	group.Go(func() {
		<-second
		sessionOver(t, c.Flush(context.Background()), "-")
	})
	if err := write4k(context.Background(), c); !errors.Is(err, wire.ESHUTDOWN) {
		t.Errorf("got %v, want NBD_ESHUTDOWN", err)
	}
	group.Wait()
}

func TestDisconnectWaitsForReplies(t *testing.T) {
	asked := make(chan struct{})
	c := enter(t, simple(), Config{}, func(f *fake) {
		q, _ := f.request()
		close(asked)
		time.Sleep(20 * time.Millisecond)
		f.simple(q, wire.OK)
		f.disc()
	})
	var group sync.WaitGroup
	group.Go(func() {
		if err := c.Flush(within10s(t)); err != nil {
			t.Error(err)
		}
	})
	<-asked
	for range 3 {
		group.Go(func() {
			if err := c.Disconnect(within10s(t)); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if err := c.Flush(within10s(t)); !errors.Is(err, ErrDisconnected) {
		t.Errorf("got %v, want %v", err, ErrDisconnected)
	}
}

func TestDisconnectFromServerThatDoesNotCare(t *testing.T) {
	for _, tt := range []struct {
		name   string
		script func(f *fake)
		check  func(*testing.T, error)
	}{
		{"goes on living", func(f *fake) { f.request(); f.gone() }, func(t *testing.T, err error) { sessionOver(t, err, "cmd.disc.close") }},
		{"answers", func(f *fake) {
			q, _ := f.request()
			f.trySend(wire.SimpleReply{Cookie: q.Cookie}.Append(nil))
			f.gone()
		}, func(t *testing.T, err error) { sessionOver(t, err, "trans.cookie.echo") }},
		{"reads nothing", func(f *fake) { time.Sleep(200 * time.Millisecond) }, func(t *testing.T, err error) { sessionOver(t, err, "-") }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := enter(t, simple(), Config{Grace: 50 * time.Millisecond}, tt.script)
			tt.check(t, c.Disconnect(within10s(t)))
		})
	}
	t.Run("in a hurry", func(t *testing.T) {
		c := enter(t, simple(), Config{}, func(f *fake) { f.request(); f.request(); f.gone() })
		var group sync.WaitGroup
		group.Go(func() { sessionOver(t, c.Flush(context.Background()), "-") })
		time.Sleep(10 * time.Millisecond)
		ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
		defer cancel()
		if err := c.Disconnect(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want %v", err, context.DeadlineExceeded)
		}
		group.Wait()
	})
}

func TestServerHangsUp(t *testing.T) {
	c := enter(t, simple(), Config{}, func(f *fake) {})
	<-c.Done()
	sessionOver(t, c.Err(), "-")
	sessionOver(t, c.Flush(within10s(t)), "-")
	sessionOver(t, c.Close(), "-")
}

// A read whose context ended gets no data any more; its reply is still checked,
// and the session goes on.
func TestGivenUpReads(t *testing.T) {
	for _, h := range []hello{simple(), structured()} {
		canceled := make(chan struct{})
		c := enter(t, h, Config{}, func(f *fake) {
			q, _ := f.request()
			whole := wire.SimpleReply{Cookie: q.Cookie}.Append(nil)
			if !h.simple {
				whole = wire.ChunkHeader{Flags: wire.ReplyFlagDone, Type: wire.ChunkOffsetData, Cookie: q.Cookie, Length: 8 + q.Length}.Append(nil)
				whole = wire.OffsetData{Offset: q.Offset}.Append(whole)
			}
			whole = append(whole, bytes.Repeat([]byte{0xaa}, int(q.Length))...)
			f.send(whole[:len(whole)/2]) // half of it while the read is on
			<-canceled
			f.send(whole[len(whole)/2:])
			q, _ = f.request()
			f.simple(q, wire.OK)
			f.disc()
		})
		buf := make([]byte, 256<<10)
		ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
		if err := c.ReadAt(ctx, buf, 0, 0); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want %v", err, context.DeadlineExceeded)
		}
		cancel()
		clear(buf) // the race detector watches
		close(canceled)
		if err := c.Flush(within10s(t)); err != nil {
			t.Error(err)
		}
		if !bytes.Equal(buf, make([]byte, len(buf))) {
			t.Error("the read went on after it returned")
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestContextEndsWhileSending(t *testing.T) {
	for _, patient := range []bool{true, false} {
		cfg := Config{Grace: 50 * time.Millisecond}
		if patient {
			cfg.Grace = time.Minute
		}
		c := enter(t, simple(), cfg, func(f *fake) {
			_, err := wire.ReadRequest(f.r)
			f.must(err)
			time.Sleep(100 * time.Millisecond)
			if !patient {
				return
			}
			_, err = wire.ReadPayload(f.r, 1<<20, wire.DefaultLimits)
			f.must(err)
			q, _ := f.request()
			f.simple(q, wire.OK)
			f.conn.Close()
		})
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
		err := c.WriteAt(ctx, make([]byte, 1<<20), 0, 0)
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("patient %t: got %v, want %v in it", patient, err, context.DeadlineExceeded)
		}
		err = c.Flush(within10s(t))
		if patient && err != nil {
			t.Errorf("patient: the session should go on: %v", err)
		} else if !patient {
			sessionOver(t, err, "-")
		}
		<-c.Done()
	}
}

func TestContextEndedBefore(t *testing.T) {
	c := enter(t, simple(), Config{}, func(f *fake) { f.disc() })
	ctx, cancel := context.WithCancelCause(context.Background())
	cause := errors.New("no longer of interest")
	cancel(cause)
	if err := read4k(ctx, c); !errors.Is(err, cause) {
		t.Errorf("got %v, want %v", err, cause)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

// Many goroutines with contexts that end at any time leave the session whole.
func TestCancelStorm(t *testing.T) {
	near, far := net.Pipe()
	image := pattern(1 << 20)
	serveOn(t, far, func(f *fake) {
		f.enter(simple())
		f.memory(image)
	})
	c, err := Connect(within10s(t), near, Config{Grace: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			buf := make([]byte, 32<<10)
			for n := range 50 {
				ctx, cancel := context.WithTimeout(context.Background(), time.Duration(n*20)*time.Microsecond)
				err := c.ReadAt(ctx, buf, uint64(i*len(buf)), 0)
				if err == nil && !bytes.Equal(buf, image[i*len(buf):(i+1)*len(buf)]) {
					t.Error("wrong data")
				}
				var s *SessionError
				if errors.As(err, &s) {
					t.Error(err)
				}
				cancel()
				clear(buf)
			}
		})
	}
	group.Wait()
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}
