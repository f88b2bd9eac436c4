package fuzz

import (
	"context"
	"encoding/binary"
	"net"
	"testing"
	"time"

	"nbdconform/fuzz/internal/script"
	"nbdconform/fuzz/session"
	"nbdconform/reference/client"
	"nbdconform/reference/export"
	"nbdconform/reference/server"
)

// tampered changes what the client gets from an honest server. The input is
// a list of changes of four bytes: two for how far behind the last one, one
// for what is done, one for a value.
type tampered struct {
	net.Conn
	changes []byte
	left    int // bytes until the next change
	changed int // bytes that came in the place of others
	shifted bool
}

func newTampered(nc net.Conn, changes []byte) *tampered {
	t := &tampered{Conn: nc, changes: changes}
	t.next()
	return t
}

func (t *tampered) next() {
	t.left = -1
	if len(t.changes) >= 4 {
		t.left = int(binary.BigEndian.Uint16(t.changes)) % 6000
	}
}

// Read gives at most what comes before the next change, or the change.
func (t *tampered) Read(b []byte) (int, error) {
	if t.left > 0 {
		n, err := t.Conn.Read(b[:min(len(b), t.left)])
		t.left -= n
		return n, err
	}
	if t.left < 0 {
		return t.Conn.Read(b)
	}
	what, value := t.changes[2], t.changes[3]
	t.changes = t.changes[4:]
	t.next()
	switch what % 8 {
	case 6: // a byte too many
		t.shifted = true
		b[0] = value
		return 1, nil
	case 7: // some bytes are missing
		t.shifted = true
		_, err := t.Conn.Read(b[:min(len(b), 1+int(value)%16)])
		if err != nil {
			return 0, err
		}
		return t.Read(b)
	}
	n, err := t.Conn.Read(b[:1])
	if n == 1 && b[0] != b[0]^value {
		b[0] ^= value
		t.changed++
	}
	return n, err
}

// FuzzClientSession lets the reference client talk to a server whose bytes are
// changed on their way. It must not panic, must return when its context ends,
// and must not give wrong data for right: where bytes were replaced and none
// shifted, a read that succeeds has no more wrong bytes than were replaced.
func FuzzClientSession(f *testing.F) {
	disk := export.New(1 << 20)
	truth := script.Fill(9).Append(nil, 0, 64<<10)
	_ = disk.WriteAt(truth[:20<<10], 0) // memory does not fail
	clear(truth[20<<10:])
	srv, err := server.New(server.Config{Exports: []server.Export{{Name: "disk", Disk: disk}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = srv.Close() })
	f.Add([]byte{}, uint8(0))
	f.Add([]byte{0, 3, 0, 1}, uint8(1))                // the greeting
	f.Add([]byte{1, 100, 0, 0x40}, uint8(1))           // somewhere in the answers to options
	f.Add([]byte{1, 104, 0, 1, 0, 20, 0, 2}, uint8(2)) // and behind
	f.Add([]byte{1, 90, 6, 7, 2, 0, 7, 9}, uint8(0))   // shifts
	f.Fuzz(func(t *testing.T, changes []byte, how uint8) {
		near, far := session.Pipe()
		served := make(chan struct{})
		go func() {
			defer close(served)
			_ = srv.ServeConn(context.Background(), far) // whatever it is, it ended
		}()
		nc := newTampered(near, changes)
		cfg := client.Config{
			SimpleReplies: how%3 == 0, ExtendedHeaders: how%3 == 2, Grace: 20 * time.Millisecond,
			MetaContexts: []string{export.BaseAllocation},
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			converse(t, nc, cfg, truth)
		}()
		select {
		case <-done:
		case <-time.After(10 * time.Second):
			t.Fatal("the client does not come back, though its context has ended")
		}
		_ = near.Close()
		<-served
	})
}

// converse does a bit of everything that reads.
func converse(t *testing.T, nc *tampered, cfg client.Config, truth []byte) {
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Millisecond)
	defer cancel()
	c, err := client.Connect(ctx, nc, cfg)
	if err != nil {
		return
	}
	defer func() { _ = c.Close() }()
	for _, r := range []struct{ off, n uint64 }{{0, 4096}, {16 << 10, 16 << 10}, {512, 1}, {20<<10 - 7, 700}} {
		p := make([]byte, r.n)
		if c.Size() < r.off+r.n || c.ReadAt(ctx, p, r.off, 0) != nil {
			continue
		}
		wrong := 0
		for i, b := range p {
			if b != truth[r.off+uint64(i)] {
				wrong++
			}
		}
		if wrong > nc.changed && !nc.shifted {
			t.Errorf("reading %d bytes at %d succeeds with %d wrong bytes, %d were changed on their way", r.n, r.off, wrong, nc.changed)
		}
	}
	_, _ = c.BlockStatus(ctx, 0, 64<<10, 0) // any error will do
	_ = c.Disconnect(ctx)
}
