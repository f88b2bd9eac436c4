package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Everything that is wrong in a configuration file is said with its line.
func TestServeSaysWhatIsWrongInAFile(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "serve.yaml")
	if err := os.WriteFile(file, []byte("exports:\n  - name: disk\n    sise: 1M\nhandshake: new\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"--check-config"}, nil} {
		o := nbdconform(t, append([]string{"serve", "--config", file}, args...)...)
		o.want(t, exitUntrusted)
		for _, w := range []string{
			file + `:3: exports[0]: unknown key "sise", want one of block-size, `,
			file + `:4: handshake: want one of fixed-newstyle, newstyle, oldstyle, got "new"`,
		} {
			if !strings.Contains(o.stderr, w) {
				t.Errorf("no %q in %s", w, o.stderr)
			}
		}
		if o.stdout != "" {
			t.Errorf("stdout: %s", o.stdout)
		}
	}
	if err := os.WriteFile(file, []byte("exports:\n  - name: disk\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	o := nbdconform(t, "serve", "--config", file)
	o.want(t, exitUntrusted)
	if want := file + `: line 2: export "disk": the key size is missing`; !strings.Contains(o.stderr, want) {
		t.Errorf("no %q in %s", want, o.stderr)
	}
}
