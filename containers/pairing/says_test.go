package pairing

import (
	"strings"
	"testing"

	"nbdconform/reports/matrix"
)

func TestMapsAreReadAsProgramsWriteThem(t *testing.T) {
	holds := make([]byte, 1<<20)
	holds[0] = 1
	for name, c := range map[string]struct{ text, want string }{
		"nbdinfo":           {"         0       4096    0  data\n      4096    1044480    3  hole,zero\n", ""},
		"nbdinfo 1.6":       {"         0       4096    0  allocated\n      4096    1044480    2  zero\n\n", ""},
		"qemu-img":          {`[{ "start": 0, "length": 4096, "zero": false, "data": true}, { "start": 4096, "length": 1044480, "zero": true, "data": false}]`, ""},
		"qemu-io":           {"4 KiB (0x1000) bytes     allocated at offset 0 bytes (0x0)\n1020 KiB (0xff000) bytes not allocated at offset 4 KiB (0x1000)\n", ""},
		"data as zeroes":    {"0 1048576 3 hole,zero\n", "1048576 bytes at 0 are zero, and they are not"},
		"the end is left":   {"0 4096 0 data\n", "the map ends at 4096, want 1048576"},
		"a gap":             {"0 4096 0 data\n8192 1040384 0 data\n", "an extent of 1040384 bytes at 8192, after those up to 4096"},
		"too much":          {"0 1048577 0 data\n", "an extent of 1048577 bytes at 0"},
		"an overflow":       {"0 4096 0 data\n4096 18446744073709551615 0 data\n", "an extent of"},
		"a word":            {"here be data\n", "can't be read"},
		"qemu-img, no JSON": {"[{", "can't be read"},
		"nothing":           {"", "the map ends at 0"},
	} {
		if got := untrueMap(c.text, holds); c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestListsAreReadAsProgramsWriteThem(t *testing.T) {
	want := []string{"disk", "spare"}
	for name, c := range map[string]struct{ program, text, want string }{
		"nbd-client":       {"nbd-client", "Negotiation: ..\ndisk: the disk under test\nspare\n\n", ""},
		"nbdinfo":          {"nbdinfo", `{"exports": [{"export-name": "disk"}, {"export-name": "spare"}]}`, ""},
		"one too few":      {"nbdinfo", `{"exports": [{"export-name": "disk"}]}`, `it does not list "spare"`},
		"one too many":     {"nbd-client", "disk\nspare\nother\n", `it lists "other"`},
		"nbdinfo, no JSON": {"nbdinfo", "disk", "can't be read"},
	} {
		if got := untrueList(c.program, c.text, want); c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestOldLibnbdIsNotAskedForCertificates(t *testing.T) {
	for version, want := range map[string]bool{"1.6.1-1": true, "1.14.2-1": false, "1.22.2-1": false} {
		if got := mute(matrix.Peer{Name: "nbdinfo", Version: version}); got != want {
			t.Errorf("%s: %t", version, got)
		}
	}
	if mute(matrix.Peer{Name: "qemu-img", Version: "1:5.2"}) {
		t.Error("qemu-img has other ways")
	}
}
