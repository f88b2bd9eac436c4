//go:build unix

package server

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"nbdconform/reference/export"
	"nbdconform/reference/wire"
)

// TestLargeAndSmallTakeTurns has requests of all sizes follow each other
// without a pause, so that every kind begins where any other has ended.
func TestLargeAndSmallTakeTurns(t *testing.T) {
	const size = 2 << 20
	for _, structured := range []bool{false, true} {
		_, ln := serve(t, oneExport(size))
		p := dial(t, ln).enter(structured)
		rng := rand.New(rand.NewPCG(3, 0))
		model := make([]byte, size)
		for round := range 60 {
			var message []byte
			var sent []wire.Request
			var want [][]byte
			for i := range 1 + rng.IntN(12) {
				q := wire.Request{Type: wire.CmdRead, Cookie: uint64(round<<8 | i)}
				q.Length = []uint64{1, 28, 4 * kib, withoutCopy - 1, withoutCopy, 200*kib + 1, 256 * kib, 1 << 20}[rng.IntN(8)]
				q.Offset = rng.Uint64N(size - q.Length + 1)
				if rng.IntN(2) == 0 {
					q.Offset &^= export.PageSize - 1
				}
				at := model[q.Offset:][:q.Length]
				if rng.IntN(3) > 0 {
					q.Type = wire.CmdWrite
					copy(at, bytes.Repeat([]byte{byte(round), byte(i), 7}, len(at)/3+1))
				}
				message = q.Append(message)
				if sent = append(sent, q); q.Type == wire.CmdWrite {
					message, want = append(message, at...), append(want, nil)
				} else {
					want = append(want, slices.Clone(at))
				}
			}
			go func() {
				for len(message) > 0 { // in pieces, now and then
					n := len(message)
					if round%3 == 0 {
						n = min(n, 100*kib+round)
					}
					if _, err := p.nc.Write(message[:n]); err != nil {
						t.Error(err)
						return
					}
					message = message[n:]
				}
			}()
			for i, q := range sent {
				if r := p.reply(q); r.Err != wire.OK || !bytes.Equal(r.Data, want[i]) {
					t.Fatalf("round %d: %v: %v, or other data", round, q, r.Err)
				}
			}
		}
	}
}

// A payload that does not come to its end changes nothing.
func TestHalfAPayloadChangesNothing(t *testing.T) {
	_, ln := serve(t, Config{Exports: []Export{{Name: "disk", Disk: filled(t, export.New(1<<20))}}})
	for range 3 { // the storage of one try is there for the next
		p := dial(t, ln).enter(false)
		q := wire.Request{Type: wire.CmdWrite, Length: 512 * kib}
		p.send(append(q.Append(nil), bytes.Repeat([]byte{9}, 300*kib)...))
		_ = p.nc.Close()
		again := dial(t, ln).enter(false)
		if r := again.do(readOf(1<<20), nil); r.Err != wire.OK || !bytes.Equal(r.Data, pattern(1<<20)) {
			t.Fatalf("%v, or other data", r.Err)
		}
	}
}

// A reply that waits for a client to read it is not changed by later writes.
func TestRepliesAreNotOvertakenByWrites(t *testing.T) {
	const size = 4 << 20
	_, ln := serve(t, Config{Exports: []Export{{Name: "disk", Disk: filled(t, export.New(size))}}})
	slow, writer := dial(t, ln).enter(false), dial(t, ln).enter(false)
	q := readOf(size)
	for range 4 { // more than the sockets hold
		slow.send(q.Append(nil))
	}
	time.Sleep(100 * time.Millisecond) // the first is on its way
	for off := uint64(0); off < size; off += 256 * kib {
		w := wire.Request{Type: wire.CmdWrite, Offset: off, Length: 256 * kib}
		if r := writer.do(w, make([]byte, 256*kib)); r.Err != wire.OK {
			t.Fatal(r.Err)
		}
	}
	if r := slow.reply(q); r.Err != wire.OK || !bytes.Equal(r.Data, pattern(size)) {
		t.Errorf("%v, or other data", r.Err)
	}
}
