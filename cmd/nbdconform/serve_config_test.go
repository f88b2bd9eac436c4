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
	const one = "exports:\n  - name: disk\n    size: 1M\n"
	for text, want := range map[string]string{
		"exports:\n  - name: disk\n":                                                              `: line 2: export "disk": the key size is missing`,
		one + "    faults: [{error: EIO, offset: 2M, length: 512}]\n":                             `: line 2: export "disk": fault 1: bytes 2097152 to 2097663 are not within the export, which has 1048576 bytes: `,
		one + "    contexts: [\"qemu:dirty-bitmap:b\"]\n    dirty: [{offset: 1M, length: 512}]\n": `: line 2: export "disk": dirty range 1: bytes 1048576 to 1049087 are not within `,
		one + "dialect: get-lba-status\nextended-headers: true\n":                                 `: extended-headers: true does not go with dialect: get-lba-status, and would have no effect: leave one of them out`,
	} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, args := range [][]string{{"--check-config"}, nil} {
			o := nbdconform(t, append([]string{"serve", "--config", file}, args...)...)
			o.want(t, exitUntrusted)
			if !strings.HasPrefix(o.stderr, "nbdconform: "+file+want) || strings.Count(o.stderr, "\n") != 1 {
				t.Errorf("want %q, got %s", want, o.stderr)
			}
		}
	}
}
