//go:build unix

package server

import (
	"bytes"
	"io"
	"net"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"

	"nbdconform/reference/export"
	"nbdconform/reference/server/internal/engine"
	"nbdconform/reference/wire"
)

// inUse is the memory that the process can't do without, in bytes.
func inUse() int {
	runtime.GC()
	runtime.GC() // pools are emptied at the second
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc + m.StackInuse)
}

func TestSparseExportCostsWhatIsWritten(t *testing.T) {
	const size, pages = 1 << 40, 1000
	_, ln := serve(t, oneExport(size))
	p := dial(t, ln).enter(true)
	before := inUse()
	for _, q := range []wire.Request{
		{Type: wire.CmdWriteZeroes, Length: 1 << 31, Flags: wire.CmdFlagNoHole},
		{Type: wire.CmdTrim, Offset: size - 1<<31, Length: 1 << 31},
		{Type: wire.CmdRead, Offset: size / 2, Length: 1 << 20},
		{Type: wire.CmdBlockStatus, Length: 1<<32 - 1},
	} {
		if r := p.do(q, nil); r.Err != wire.OK {
			t.Fatalf("%v: %v", q, r.Err)
		}
	}
	if grown := inUse() - before; grown > 1<<20 {
		t.Errorf("%d bytes for nothing that was written", grown)
	}
	data := pattern(export.PageSize)
	for i := range uint64(pages) { // far apart, which is the worst case
		q := wire.Request{Type: wire.CmdWrite, Offset: i << 30, Length: export.PageSize}
		if r := p.do(q, data); r.Err != wire.OK {
			t.Fatalf("%v: %v", q, r.Err)
		}
	}
	grown := inUse() - before
	t.Logf("%d bytes for each page of %d", grown/pages, export.PageSize)
	if grown < pages*export.PageSize {
		t.Errorf("only %d bytes: where is the data?", grown)
	}
	if most := pages * 3 * export.PageSize; grown > most {
		t.Errorf("%d bytes, want %d at most", grown, most)
	}
	for i := range uint64(size >> 31) {
		if r := p.do(wire.Request{Type: wire.CmdTrim, Offset: i << 31, Length: 1 << 31}, nil); r.Err != wire.OK {
			t.Fatalf("trimming at %d: %v", i<<31, r.Err)
		}
	}
	if left := inUse() - before; left > grown/4 {
		t.Errorf("%d of %d bytes are left when all is trimmed", left, grown)
	}
	if r := p.do(wire.Request{Type: wire.CmdRead, Length: export.PageSize}, nil); !bytes.Equal(r.Data, make([]byte, export.PageSize)) {
		t.Error("what was trimmed is still there")
	}
	r := p.do(wire.Request{Type: wire.CmdBlockStatus, Length: 1<<32 - 1}, nil)
	for _, e := range slices.Concat(r.Status...) {
		if wire.StateFlags(e.Status) != wire.StateHole|wire.StateZero {
			t.Errorf("%d bytes that were trimmed are %v", e.Length, wire.StateFlags(e.Status))
		}
	}
	if len(r.Status) != 1 {
		t.Errorf("%d replies about base:allocation", len(r.Status))
	}
}

// descriptors is how many files this process can have open. The runtime of Go
// has raised the limit as far as it goes.
func descriptors(t *testing.T) int {
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		t.Fatal(err)
	}
	return int(min(l.Cur, 1<<20))
}

func TestThousandsOfIdleConnections(t *testing.T) {
	if testing.Short() {
		t.Skip("takes thousands of connections")
	}
	n := min(10_000, (descriptors(t)-500)/2) // both ends are here
	s, err := New(oneExport(1 << 20))
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = s.Serve(t.Context(), ln) }()
	defer s.Close()
	hello := (wire.FlagCFixedNewstyle | wire.FlagCNoZeroes).Append(nil)
	enter := wire.OptionRequest{Option: wire.OptGo, Data: wire.InfoRequest{}.Append(nil)}.Append(nil)
	enter = wire.Request{Type: wire.CmdRead, Length: 4 * kib}.Append(enter) // each was busy once
	answer := 20 + 12 + 20 + 2 + 4 + 20 + wire.SimpleReplySize + 4*kib
	scratch := make([]byte, answer)
	before := inUse()
	for i := range n {
		nc, err := net.Dial("unix", ln.Addr().String())
		if err != nil {
			t.Fatalf("connection %d: %v", i, err)
		}
		defer nc.Close()
		_ = nc.SetDeadline(time.Now().Add(time.Minute))
		message, want := hello, wire.GreetingSize
		if i%2 == 0 { // the others stay in the handshake
			message, want = slices.Concat(hello, enter), want+answer
		}
		if _, err := nc.Write(message); err != nil {
			t.Fatalf("connection %d: %v", i, err)
		}
		for left := want; left > 0; {
			k := min(left, len(scratch))
			if _, err := io.ReadFull(nc, scratch[:k]); err != nil {
				t.Fatalf("connection %d: %v", i, err)
			}
			left -= k
		}
	}
	each := (inUse() - before) / n
	t.Logf("%d bytes for each of %d connections, both ends together", each, n)
	if each > 24*kib {
		t.Errorf("%d bytes for each of %d idle connections", each, n)
	}
}

