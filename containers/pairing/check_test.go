package pairing

import (
	"strings"
	"testing"

	"nbdconform/containers/clients"
)

// output is how a program prints.
func output(t *testing.T, program string) clients.Output {
	t.Helper()
	if program == Reference {
		return referenceClient.Output
	}
	p, err := clients.Find(program)
	if err != nil {
		t.Fatal(err)
	}
	return p.Output
}

func TestSizesAreReadAsProgramsPrintThem(t *testing.T) {
	for name, c := range map[string]struct{ program, text, want string }{
		"nbdinfo":              {"nbdinfo", `{"exports": [{"export-name": "", "export-size": 4096}]}`, ""},
		"nbdkit's nbd plugin":  {"nbdkit-nbd", `{"exports": [{"export-size": 4096}]}`, ""},
		"qemu-img":             {"qemu-img", `{"virtual-size": 4096, "format": "raw"}`, ""},
		"the reference client": {Reference, "size 4096 flags HAS_FLAGS", ""},
		"another size":         {"qemu-img", `{"virtual-size": 512}`, "the size is 512, expected 4096"},
		"no size":              {"nbdinfo", `{"exports": [{}]}`, "it prints no size"},
		"no export":            {"nbdinfo", `{"exports": []}`, "it prints no size"},
		"qemu-img, no size":    {"qemu-img", "{}", "it prints no size"},
		"another program's":    {"qemu-img", `size 4096`, "can't be read"},
		"nothing":              {Reference, "", "can't be read"},
		"a program that is not known to print it": {"nbdcopy", "4096", "not known"},
	} {
		if got := checkSize(output(t, c.program), c.text, 4096); c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestMapsAreReadAsProgramsPrintThem(t *testing.T) {
	contents := make([]byte, 1<<20)
	contents[0] = 1
	for name, c := range map[string]struct{ program, text, want string }{
		"nbdinfo":           {"nbdinfo", "         0       4096    0  data\n      4096    1044480    3  hole,zero\n", ""},
		"nbdinfo 1.6":       {"nbdinfo", "         0       4096    0  allocated\n      4096    1044480    2  zero\n\n", ""},
		"qemu-img":          {"qemu-img", `[{ "start": 0, "length": 4096, "zero": false, "data": true}, { "start": 4096, "length": 1044480, "zero": true, "data": false}]`, ""},
		"qemu-io":           {"qemu-io", "4 KiB (0x1000) bytes     allocated at offset 0 bytes (0x0)\n1020 KiB (0xff000) bytes not allocated at offset 4 KiB (0x1000)\n", ""},
		"data as zeroes":    {"nbdinfo", "0 1048576 3 hole,zero\n", "1048576 bytes at 0 are zero, and they are not"},
		"the end is left":   {"nbdinfo", "0 4096 0 data\n", "the map ends at 4096, expected 1048576"},
		"a gap":             {"nbdinfo", "0 4096 0 data\n8192 1040384 0 data\n", "an extent of 1040384 bytes at 8192, after those up to 4096"},
		"too much":          {"nbdinfo", "0 1048577 0 data\n", "an extent of 1048577 bytes at 0"},
		"an overflow":       {"nbdinfo", "0 4096 0 data\n4096 18446744073709551615 0 data\n", "an extent of"},
		"a word":            {"nbdinfo", "here be data\n", "can't be read"},
		"qemu-img, no JSON": {"qemu-img", "[{", "can't be read"},
		"nothing":           {"nbdinfo", "", "the map ends at 0"},
	} {
		if got := checkExtents(output(t, c.program), c.text, contents); c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestListsAreReadAsProgramsPrintThem(t *testing.T) {
	want := []string{"disk", "spare"}
	for name, c := range map[string]struct{ program, text, want string }{
		"nbd-client":       {"nbd-client", "Negotiation: ..\ndisk: the disk under test\nspare\n\n", ""},
		"nbdinfo":          {"nbdinfo", `{"exports": [{"export-name": "disk"}, {"export-name": "spare"}]}`, ""},
		"the reference":    {Reference, "disk the disk under test\nspare\n", ""},
		"one too few":      {"nbdinfo", `{"exports": [{"export-name": "disk"}]}`, `it does not list "spare"`},
		"one too many":     {"nbd-client", "disk\nspare\nother\n", `it lists "other"`},
		"nbdinfo, no JSON": {"nbdinfo", "disk", "can't be read"},
	} {
		if got := checkExports(output(t, c.program), c.text, want); c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
