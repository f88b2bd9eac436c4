package configfile

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nbdconform/reference/export"
	"nbdconform/reference/server"
	"nbdconform/reference/starttls/pki"
	"nbdconform/reference/wire"
)

func build(t *testing.T, text string) (server.Config, error) {
	t.Helper()
	c, err := Parse("f", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return c.Build()
}

func built(t *testing.T, text string) server.Config {
	t.Helper()
	cfg, err := build(t, text)
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// Every key does something.
func TestWhatKeysMean(t *testing.T) {
	cfg := built(t, `
exports:
  - name: disk
    description: a disk
    size: 3M
    read-only: true
    rotational: true
    hidden: true
    init-state: true
    omit: [flush, fua, trim, write-zeroes, df, multi-conn, cache, fast-zero, block-status-payload]
    block-size: {minimum: 512, preferred: 8K, maximum-payload: 1M, required: true}
    contexts: [base:allocation, "qemu:dirty-bitmap:b", x-nbdconform:stripes]
    dirty: [{offset: 4096, length: 1}]
  - {name: growing, size: 1M, resizable: 2M, contexts: ["qemu:dirty-bitmap:b"]}
  - {name: plain, size: 1M}
default-export: false
handshake: newstyle
structured-replies: false
limits:
  handshake-timeout: 90s
  option: 1K
  payload: 1M
  discard: 2M
  in-flight: 3M
  workers: 4
  extents: 5
  connections: 6
`)
	e := cfg.Exports[0]
	if !e.ReadOnly || !e.Rotational || !e.Hidden || !e.InitState || !e.RequireBlockSize || e.Resizable ||
		e.Description != "a disk" || e.Disk.Size() != 3<<20 || e.Gate != nil {
		t.Errorf("%+v", e)
	}
	all := wire.FlagSendFlush | wire.FlagSendFUA | wire.FlagSendTrim | wire.FlagSendWriteZeroes | wire.FlagSendDF |
		wire.FlagCanMultiConn | wire.FlagSendCache | wire.FlagSendFastZero | wire.FlagBlockStatusPayload
	if e.Omit != all {
		t.Errorf("omit %v", e.Omit)
	}
	if want := (wire.SizeConstraints{Minimum: 512, Preferred: 8192, MaxPayload: 1 << 20}); e.Constraints != want {
		t.Errorf("%+v", e.Constraints)
	}
	got, err := e.Disk.Extents(nil, "qemu:dirty-bitmap:b", 0, 3<<20, 9)
	want := []wire.Extent{{Length: 4096}, {Length: 4096, Status: 1}, {Length: 3<<20 - 8192}}
	if d := cmp.Diff(want, got); d != "" || err != nil {
		t.Error(err, d)
	}
	grow := cfg.Exports[1]
	if err := grow.Disk.(export.Resizer).Resize(2 << 20); err != nil || !grow.Resizable || grow.Disk.Size() != 2<<20 {
		t.Errorf("%+v: %v", grow, err)
	}
	if d := cmp.Diff([]string{"base:allocation"}, cfg.Exports[2].Contexts); d != "" {
		t.Error(d)
	}
	if !cfg.NoDefault || cfg.Handshake != server.Newstyle || !cfg.NoStructuredReplies || !cfg.NoExtendedHeaders ||
		cfg.HandshakeTimeout.Seconds() != 90 || cfg.OptionLimit != 1<<10 || cfg.PayloadLimit != 1<<20 ||
		cfg.DiscardLimit != 2<<20 || cfg.InFlight != 3<<20 || cfg.Workers != 4 || cfg.MaxExtents != 5 || cfg.MaxConnections != 6 {
		t.Errorf("%+v", cfg)
	}
	if cfg := built(t, one("size: 1M")+"quirk: disc-ignored\n"); cfg.Hooks == nil && cfg.ConnHooks == nil {
		t.Error("the quirk is not there")
	}
	if cfg := built(t, one("size: 1M")+"dialect: get-lba-status\n"); cfg.Dialect != wire.GetLBAStatus {
		t.Errorf("dialect %v", cfg.Dialect)
	}
	if cfg := built(t, one("size: 1M")+"unannounced-writes: true\n"); !cfg.UnannouncedWrites || cfg.NoExtendedHeaders {
		t.Errorf("%+v", cfg)
	}
	for text, want := range map[string]bool{
		"": true, "simple-success: false\n": false, "quirk: disc-ignored\n": false, "quirk: disc-ignored\nsimple-success: true\n": true,
	} {
		if cfg := built(t, one("size: 1M")+text); cfg.SimpleSuccess != want {
			t.Errorf("%q: simple success %v", text, cfg.SimpleSuccess)
		}
	}
	if cfg := built(t, one("size: 1M")+"extended-headers: false\n"); !cfg.NoExtendedHeaders || cfg.NoStructuredReplies || cfg.NoDefault {
		t.Errorf("%+v", cfg)
	}
}

func TestWhatExportsStartWith(t *testing.T) {
	file := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(file, []byte("contents"), 0o600); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"{name: a, size: 10}":                              strings.Repeat("\x00", 10),
		"{name: a, size: 10, data: {pattern: offsets}}":    "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00",
		"{name: a, size: 10, data: {repeat: abc}}":         "abcabcabca",
		"{name: a, data: {file: " + file + "}}":            "contents",
		"{name: a, size: 10, data: {file: " + file + "}}":  "contents\x00\x00",
		"{name: a, size: 4, data: {file: " + file + "}}":   "cont",
		"{name: a, size: 10, resizable: 20, omit: [trim]}": strings.Repeat("\x00", 10),
	} {
		disk := built(t, "exports: ["+text+"]").Exports[0].Disk
		p := make([]byte, disk.Size())
		if err := disk.ReadAt(p, 0); err != nil || string(p) != want {
			t.Errorf("%s: %q, %v, want %q", text, p, err, want)
		}
		if err := disk.WriteAt([]byte("X"), 1); err != nil {
			t.Errorf("%s: %v", text, err)
		}
		if err := disk.ReadAt(p, 0); err != nil || p[1] != 'X' {
			t.Errorf("%s: what was written is not there: %q", text, p)
		}
	}
	if b, err := os.ReadFile(file); err != nil || string(b) != "contents" {
		t.Errorf("the file has changed: %q, %v", b, err)
	}
}

func TestCapacityAndSlowZero(t *testing.T) {
	disk := built(t, one("size: 1M", "capacity: 4K", "slow-zero: true")).Exports[0].Disk
	if err := disk.WriteAt(make([]byte, 8192), 0); !isErrno(err, wire.ENOSPC) {
		t.Error(err)
	}
	if err := disk.Zero(0, 4096, false, true); !isErrno(err, wire.ENOTSUP) {
		t.Error(err)
	}
}

func isErrno(err error, want wire.Errno) bool { e, ok := err.(wire.Errno); return ok && e == want }

// What is advertised is what is taken: an export may go beyond the default,
// and no export beyond a limit that is given.
func TestMaximumPayloadAndItsLimit(t *testing.T) {
	for text, want := range map[string]uint32{
		one("size: 1M", "block-size: {maximum-payload: 64M}"):                              64 << 20,
		one("size: 1M", "block-size: {maximum-payload: 64M}") + "limits: {payload: 48M}\n": 48 << 20,
		one("size: 1M", "block-size: {maximum-payload: 1M}"):                               0,
		one("size: 1M"): 0,
	} {
		if got := built(t, text).PayloadLimit; got != want {
			t.Errorf("%s: %d, want %d", text, got, want)
		}
	}
}

// A size of 0 is one, and not left out.
func TestAnExportOfNothing(t *testing.T) {
	file := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(file, []byte("something"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		one("size: 0"), one("size: 0", "data: {pattern: offsets}"), one("size: 0", "data: {file: "+file+"}"),
		one("size: 0", "resizable: 1M"), one("size: 0", "contexts: [base:allocation, \"qemu:dirty-bitmap:b0\", \"qemu:allocation-depth\"]"),
	} {
		if n := built(t, text).Exports[0].Disk.Size(); n != 0 {
			t.Errorf("%s: %d bytes", text, n)
		}
	}
}

func TestFaultsArriveAtTheGate(t *testing.T) {
	gate := built(t, one("size: 1M", "faults:",
		"  - {commands: [write, trim], offset: 4K, length: 4K, error: ENOSPC, after: 1, times: 1}",
		"  - {commands: flush, action: hang}", "  - {commands: cache, action: disconnect}")).Exports[0].Gate
	for i, want := range []error{nil, &export.Error{Errno: wire.ENOSPC, Offset: 4096}, nil} {
		if d := cmp.Diff(want, gate.Admit(wire.CmdTrim, 0, 1<<16, nil)); d != "" {
			t.Errorf("trim %d: %s", i, d)
		}
	}
	if err := gate.Admit(wire.CmdFlush, 0, 0, nil); err != export.ErrNoReply {
		t.Error(err)
	}
	if err := gate.Admit(wire.CmdCache, 0, 1, nil); err != export.ErrHangup {
		t.Error(err)
	}
}

// What is well formed and can't be done is said with the line of the export.
func TestWhatCannotBeBuilt(t *testing.T) {
	dir := t.TempDir()
	if err := pki.Shared().Write(dir); err != nil {
		t.Fatal(err)
	}
	eight := filepath.Join(dir, "eight")
	if err := os.WriteFile(eight, []byte("contents"), 0o600); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		one("read-only: true"):                                                                `line 2: export "disk": the key size is missing`,
		one("size: 1M", "resizable: 4K"):                                                      "want at least its size",
		one("size: 1M", "resizable: 4M", "capacity: 1M"):                                      "resizable goes with neither",
		one("size: 1M", "resizable: 4M", "data: {repeat: a}"):                                 "data goes with none of",
		one("data: {file: /nowhere/f}"):                                                       "open /nowhere/f",
		one("data: {file: /dev/null}"):                                                        "/dev/null is no regular file",
		one("size: 1M", "contexts: [base:allocation, base:allocation]"):                       "is there twice",
		one("size: 1M", "dirty: [{offset: 0, length: 1}]"):                                    "there is no bitmap",
		one("size: 1M") + "limits: {payload: 1K}\n":                                           "maximum payload size 1024 is smaller",
		one("size: 1M") + "handshake: newstyle\ntls: {mode: on, certificates: " + dir + "}\n": "takes fixed newstyle",
		one("size: 1M", "block-size: {minimum: 3}"):                                           "minimum",
		one("size: 1M", "tls-only: true"):                                                     "TLS-only",
		one("size: 1M") + "  - {name: disk, size: 1}\n":                                       "there twice",
		one("size: 1M") + "quirk: lazy\n":                                                     `there is no quirk "lazy"`,
		one("size: 1M") + "handshake: oldstyle\ndefault-export: false\n":                      "default export",
		one("size: 1M") + "tls: {mode: on}\n":                                                 "tls: it takes one of",
		one("size: 1M") + "tls: {mode: on, psk: x, anonymous: true}\n":                        "tls: it takes one of",
		one("size: 1M") + "tls: {mode: on, anonymous: true, verify-peer: true}\n":             "anonymous can't be verified",
		one("size: 1M") + "tls: {mode: off, psk: x}\n":                                        "tls: without the mode on",
		one("size: 1M") + "tls: {mode: on, psk: x, verify-peer: true}\n":                      "goes with certificates",
		one("size: 1M") + "tls: {mode: require, certificates: /nowhere}\n":                    "/nowhere/server-cert.pem",

		one("size: 1M", "contexts: [\"qemu:dirty-bitmap:b\"]", "dirty: [{offset: 0, length: 0}]"):                           "dirty range 1: want a length of 1 or more",
		one("size: 1M", "contexts: [\"qemu:dirty-bitmap:b\"]", "dirty: [{offset: 1M, length: 1}]"):                          `line 2: export "disk": dirty range 1: bytes 1048576 to 1048576 are not within the export, which has 1048576 bytes`,
		one("size: 1M", "contexts: [\"qemu:dirty-bitmap:b\"]", "dirty: [{offset: 0, length: 1}, {offset: 4K, length: 1M}]"): "dirty range 2: bytes 4096 to 1052671 are not within the export",
		one("size: 1M", "resizable: 2M", "contexts: [\"qemu:dirty-bitmap:b\"]", "dirty: [{offset: 1M, length: 1}]"):         "are not within the export, which has 1048576 bytes",
		one("size: 1M", "faults: [{error: EIO, offset: 1M, length: 512}]"):                                                  `line 2: export "disk": fault 1: bytes 1048576 to 1049087 are not within the export, which has 1048576 bytes: move the range, or give the export a larger size`,
		one("size: 1M", "faults: [{error: EIO}, {error: EIO, offset: 1M}]"):                                                 "fault 2: no byte from 1048576 on is within the export, which has 1048576 bytes",
		one("size: 1M", "faults: [{error: EIO, offset: 1023K, length: 1025}]"):                                              "fault 1: bytes 1047552 to 1048576 are not within",
		one("size: 1M", "faults: [{error: EIO, offset: 9223372036854775807, length: 9223372036854775807}]"):                 "fault 1: bytes 9223372036854775807 to 18446744073709551613 are not within",
		one("size: 1M", "resizable: 2M", "faults: [{error: EIO, offset: 2M, length: 1}]"):                                   "which has 1048576 bytes and can grow to 2097152: move",
		one("size: 0", "faults: [{error: EIO, offset: 0, length: 1}]"):                                                      "which has 0 bytes",
		one("data: {file: "+eight+"}", "faults: [{error: EIO, offset: 0, length: 9}]"):                                      "which has 8 bytes",
		one("size: 1M") + "dialect: get-lba-status\nextended-headers: true\n":                                               "extended-headers: true does not go with dialect: get-lba-status",
		one("size: 1M") + "dialect: get-lba-status\nstructured-replies: true\n":                                             "structured-replies: true does not go with dialect: get-lba-status",
		one("size: 1M") + "dialect: get-lba-status\nunannounced-writes: true\n":                                             "unannounced-writes: true does not go with dialect: get-lba-status",
		one("size: 1M") + "dialect: get-lba-status\nsimple-success: false\n":                                                "simple-success: false does not go with dialect: get-lba-status",
		one("size: 1M") + "handshake: newstyle\nextended-headers: true\n":                                                   "extended-headers: true does not go with handshake: newstyle",
		one("size: 1M") + "handshake: oldstyle\nstructured-replies: true\n":                                                 "structured-replies: true does not go with handshake: oldstyle",
		one("size: 1M") + "structured-replies: false\nsimple-success: false\n":                                              "simple-success: false does not go with structured-replies: false",
		one("size: 1M") + "extended-headers: false\nunannounced-writes: true\n":                                             "unannounced-writes: true does not go with extended-headers: false",
		one("size: 1M") + "structured-replies: false\nextended-headers: true\n":                                             "extended-headers: true does not go with structured-replies: false",
	} {
		if _, err := build(t, text); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
	cfg := built(t, one("size: 1M", "tls-only: true")+"tls: {mode: on, verify-peer: true, certificates: "+dir+"}\n")
	if cfg.TLS.Mode != server.SelectiveTLS || cfg.TLS.Server == nil || !cfg.Exports[0].TLSOnly {
		t.Errorf("%+v", cfg.TLS)
	}
}

// Ranges may reach the end, and faults the part that an export can grow by. A
// fault without a range is one of an export of nothing, too.
func TestRangesThatFit(t *testing.T) {
	for _, text := range []string{
		one("size: 1M", "contexts: [\"qemu:dirty-bitmap:b\"]", "dirty: [{offset: 0, length: 1M}, {offset: 1048575, length: 1}]"),
		one("size: 1M", "faults: [{error: EIO, length: 1M}, {error: EIO, offset: 1048575, length: 1}, {error: EIO, offset: 1048575}]"),
		one("size: 1M", "resizable: 2M", "faults: [{error: EIO, offset: 1M, length: 1M}, {error: EIO, offset: 2097151}]"),
		one("size: 0", "faults: [{commands: flush, error: EIO}]"),
	} {
		if _, err := build(t, text); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// What a draft, an older handshake or a key leaves no room for is off without
// being told.
func TestDefaultsFollow(t *testing.T) {
	for _, text := range []string{
		"dialect: get-lba-status\n", "dialect: get-lba-status\nextended-headers: false\n", "handshake: newstyle\n",
		"dialect: get-lba-status\nstructured-replies: false\nsimple-success: true\n", "dialect: write-zeroes-rfc\nextended-headers: true\n",
	} {
		if _, err := build(t, one("size: 1M")+text); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}