// TestPipeliningIsBounded has clients send as much as the server takes, and
// read nothing.
func TestPipeliningIsBounded(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for sockets to fill up")
	}
	const inFlight = 8 << 20
	floods := map[string][]byte{
		"large reads": requestsOf(readOf(4<<20), 1000),
		"small reads": requestsOf(readOf(4*kib), 1000),
		"writes":      requestsOf(wire.Request{Type: wire.CmdWrite, Length: 1}, 1000),
		"flushes":     requestsOf(wire.Request{Type: wire.CmdFlush}, 1000),
	}
	for kind, disk := range disks {
		for what, flood := range floods {
			t.Run(kind+" "+what, func(t *testing.T) {
				cfg := Config{InFlight: inFlight, Exports: []Export{{Name: "disk", Disk: filled(t, disk(8<<20))}}}
				_, ln := serve(t, cfg)
				p := dial(t, ln).enter(false)
				before := inUse()

				sent := stuff(t, p.nc, flood)

				grown := inUse() - before
				t.Logf("%d KiB after %d batches of requests", grown>>10, sent)
				// What is in flight in buffers of the next power of two, and the
				// buffers of the connection.
				if most := 2*inFlight + 2*engine.ReadAhead + 1<<20; grown > most {
					t.Errorf("%d bytes are held for one connection, want %d at most", grown, most)
				}
			})
		}
	}
}

// TestAnnouncedPayloadCostsNothing has many clients say that much will come, and
// send none of it.
func TestAnnouncedPayloadCostsNothing(t *testing.T) {
	const clients = 40
	cfg := oneExport(64 << 20)
	cfg.AllInFlight = clients * 33 << 20
	_, ln := serve(t, cfg)
	dial(t, ln).enter(false).do(wire.Request{Type: wire.CmdWrite, Length: 1 << 20}, make([]byte, 1<<20))
	before := inUse()
	for range clients {
		p := dial(t, ln).enter(false)
		p.send(wire.Request{Type: wire.CmdWrite, Length: 32 << 20}.Append(nil))
		p.send(make([]byte, 16)) // and a little, so that the request is known to be looked at
	}
	good := dial(t, ln).enter(false)
	for range 100 {
		if r := good.do(readOf(4*kib), nil); r.Err != wire.OK {
			t.Fatal(r.Err)
		}
	}
	if each := (inUse() - before) / clients; each > 3*engine.ReadAhead {
		t.Errorf("%d bytes for each of %d clients", each, clients)
	}
}

// TestAllInFlightIsBounded has some clients take all that there is for requests.
func TestAllInFlightIsBounded(t *testing.T) {
	for kind, disk := range disks {
		t.Run(kind, func(t *testing.T) {
			cfg := Config{AllInFlight: 8 << 20, Exports: []Export{{Name: "disk", Disk: filled(t, disk(8<<20))}}}
			s, ln := serve(t, cfg)
			good := dial(t, ln).enter(true)
			write := wire.Request{Type: wire.CmdWrite, Cookie: 1, Length: 1 << 20}
			small := wire.Request{Type: wire.CmdRead, Cookie: 2, Length: 4 * kib}
			data := make([]byte, write.Length)

			bad := dial(t, ln).enter(true)
			bad.send(wire.Request{Type: wire.CmdWrite, Length: 7<<20 + 512*kib}.Append(nil))
			for s.shared.Left() > 1<<20 {
				time.Sleep(time.Millisecond)
			}
			if r := good.do(write, data); r.Err != wire.ENOMEM {
				t.Errorf("%v while others take all", r.Err)
			}
			if r := good.do(small, nil); r.Err != wire.OK {
				t.Errorf("a small read: %v", r.Err)
			}
			_ = bad.nc.Close()
			for end := time.Now().Add(time.Minute); s.shared.Left() < 8<<20; time.Sleep(time.Millisecond) {
				if time.Now().After(end) {
					t.Fatalf("%d bytes are left of %d once the client is gone", s.shared.Left(), 8<<20)
				}
			}
			if r := good.do(write, data); r.Err != wire.OK {
				t.Errorf("%v after that", r.Err)
			}
			good.send(wire.Request{Type: wire.CmdDisc}.Append(nil))
			good.closed()
			if n := s.shared.Left(); n != 8<<20 {
				t.Errorf("%d bytes are left of %d", n, 8<<20)
			}
		})
	}
}
