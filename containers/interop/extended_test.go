package interop

import (
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"testing"

	"nbdconform/conformance/subject/referenceserver"
	"nbdconform/containers"
	"nbdconform/containers/containertest"
	"nbdconform/reference/client"
	"nbdconform/reference/export"
	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

// modern is a release whose libnbd and qemu have extended headers.
const modern = "trixie"

// modernPeer is a container of that release.
func modernPeer(t *testing.T) peer {
	t.Helper()
	image := containertest.NeedImage(t, modern)
	containertest.NeedSharedDir(t)
	dir := sharedDir(t)
	return peer{name: modern, dir: dir, run: runIn(t, image, dir)}
}

// A watcher sees what a client asks a reference server for.
type watcher struct {
	mu   sync.Mutex
	seen seen
}

// A seen is what it saw.
type seen struct {
	extended bool // requests with extended headers came
	compact  bool // and without
	bare     bool // extended NBD_CMD_WRITE came without NBD_CMD_FLAG_PAYLOAD_LEN
	longest  uint64
}

func (w *watcher) look(x *server.Session, q *wire.Request) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := &w.seen
	s.extended, s.compact = s.extended || x.Extended, s.compact || !x.Extended
	s.bare = s.bare || x.Extended && q.Type == wire.CmdWrite && q.Flags&wire.CmdFlagPayloadLen == 0
	if q.Type == wire.CmdBlockStatus {
		s.longest = max(s.longest, q.Length)
	}
}

func (w *watcher) saw() seen {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.seen
}

// watched starts a reference server of 6 GiB with some data at both ends.
func watched(t *testing.T, p peer, name string, more ...func(*server.Config)) (uri string, disk export.Export, w *watcher) {
	t.Helper()
	cfg, _, err := referenceserver.Config("huge", imageSize, "")
	if err != nil {
		t.Fatal(err)
	}
	w, disk = &watcher{}, cfg.Exports[0].Disk
	cfg.Hooks = &server.Hooks{Request: w.look}
	for _, change := range more {
		change(&cfg)
	}
	for _, at := range []uint64{1 << 20, referenceserver.HugeSize - 1<<20} {
		if err := disk.WriteAt(slices.Repeat([]byte{7}, 1<<16), at); err != nil {
			t.Fatal(err)
		}
	}
	return "nbd+unix:///disk?socket=" + serve(t, cfg, p.path(name)), disk, w
}

// wideExtents is what a server with that disk says of it.
var wideExtents = []uint64{1 << 20, 1 << 16, referenceserver.HugeSize - 2<<20 - 1<<16, 1 << 16, 1<<20 - 1<<16}

func TestLibnbdUsesExtendedHeaders(t *testing.T) {
	t.Parallel()
	p := modernPeer(t)
	uri, disk, w := watched(t, p, "libnbd")
	var extents []struct{ Offset, Length, Type uint64 }
	out := p.must(t, "nbdinfo", "--json", "--map", uri)
	if err := json.Unmarshal([]byte(out), &extents); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var lengths []uint64
	for _, e := range extents {
		lengths = append(lengths, e.Length)
	}
	if !slices.Equal(lengths, wideExtents) {
		t.Errorf("nbdinfo sees %v, want %v", lengths, wideExtents)
	}
	p.must(t, "nbdcopy", uri, "null:")
	p.write(t, "in", image(1, imageSize))
	p.must(t, "nbdcopy", p.path("in"), uri)
	got := make([]byte, imageSize)
	if err := disk.ReadAt(got, 0); err != nil {
		t.Fatal(err)
	}
	same(t, "the disk", got, image(1, imageSize))
	if s := w.saw(); !s.extended || s.compact || s.bare || s.longest>>32 == 0 {
		t.Errorf("the server saw %+v", s)
	}
}

func TestQemuReadsWithExtendedHeaders(t *testing.T) {
	t.Parallel()
	p := modernPeer(t)
	uri, _, w := watched(t, p, "qemu")
	var extents []struct {
		Start, Length uint64
		Zero          bool
	}
	out := p.must(t, "qemu-img", "map", "--output=json", "-f", "raw", uri)
	if err := json.Unmarshal([]byte(out), &extents); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var at uint64
	for _, e := range extents {
		if e.Start != at {
			t.Errorf("the map has a gap at %d: %s", at, out)
		}
		if data := e.Start == 1<<20 || e.Start == referenceserver.HugeSize-1<<20; data == e.Zero {
			t.Errorf("extent %+v", e)
		}
		at = e.Start + e.Length
	}
	if at != referenceserver.HugeSize {
		t.Errorf("the map ends at %d: %s", at, out)
	}
	p.must(t, "qemu-io", "-r", "-f", "raw", "-c", "read -P 7 1M 64k", "-c", "read -P 0 4G 1M", "-c", "read -P 7 6143M 64k", uri)
	if s := w.saw(); !s.extended || s.compact {
		t.Errorf("the server saw %+v", s)
	}
}

