package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nbdconform/cmd/nbdconform/internal/peer"
)

// image is a file with data, a long hole, and data in its last, odd byte.
func image(t *testing.T) (name string, content []byte) {
	t.Helper()
	content = make([]byte, 3<<20+1)
	copy(content, bytes.Repeat([]byte("beginning "), 10000))
	copy(content[2<<20:], "middle")
	content[len(content)-1] = 'z'
	name = filepath.Join(t.TempDir(), "disk")
	if err := os.WriteFile(name, content, 0o644); err != nil {
		t.Fatal(err)
	}
	return name, content
}

func ok(t *testing.T, args ...string) string {
	t.Helper()
	o := start(t, nil, args...).end()
	o.want(t, exitConforms)
	if o.stderr != "" {
		t.Errorf("%v says: %s", args, o.stderr)
	}
	return o.stdout
}

func TestCopyThereAndBackAndAcross(t *testing.T) {
	t.Parallel()
	name, content := image(t)
	one, two := serving(t, "--size", "4M"), serving(t, "--size", "5M", "--profile", "bare")
	back := filepath.Join(t.TempDir(), "back")
	if err := os.WriteFile(back, bytes.Repeat([]byte("old"), 4<<20), 0o644); err != nil {
		t.Fatal(err)
	}
	ok(t, "copy", name, one.uri)
	ok(t, "copy", one.uri, two.uri)
	ok(t, "copy", two.uri, back)
	got, err := os.ReadFile(back)
	if err != nil {
		t.Fatal(err)
	}
	want := append(bytes.Clone(content), make([]byte, 5<<20-len(content))...)
	if !bytes.Equal(got, want) {
		t.Errorf("what came back has %d bytes and differs from what went out", len(got))
	}
	if got := ok(t, "copy", one.uri, "-"); got != string(want[:4<<20]) {
		t.Errorf("%d bytes on standard output, and not those", len(got))
	}
}

func TestCopyRefusesWhatDoesNotFit(t *testing.T) {
	t.Parallel()
	name, _ := image(t)
	s := serving(t, "--size", "1M")
	for text, args := range map[string][]string{
		"only 1048576: nothing was copied": {"copy", name, s.uri},
		"use cp":                           {"copy", name, "elsewhere"},
		"no such file":                     {"copy", "nowhere", s.uri},
		"connection refused":               {"copy", name, "nbd://127.0.0.1:1"},
		"no metadata context \"x-none:\"":  {"map", s.uri, "--context", "x-none:"},
		`scheme "http"`:                    {"info", "http://localhost"},
	} {
		o := start(t, nil, args...).end()
		o.want(t, exitUntrusted)
		if !strings.Contains(o.stderr, text) {
			t.Errorf("%v says %q, want %q in it", args, o.stderr, text)
		}
	}
}

func TestInfoSaysWhatIsOffered(t *testing.T) {
	t.Parallel()
	s := serving(t, "--profile", "block-4096", "--size", "8M")
	var got peer.Info
	if err := json.Unmarshal([]byte(ok(t, "info", "--json", s.uri)), &got); err != nil {
		t.Fatal(err)
	}
	if got.Size != 8<<20 || got.Replies != "extended" || got.Negotiation != "fixed newstyle" {
		t.Errorf("%+v", got)
	}
	if d := cmp.Diff(&peer.Sizes{Minimum: 4096, Preferred: 65536, MaxPayload: 1 << 20}, got.Constraints); d != "" {
		t.Error(d)
	}
	text := ok(t, "info", "--simple-replies", s.uri)
	for _, want := range []string{"8388608 (8MiB)", "minimum 4096", "SEND_TRIM", "simple"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
}

func TestListOfExports(t *testing.T) {
	t.Parallel()
	s := serving(t)
	if got, want := ok(t, "list", s.uri), "\"\"\n"; !strings.HasPrefix(got, `"`) {
		t.Errorf("%q, want something like %q", got, want)
	}
	var list []struct{ Name string }
	if err := json.Unmarshal([]byte(ok(t, "list", "--json", s.uri)), &list); err != nil || len(list) == 0 {
		t.Errorf("%v %v", list, err)
	}
}

func TestMapKnowsTheContextsOfQEMU(t *testing.T) {
	t.Parallel()
	s := serving(t, "--size", "4M", "--context", "qemu:dirty-bitmap:b0", "--context", "qemu:allocation-depth")
	name, _ := image(t)
	ok(t, "copy", "--compact-headers", name, s.uri)
	for context, want := range map[string][]string{
		"qemu:dirty-bitmap:b0": {"dirty", "clean"}, "qemu:allocation-depth": {"local", "absent"},
	} {
		text := ok(t, "map", "--context", context, s.uri)
		for _, w := range want {
			if !strings.Contains(text, w) {
				t.Errorf("no %s in\n%s", w, text)
			}
		}
	}
}

func TestInfoFitsATerminal(t *testing.T) {
	t.Parallel()
	s := serving(t, "--context", "base:allocation", "--context", "qemu:dirty-bitmap:one", "--context", "qemu:dirty-bitmap:two", "--context", "qemu:allocation-depth")
	for l := range strings.Lines(ok(t, "info", s.uri)) {
		if len(l) > 81 {
			t.Errorf("%d columns: %s", len(l)-1, l)
		}
	}
}

func TestMapJoinsExtents(t *testing.T) {
	t.Parallel()
	name, _ := image(t)
	s := serving(t, "--size", "4M")
	ok(t, "copy", name, s.uri)
	var list []peer.Mapped
	if err := json.Unmarshal([]byte(ok(t, "map", "--json", s.uri)), &list); err != nil {
		t.Fatal(err)
	}
	end := uint64(0)
	for i, m := range list {
		if m.Offset != end || i > 0 && list[i-1].Status == m.Status {
			t.Errorf("extent %d: %+v, want it at %d, unlike the one before", i, m, end)
		}
		end += m.Length
	}
	if end != 4<<20 || list[0].Description != "data" || list[1].Description != "hole,zero" {
		t.Errorf("%+v", list)
	}
	if text := ok(t, "map", "--totals", s.uri); !strings.Contains(text, "hole,zero") {
		t.Error(text)
	}
}

// Servers of others, where they are installed.
func TestToolsWithAnotherServer(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("nbdkit"); err != nil {
		t.Skip("nbdkit is not on PATH: apt-get install nbdkit")
	}
	name, content := image(t)
	socket := filepath.Join(t.TempDir(), "s")
	back := filepath.Join(t.TempDir(), "back")
	uri := "nbd+unix:///?socket=" + socket
	script := binary + " copy --quiet " + name + " '" + uri + "' && " + binary + " copy '" + uri + "' " + back + " && " +
		binary + " info '" + uri + "' && " + binary + " list '" + uri + "' && " + binary + " map '" + uri + "'"
	out, err := exec.Command("nbdkit", "-U", socket, "memory", "4M", "--run", script).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	got, err := os.ReadFile(back)
	if err != nil || !bytes.Equal(got[:len(content)], content) {
		t.Errorf("what came back differs: %v", err)
	}
	for _, want := range []string{"base:allocation", "4194304", "hole,zero"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("%q is missing in\n%s", want, out)
		}
	}
}
