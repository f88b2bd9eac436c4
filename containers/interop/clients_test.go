package interop

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"slices"
	"strings"
	"testing"

	"nbdconform/conformance/subject/referenceserver"
	"nbdconform/reference/export"
	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

// A reference server that listens in a peer's directory.
type reference struct {
	peer
	profile  string
	disk     export.Export
	cfg      server.Export
	uri      string
	writable bool
	// compact is the same without extended headers, for qemu to write to: up to
	// 11.1 it sends NBD_CMD_WRITE without NBD_CMD_FLAG_PAYLOAD_LEN, which extended
	// headers demand.
	compact string
}

// eachProfile calls f for every peer and every profile of the reference server.
func eachProfile(t *testing.T, f func(*testing.T, reference)) {
	t.Parallel()
	peers(t, func(t *testing.T, p peer) {
		for _, profile := range referenceserver.Profiles() {
			if profile == "huge" || profile == "tls-required" { // they have tests of their own
				continue
			}
			if strings.HasPrefix(profile, "dialect-") { // which no program speaks
				continue
			}
			t.Run(profile, func(t *testing.T) { f(t, refer(t, p, profile)) })
		}
	})
}

func refer(t *testing.T, p peer, profile string) reference {
	t.Helper()
	cfg, _, err := referenceserver.Config(profile, imageSize, "")
	if err != nil {
		t.Fatal(err)
	}
	e := cfg.Exports[0]
	r := reference{peer: p, profile: profile, disk: e.Disk, cfg: e, writable: !e.ReadOnly}
	r.uri = "nbd+unix:///disk?socket=" + serve(t, cfg, p.path(profile))
	cfg.NoExtendedHeaders = true
	r.compact = "nbd+unix:///disk?socket=" + serve(t, cfg, p.path(profile+"-compact"))
	return r
}

// serve serves at a socket until the test ends, and returns the socket.
func serve(t *testing.T, cfg server.Config, socket string) string {
	t.Helper()
	srv, err := server.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(context.Background(), ln) }()
	t.Cleanup(func() {
		_ = srv.Close()
		if err := <-served; !errors.Is(err, server.ErrClosed) {
			t.Errorf("serving: %v", err)
		}
	})
	return socket
}

// contents reads the disk behind the server's back.
func (r reference) contents(t *testing.T) []byte {
	t.Helper()
	b := make([]byte, imageSize)
	if err := r.disk.ReadAt(b, 0); err != nil {
		t.Fatal(err)
	}
	return b
}

func (r reference) fill(t *testing.T, b []byte) {
	t.Helper()
	if err := r.disk.WriteAt(b, 0); err != nil {
		t.Fatal(err)
	}
}

func TestNbdinfoSeesWhatIsOffered(t *testing.T) {
	eachProfile(t, func(t *testing.T, r reference) {
		var said struct {
			Structured bool
			Exports    []map[string]any
		}
		out := r.must(t, "nbdinfo", "--json", "--no-content", r.uri)
		if err := json.Unmarshal([]byte(out), &said); err != nil || len(said.Exports) != 1 || !said.Structured {
			t.Fatalf("%v: %s", err, out)
		}
		e := said.Exports[0]
		want := map[string]any{
			"export-size": float64(imageSize), "is_read_only": !r.writable, "is_rotational": r.cfg.Rotational,
			"can_trim": r.writable && r.cfg.Omit&wire.FlagSendTrim == 0,
			"can_zero": r.writable && r.cfg.Omit&wire.FlagSendWriteZeroes == 0,
			"can_df":   r.cfg.Omit&wire.FlagSendDF == 0, "can_fua": r.cfg.Omit&wire.FlagSendFUA == 0,
			"can_multi_conn": r.cfg.Omit&wire.FlagCanMultiConn == 0, "description": "the disk under test",
		}
		if r.cfg.Constraints != (wire.SizeConstraints{}) {
			want["block_size_minimum"] = float64(r.cfg.Constraints.Minimum)
		}
		for k, v := range want {
			if e[k] != v {
				t.Errorf("%s is %v, want %v", k, e[k], v)
			}
		}
		if contexts, _ := e["contexts"].([]any); !slices.Contains(contexts, any("base:allocation")) {
			t.Errorf("contexts %v", e["contexts"])
		}
	})
}

