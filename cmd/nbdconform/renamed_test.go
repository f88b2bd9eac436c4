package main

import (
	"strings"
	"testing"
)

// Flags are understood by their former names, which is said once.
func TestRenamedFlags(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ args, want string }{
		"of run":    {"run --target nbdkit --suite buster", `unknown release "buster"`},
		"of matrix": {"matrix --suites buster --suites buster", `unknown release "buster"`},
	} {
		o := nbdconform(t, strings.Fields(tc.args)...)
		o.want(t, exitUntrusted)
		if strings.Count(o.stderr, " is now --release") != 1 || !strings.Contains(o.stderr, tc.want) {
			t.Errorf("%s:\n%s", name, o.stderr)
		}
	}
	o := nbdconform(t, "run", "--filter", "abort.ack", "--suite=trixie")
	o.want(t, exitConforms)
	if !strings.HasPrefix(o.stderr, "nbdconform: --suite is now --release\n") || strings.Contains(o.stdout, "suite is now") {
		t.Errorf("%s", o.stderr)
	}
	if help := nbdconform(t, "run", "--help").stdout; strings.Contains(help, "--suite") || !strings.Contains(help, "--release") {
		t.Errorf("%s", help)
	}
}
