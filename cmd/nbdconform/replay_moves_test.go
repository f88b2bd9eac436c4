package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// fragile copies, and dies of a signal where that fails.
const fragile = `"$NBDCONFORM" copy --quiet "$0" "$1" || kill -SEGV $$`

func TestReplayMoves(t *testing.T) {
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
	fatal := write("a.moves", "# finding: "+crash+"\nactivity copy-out\nhang-up-after 3000\nsegments 27\n")
	mild := write("b.moves", "# finding: "+crash+"\nactivity copy-out\nsegments 27\n")
	plain := write("c.moves", "activity copy-in\nfail 1\n")
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
		"something is found":  {append([]string{write("d.moves", "activity copy-out\nhang-up-after 9\n")}, program...), exitViolates, "\nfindings: 1\n"},
		"no client":           {[]string{fatal}, exitUntrusted, "name the client that visits it"},
		"an unknown client":   {[]string{fatal, "--client", "curl"}, exitUntrusted, `unknown client program "curl"`},
		"an unknown suite":    {[]string{fatal, "--client", "nbdcopy", "--release", "buster"}, exitUntrusted, `unknown release "buster"`},
		"an unknown provider": {[]string{fatal, "--client", "nbdcopy", "--provider", "vm"}, exitUntrusted, `unknown provider "vm"`},
		"two clients":         {append([]string{fatal, "--client", "nbdcopy"}, program...), exitUntrusted, "which is it?"},
		"a server":            {[]string{fatal, "--client", "reference", "--target", "nbdkit"}, exitUntrusted, "leave out what says which server"},
		"of no moves":         {[]string{write("e.script", "0 flags 0\n"), "--client", "nbdcopy"}, exitUntrusted, "--client goes with a bundle or a file of moves"},
		"no file":             {[]string{filepath.Join(dir, "none.moves"), "--client", "reference"}, exitUntrusted, "no such file"},
		"no activity":         {[]string{write("f.moves", "segments 3\n"), "--client", "reference"}, exitUntrusted, "there is no activity"},
		"an odd activity":     {[]string{write("g.moves", "activity dance\n"), "--client", "reference"}, exitUntrusted, `line 1: "dance" is no activity`},
		"an odd move":         {[]string{write("h.moves", "activity map\nhop 3\n"), "--client", "reference"}, exitUntrusted, `line 2: "hop 3" is no move`},
		"an odd number":       {[]string{write("i.moves", "activity map\nfail 0\n"), "--client", "reference"}, exitUntrusted, "want a positive number"},
		"two of a kind":       {[]string{write("j.moves", "activity map\nfail 1\nfail 2\n"), "--client", "reference"}, exitUntrusted, "there is a second fail"},
		"an unknown quirk":    {[]string{write("k.moves", "activity map\nquirk lazy\n"), "--client", "reference"}, exitUntrusted, `has no quirk "lazy"`},
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