func TestNbdinfoListsTheExports(t *testing.T) {
	t.Parallel()
	peers(t, func(t *testing.T, p peer) {
		r := refer(t, p, "default")
		var said struct {
			Exports []struct {
				Name string `json:"export-name"`
			}
		}
		out := p.must(t, "nbdinfo", "--json", "--no-content", "--list", "nbd+unix:///?socket="+p.path("default"))
		if err := json.Unmarshal([]byte(out), &said); err != nil || len(said.Exports) != 2 || said.Exports[0].Name != "disk" || said.Exports[1].Name != "spare" {
			t.Errorf("%v: %s", err, out)
		}
		r.fill(t, image(1, imageSize))
		var extents []struct {
			Offset, Length, Type uint64
		}
		out = p.must(t, "nbdinfo", "--json", "--map", r.uri)
		if err := json.Unmarshal([]byte(out), &extents); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		var end uint64
		for _, e := range extents {
			if e.Offset != end {
				t.Errorf("the map has a gap: %s", out)
			}
			end = e.Offset + e.Length
		}
		if end != imageSize {
			t.Errorf("the map ends at %d: %s", end, out)
		}
	})
}

func TestNbdcopyCopiesInAndOut(t *testing.T) {
	eachProfile(t, func(t *testing.T, r reference) {
		want := image(2, imageSize)
		if r.writable {
			r.write(t, "in", want)
			r.must(t, "nbdcopy", r.path("in"), r.uri)
			same(t, "the disk", r.contents(t), want)
		} else if out, err := r.try(t, "nbdcopy", r.path("in"), r.uri); err == nil {
			t.Errorf("it writes to a read-only export: %s", out)
		}
		r.fill(t, want)
		for name, args := range map[string][]string{
			"ordinary": nil, "synchronous": {"--synchronous"}, "one connection": {"--connections=1", "--requests=3", "--request-size=65536"},
			"blind to holes": {"--no-extents"},
		} {
			if args != nil && r.profile != "default" {
				continue
			}
			r.must(t, slices.Concat([]string{"nbdcopy"}, args, []string{r.uri, r.path("out")})...)
			same(t, name, r.read(t, "out"), want)
		}
	})
}

func TestQemuImgConvertsAndCompares(t *testing.T) {
	eachProfile(t, func(t *testing.T, r reference) {
		want := image(3, imageSize)
		r.write(t, "in", want)
		if r.writable {
			r.must(t, "qemu-img", "convert", "-n", "-f", "raw", "-O", "raw", r.path("in"), r.compact)
			same(t, "the disk", r.contents(t), want)
		}
		r.fill(t, want)
		r.must(t, "qemu-img", "compare", "-f", "raw", "-F", "raw", r.path("in"), r.uri)
		r.must(t, "qemu-img", "convert", "-f", "raw", "-O", "raw", r.uri, r.path("out"))
		same(t, "the copy", r.read(t, "out"), want)
		r.must(t, "qemu-img", "convert", "-f", "raw", "-O", "qcow2", r.uri, r.path("out.qcow2"))
		r.must(t, "qemu-img", "compare", "-f", "qcow2", "-F", "raw", r.path("out.qcow2"), r.uri)

		want[5<<20]++
		r.fill(t, want)
		if out, err := r.try(t, "qemu-img", "compare", "-f", "raw", "-F", "raw", r.path("in"), r.uri); err == nil {
			t.Errorf("it finds no difference: %s", out)
		}
	})
}

func TestQemuIoReadsBackWhatItWrites(t *testing.T) {
	eachProfile(t, func(t *testing.T, r reference) {
		if !r.writable {
			if out, err := r.try(t, "qemu-io", "-f", "raw", "-c", "write 0 4k", r.compact); err == nil {
				t.Errorf("it writes to a read-only export: %s", out)
			}
			return
		}
		argv := []string{"qemu-io", "-f", "raw"}
		for _, c := range []string{
			"write -P 0x11 0 4M", "write -P 0x22 -f 1M 64k", "write -z 2M 1M", "write -z -u 3M 64k", "discard 3584k 512k", "flush",
			"aio_write -P 0x33 5M 64k", "aio_write -P 0x44 5184k 64k", "aio_flush",
			"read -P 0x11 0 1M", "read -P 0x22 1M 64k", "read -P 0x11 1088k 960k", "read -P 0 2M 1M", "read -P 0 3M 64k",
			"read -P 0x33 5M 64k", "read -P 0x44 5184k 64k", "read -P 0 6M 2M",
		} {
			argv = append(argv, "-c", c)
		}
		r.must(t, append(argv, r.compact)...)
	})
}
