package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// fragile copies, and dies of a signal where that fails.
const fragile = `"$NBDCONFORM" copy --quiet "$0" "$1" || kill -SEGV $$`

func TestReplayFaultScripts(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		return path
	}
	const crash = "crash copy-out segmentation fault"
	fatal := write("a.faults", "# finding: "+crash+"\noperation copy-out\nhang-up-after 3000\nsegments 27\n")
	mild := write("b.moves", "# finding: "+crash+"\nactivity copy-out\nsegments 27\n")
	plain := write("c.faults", "operation copy-in\nfail 1\n")
	program := []string{"--", "sh", "-c", fragile, "{uri}", "{file}"}
	for name, tt := range map[string]struct {
		args   []string
		status int
		want   string
	}{
		"again":               {append([]string{fatal}, program...), exitViolates, "\nreproduced: " + crash + "\n"},
		"a sound client":      {[]string{fatal, "--client", "reference"}, exitConforms, "\nnot reproduced: " + crash + "; findings: 0\n"},
		"without what did it": {append([]string{mild}, program...), exitConforms, "copy-out: success\nnot reproduced: "},
		"nothing was found":   {[]string{plain, "--client", "reference"}, exitConforms, "\nnothing found\n"},
		"something is found":  {append([]string{write("d.faults", "operation copy-out\nhang-up-after 9\n")}, program...), exitViolates, "\nfindings: 1\n"},
		"no client":           {[]string{fatal}, exitUntrusted, "name the client to run"},
		"an unknown client":   {[]string{fatal, "--client", "curl"}, exitUntrusted, `unknown client program "curl"`},
		"an unknown suite":    {[]string{fatal, "--client", "nbdcopy", "--release", "buster"}, exitUntrusted, `unknown release "buster"`},
		"an unknown provider": {[]string{fatal, "--client", "nbdcopy", "--provider", "vm"}, exitUntrusted, `unknown provider "vm"`},
		"two clients":         {append([]string{fatal, "--client", "nbdcopy"}, program...), exitUntrusted, "which is it?"},
		"a server":            {[]string{fatal, "--client", "reference", "--target", "nbdkit"}, exitUntrusted, "leave out what says which server"},
		"no fault script":     {[]string{write("e.script", "0 flags 0\n"), "--client", "nbdcopy"}, exitUntrusted, "--client goes with a bundle or a fault script"},
		"no file":             {[]string{filepath.Join(dir, "none.faults"), "--client", "reference"}, exitUntrusted, "no such file"},
		"no operation":        {[]string{write("f.faults", "segments 3\n"), "--client", "reference"}, exitUntrusted, "it names no operation"},
		"an odd operation":    {[]string{write("g.faults", "operation dance\n"), "--client", "reference"}, exitUntrusted, `line 1: "dance" is no operation`},
		"an odd fault":        {[]string{write("h.faults", "operation map\nhop 3\n"), "--client", "reference"}, exitUntrusted, `line 2: "hop 3" is no fault`},
		"an odd number":       {[]string{write("i.faults", "operation map\nfail 0\n"), "--client", "reference"}, exitUntrusted, "want a positive number"},
		"two of a kind":       {[]string{write("j.faults", "operation map\nfail 1\nfail 2\n"), "--client", "reference"}, exitUntrusted, "there is a second fail"},
		"an unknown quirk":    {[]string{write("k.faults", "operation map\nquirk lazy\n"), "--client", "reference"}, exitUntrusted, `has no quirk "lazy"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := start(t, []string{"NBDCONFORM=" + binary}, append([]string{"replay"}, tt.args...)...).end()
			o.want(t, tt.status)
			if !strings.Contains(o.stdout+o.stderr, tt.want) {
				t.Errorf("no %q in\n%s%s", tt.want, o.stdout, o.stderr)
			}
		})
	}
}