// QEMU up to 11.1 leaves NBD_CMD_FLAG_PAYLOAD_LEN out where "the command
// NBD_CMD_WRITE MUST use the flag". Its own server bears with it; this one
// does not, because "if the flag is clear, [...] there is no payload after the
// header": what follows is the next request. Where the test fails, that has changed: qemu can be let in.
func TestQemuDoesNotAnnounceWhatItWrites(t *testing.T) {
	t.Parallel()
	p := modernPeer(t)
	uri, _, w := watched(t, p, "writing")
	out, err := p.try(t, "qemu-io", "-f", "raw", "-c", "write -P 1 0 64k", uri)
	if err == nil && !strings.Contains(out, "rror") {
		t.Errorf("it works: %s", out)
	}
	if s := w.saw(); !s.extended || !s.bare {
		t.Errorf("the server saw %+v", s)
	}
}

// What the server can be asked to put up with.
func TestQemuWritesWhereThatIsAllowed(t *testing.T) {
	t.Parallel()
	p := modernPeer(t)
	uri, _, w := watched(t, p, "allowed", func(cfg *server.Config) { cfg.UnannouncedWrites = true })
	p.must(t, "qemu-io", "-f", "raw", "-c", "write -P 9 0 64k", "-c", "write -P 5 4G 4k", "-c", "read -P 9 0 64k", "-c", "read -P 5 4G 4k", uri)
	if s := w.saw(); !s.extended || s.compact {
		t.Errorf("the server saw %+v", s)
	}
}

// extendedServer is a real server with a session of the reference client.
func extendedServer(t *testing.T, profile string, contexts ...string) *client.Client {
	t.Helper()
	containertest.NeedEngine(t)
	containertest.NeedImage(t, modern)
	s, err := containers.Open(t.Context(), containers.Request{Target: "qemu-nbd", Release: modern, Profile: profile})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	c := connect(t, s, client.Config{ExtendedHeaders: true, MetaContexts: contexts})
	if !c.Extended() {
		t.Fatal("extended headers were not negotiated")
	}
	return c
}

func TestClientWorksBeyond32BitsWithQemu(t *testing.T) {
	t.Parallel()
	c := extendedServer(t, "huge", client.AllocationContext)
	const far = 5 << 30
	mark := slices.Repeat([]byte{9}, 1<<16)
	for _, at := range []uint64{0, 1 << 32, far} {
		if err := c.WriteAt(t.Context(), mark, at, 0); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.WriteZeroes(t.Context(), 1<<16, far-1<<16, 0); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 1<<16)
	for at, want := range map[uint64][]byte{0: mark, 1 << 32: make([]byte, 1<<16), far: mark} {
		if err := c.ReadAt(t.Context(), got, at, 0); err != nil {
			t.Fatal(err)
		}
		same(t, "what is left", got, want)
	}
	if err := c.Trim(t.Context(), 0, c.Size(), 0); err != nil {
		t.Error(err)
	}
	status, err := c.BlockStatus(t.Context(), 0, c.Size(), 0)
	if list := status[client.AllocationContext]; err != nil || len(list) != 1 || list[0].Length != c.Size() {
		t.Errorf("%v, %v", status, err)
	}
}

func TestClientFiltersWithQemu(t *testing.T) {
	t.Parallel()
	const depth = "qemu:allocation-depth"
	c := extendedServer(t, "qcow2", client.AllocationContext, depth, "qemu:dirty-bitmap:b0")
	if n := len(c.Contexts()); n != 3 {
		t.Fatalf("contexts %v", c.Contexts())
	}
	all, err := c.BlockStatus(t.Context(), 0, c.Size(), 0)
	if err != nil || len(all) != 3 {
		t.Fatalf("%v, %v", all, err)
	}
	some, err := c.BlockStatusOf(t.Context(), 0, c.Size(), 0, depth)
	if err != nil || len(some) != 1 || !slices.Equal(some[depth], all[depth]) {
		t.Errorf("%v, %v; without a filter %v", some, err, all)
	}
}
