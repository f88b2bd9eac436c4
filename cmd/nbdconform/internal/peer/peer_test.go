package peer

import (
	"bytes"
	"context"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nbdconform/reference/client"
	"nbdconform/reference/export"
	"nbdconform/reference/server"
)

func TestWhatIsAURI(t *testing.T) {
	for s, want := range map[string]bool{
		"nbd://h/": true, "NBD://h/": true, "Nbds+Unix:///?socket=s": true,
		"nbd": false, "nbd.img": false, "/nbd://": false, "disk://nbd": false, "": false,
	} {
		if IsURI(s) != want {
			t.Errorf("%q: %v", s, !want)
		}
	}
}

func TestStatusesInWords(t *testing.T) {
	for _, tc := range []struct {
		context string
		status  uint64
		want    string
	}{
		{"base:allocation", 0, "data"},
		{"base:allocation", 1, "hole"},
		{"base:allocation", 3, "hole,zero"},
		{"base:allocation", 4, "0x4"},
		{"qemu:dirty-bitmap:b0", 1, "dirty"},
		{"qemu:allocation-depth", 0, "absent"},
		{"qemu:allocation-depth", 3, "backing depth 3"},
		{"x:unknown", 17, "0x11"},
	} {
		if got := describe(tc.context, tc.status); got != tc.want {
			t.Errorf("%s %d: %q, want %q", tc.context, tc.status, got, tc.want)
		}
	}
}

func TestRunsOfOneStatusAreJoined(t *testing.T) {
	var list []Mapped
	for _, m := range []Mapped{{0, 4, 0, "data"}, {4, 4, 0, "data"}, {8, 0, 3, "hole,zero"}, {8, 2, 3, "hole,zero"}, {10, 1, 0, "data"}} {
		list = appended(list, m)
	}
	want := []Mapped{{0, 8, 0, "data"}, {8, 2, 3, "hole,zero"}, {10, 1, 0, "data"}}
	if d := cmp.Diff(want, list); d != "" {
		t.Error(d)
	}
}

func TestTotals(t *testing.T) {
	got := Totals([]Mapped{{0, 10, 3, "hole,zero"}, {10, 5, 0, "data"}, {15, 1, 3, "hole,zero"}})
	want := []Mapped{{Length: 5, Description: "data"}, {Length: 11, Status: 3, Description: "hole,zero"}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// offer serves a disk at a Unix socket and returns its URI.
func offer(t *testing.T, disk export.Export, readOnly bool) string {
	t.Helper()
	srv, err := server.New(server.Config{Exports: []server.Export{{Disk: disk, ReadOnly: readOnly}}})
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "p")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	l, err := net.Listen("unix", filepath.Join(dir, "s"))
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = srv.Serve(context.Background(), l) }()
	t.Cleanup(func() { srv.Close() })
	return "nbd+unix:///?socket=" + l.Addr().String()
}

func newPeer() *Peer {
	return &Peer{Timeout: 10 * time.Second, Contexts: []string{client.AllocationContext}, Warn: io.Discard}
}

var options = client.CopyOptions{Requests: 4}

// What is copied in is mapped as it is, and comes out again.
func TestCopyInMapAndCopyOut(t *testing.T) {
	uri := offer(t, export.New(1<<20), false)
	p := newPeer()
	image := make([]byte, 1<<20)
	copy(image[256<<10:], bytes.Repeat([]byte("x"), 128<<10))
	in, out := filepath.Join(t.TempDir(), "in"), filepath.Join(t.TempDir(), "out")
	if err := os.WriteFile(in, image, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := p.CopyIn(t.Context(), in, uri, options); err != nil {
		t.Fatal(err)
	}
	c, err := p.Connect(t.Context(), uri)
	if err != nil {
		t.Fatal(err)
	}
	list, err := Extents(t.Context(), c, client.AllocationContext, func(uint64) {})
	if err != nil {
		t.Fatal(err)
	}
	_ = c.Disconnect(t.Context())
	last := Mapped{}
	for _, m := range list {
		if m.Offset != last.Offset+last.Length || m.Status == last.Status && m.Offset > 0 {
			t.Errorf("%+v comes after %+v", m, last)
		}
		last = m
	}
	if last.Offset+last.Length != 1<<20 || len(list) < 3 {
		t.Errorf("%+v", list)
	}
	if err := p.CopyOut(t.Context(), uri, out, options); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(out); err != nil || !bytes.Equal(got, image) {
		t.Errorf("what comes out is not what went in (%v)", err)
	}
}

// A copy that can't be whole is refused before anything is written.
func TestRefusals(t *testing.T) {
	big, small := offer(t, export.New(2<<20), false), offer(t, export.New(1<<20), false)
	locked := offer(t, export.New(4<<20), true)
	p := newPeer()
	for want, err := range map[string]error{
		"the export only 1048576: nothing was copied": p.CopyBetween(t.Context(), big, small, options),
		"is read-only: nothing was copied":            p.CopyBetween(t.Context(), small, locked, options),
		"is a directory":                              p.CopyIn(t.Context(), t.TempDir(), big, options),
		"no such file":                                p.CopyIn(t.Context(), "/nowhere/x", big, options),
		"is no NBD URI":                               p.CopyOut(t.Context(), "/tmp/s", "/nowhere/x", options),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if _, err := p.Connect(t.Context(), "nbd+unix:///named?socket=/nowhere/s"); err == nil {
		t.Error("connected to nothing")
	}
	p.Timeout = 0
	if _, err := p.Connect(t.Context(), big); err == nil || !strings.Contains(err.Error(), "want more than 0") {
		t.Error(err)
	}
}

func TestInfo(t *testing.T) {
	p := newPeer()
	about, err := p.Info(t.Context(), offer(t, export.New(1<<20), true))
	if err != nil {
		t.Fatal(err)
	}
	if about.Negotiation != "fixed newstyle" || about.Size != 1<<20 || !strings.Contains(strings.Join(about.Flags, " "), "READ_ONLY") {
		t.Errorf("%+v", about)
	}
}
