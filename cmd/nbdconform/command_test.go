package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"nbdconform/containers/containertest"
)

func TestRunStartsAnyCommand(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		needs string
		argv  []string
	}{
		"this program at a socket": {argv: []string{binary, "serve", "--unix", "{socket}"}},
		"this program at a port":   {argv: []string{binary, "serve", "--listen", "127.0.0.1:{port}"}},
		"nbdkit at a socket":       {"nbdkit", argWords("nbdkit -f -U {socket} memory 8M")},
		"nbdkit at a port":         {"nbdkit", argWords("nbdkit -f -i 127.0.0.1 -p {port} memory 8M")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if tc.needs != "" {
				containertest.NeedProgram(t, tc.needs)
			}
			tmp := shortTempDir(t)
			p := start(t, []string{"TMPDIR=" + tmp}, append([]string{"run", "--"}, tc.argv...)...)
			o := p.end()
			r := o.result(t)
			if tc.needs == "" {
				o.want(t, exitConforms)
			} else if o.status == exitUntrusted {
				t.Errorf("not to be trusted: %q", r.Doubts())
			}
			wholeCensus(t, r)
			if !slices.Equal(r.Target.Command, tc.argv) {
				t.Errorf("command %q", r.Target.Command)
			}
			if left, err := os.ReadDir(tmp); err != nil || len(left) > 0 {
				t.Errorf("left behind: %v, %v", left, err)
			}
		})
	}
}

// shortTempDir makes a directory with a path that leaves room for a socket's:
// that has 107 bytes.
func shortTempDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "t")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func TestATemporaryDirectoryTooDeepForASocketSaysSo(t *testing.T) {
	t.Parallel()
	deep := filepath.Join(t.TempDir(), strings.Repeat("d", 100))
	if err := os.Mkdir(deep, 0o700); err != nil {
		t.Fatal(err)
	}
	o := start(t, []string{"TMPDIR=" + deep}, "run", "--", binary, "serve", "--unix", "{socket}").end()
	o.want(t, exitUntrusted)
	if !strings.Contains(o.stderr, "set TMPDIR to a shorter one") {
		t.Error(o.stderr)
	}
}
