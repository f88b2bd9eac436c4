package server

import (
	"bytes"
	"errors"
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"nbdconform/reference/export"
	"nbdconform/reference/wire"
)

// stuff sends a message over and over until the server takes no more of it,
// and returns how often that was.
func stuff(t *testing.T, nc net.Conn, message []byte) (n int) {
	t.Helper()
	for {
		_ = nc.SetWriteDeadline(time.Now().Add(200 * time.Millisecond))
		if _, err := nc.Write(message); err != nil {
			if !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Fatalf("sending message %d: %v", n, err)
			}
			return n
		}
		if n++; n*len(message) > 256<<20 {
			t.Fatalf("the server took %d messages of %d bytes, and its replies are not read", n, len(message))
		}
	}
}

// requestsOf is n requests in a row, with their payload.
func requestsOf(q wire.Request, n int) (b []byte) {
	payload := make([]byte, q.PayloadLength(false))
	for range n {
		b = append(q.Append(b), payload...)
	}
	return b
}

// waiting does not say that it never waits.
type waiting struct{ export.Export }

// disks are an export that the reading goroutine works on itself, and one
// that workers work on.
var disks = map[string]func(size uint64) export.Export{
	"immediate": func(size uint64) export.Export { return export.New(size) },
	"workers":   func(size uint64) export.Export { return waiting{export.New(size)} },
}

// filled has data everywhere, as a hole makes short replies.
func filled(t *testing.T, e export.Export) export.Export {
	t.Helper()
	if err := e.WriteAt(pattern(int(e.Size())), 0); err != nil {
		t.Fatal(err)
	}
	return e
}

// misbehaviours of a client that has connected.
var misbehaviours = map[string]func(*testing.T, *peer){
	"never reads": func(t *testing.T, p *peer) { stuff(t, p.enter(true).nc, requestsOf(readOf(1<<20), 100)) },
	"reads slowly": func(t *testing.T, p *peer) {
		stuff(t, p.enter(false).nc, requestsOf(readOf(4*kib), 100))
		var reader sync.WaitGroup
		reader.Go(func() {
			second := time.NewTicker(time.Second)
			defer second.Stop()
			for b := make([]byte, 1); ; {
				if _, err := p.nc.Read(b); err != nil {
					return
				}
				select {
				case <-second.C:
				case <-t.Context().Done():
					return
				}
			}
		})
		t.Cleanup(reader.Wait)
	},
	"writes and never reads": func(t *testing.T, p *peer) {
		stuff(t, p.enter(true).nc, requestsOf(wire.Request{Type: wire.CmdWrite, Offset: 2 << 20, Length: 1}, 1000))
	},
	"stops in a request": func(_ *testing.T, p *peer) { p.enter(true).send(requestsOf(readOf(1), 1)[:20]) },
	"stops in a payload": func(_ *testing.T, p *peer) {
		p.enter(true).send(requestsOf(wire.Request{Type: wire.CmdWrite, Offset: 2 << 20, Length: 1 << 20}, 1)[:1<<19])
	},
	"stops in an option": func(_ *testing.T, p *peer) { p.greet().send([]byte("IHAVEOPT\x00\x00")) },
	"does not greet":     func(*testing.T, *peer) {},
	"talks nonsense":     func(_ *testing.T, p *peer) { p.enter(true).send(bytes.Repeat([]byte("nonsense"), 10)) },
}

func readOf(n uint64) wire.Request { return wire.Request{Type: wire.CmdRead, Length: n} }

// TestNoClientIsDelayedByOthers counts what a good client gets done while others
// are stuck for good: if any of them held it up, that would be nothing.
func TestNoClientIsDelayedByOthers(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for sockets to fill up")
	}
	for kind, disk := range disks {
		t.Run(kind, func(t *testing.T) {
			_, ln := serve(t, Config{Exports: []Export{{Name: "disk", Disk: filled(t, disk(4<<20))}}})
			for _, misbehave := range misbehaviours {
				misbehave(t, dial(t, ln))
			}
			good := dial(t, ln).enter(true)
			_ = good.nc.SetDeadline(time.Now().Add(time.Minute))
			for i := range 200 {
				data := bytes.Repeat([]byte{byte(i)}, 8*kib)
				q := wire.Request{Type: wire.CmdWrite, Cookie: uint64(i), Offset: uint64(i) * 8 * kib, Length: 8 * kib}
				if r := good.do(q, data); r.Err != wire.OK {
					t.Fatalf("write %d: %v", i, r.Err)
				}
				q.Type = wire.CmdRead
				if r := good.do(q, nil); r.Err != wire.OK || !bytes.Equal(r.Data, data) {
					t.Fatalf("read %d: %v, or other data", i, r.Err)
				}
			}
		})
	}
}
