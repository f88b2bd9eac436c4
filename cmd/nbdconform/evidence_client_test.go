package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"nbdconform/reports/evidence"
)

// What a client program did wrong is in its bundle, for tshark as well, and
// comes again.
func TestEvidenceOfAClient(t *testing.T) {
	t.Parallel()
	const spec = "judge.tls.client.starttls.again"
	out := t.TempDir()
	o := nbdconform(t, "clients", "--out", out, "--program", "reference", "--quirk", "client-starttls-twice", "--filter", "client.tls.forced")
	o.want(t, exitViolates)
	dir := filepath.Join(out, "evidence", spec)
	b, err := evidence.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	if b.Task == nil || b.Offending == nil || !b.Offending.Judged || b.Run.Quirk != "client-starttls-twice" || b.Afterwards.Exit != "exit status 0" {
		t.Errorf("%+v", b)
	}
	text, err := os.ReadFile(filepath.Join(dir, evidence.TranscriptFile))
	if err != nil || !strings.Contains(string(text), "!! client breaks tls.client.starttls.again") {
		t.Errorf("%v\n%s", err, text)
	}
	for name, tc := range map[string]struct {
		args   []string
		status int
		want   string
	}{
		"as recorded":       {nil, exitViolates, "\nreproduced: "},
		"without the quirk": {[]string{"--quirk", ""}, exitConforms, "\nnot reproduced: it passes"},
		"another client":    {[]string{"--client", "reference"}, exitConforms, "\nnot reproduced: it passes"},
		"a server":          {[]string{"--target", "reference"}, exitUntrusted, ""},
		"no such client":    {[]string{"--client", "toaster"}, exitUntrusted, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := nbdconform(t, append([]string{"replay", dir}, tc.args...)...)
			r.want(t, tc.status)
			if !strings.Contains(r.stdout, tc.want) {
				t.Errorf("no %q in\n%s", tc.want, r.stdout)
			}
		})
	}
	t.Run("tshark", func(t *testing.T) {
		t.Parallel()
		tshark, err := exec.LookPath("tshark")
		if err != nil {
			t.Skip("tshark is not on PATH: the capture was not read")
		}
		out, err := exec.CommandContext(t.Context(), tshark, "-r", filepath.Join(dir, evidence.CaptureFile),
			"-Y", `frame.comment contains "this breaks tls.client.starttls.again"`, "-T", "fields", "-e", "tcp.dstport", "-e", "tcp.payload").Output()
		const option = "49484156454f505400000005" // IHAVEOPT, NBD_OPT_STARTTLS
		if err != nil || !strings.HasPrefix(string(out), "10809\t"+option) {
			t.Errorf("%v: %q", err, out)
		}
	})
}

// A client of three lines sets a flag that nobody defined. The script finds that
// again, and not with a client that doesn't.
const hasty = `
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
s.recv(18, socket.MSG_WAITALL)
s.sendall(bytes([0, 0, 0, int(sys.argv[2])]))
s.close()
`

func TestEvidenceOfAClientReproducesWithoutUs(t *testing.T) {
	t.Parallel()
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("python3 is not on PATH: the script was not run")
	}
	program := filepath.Join(t.TempDir(), "hasty.py")
	if err := os.WriteFile(program, []byte(hasty), 0o600); err != nil {
		t.Fatal(err)
	}
	out := t.TempDir()
	o := nbdconform(t, "clients", "--out", out, "--filter", "client.baseline.visit", "--", python, program, "{socket}", "131")
	o.want(t, exitViolates)
	script := filepath.Join(out, "evidence", "judge.flag.client.unknown", evidence.ScriptFile)
	for name, tc := range map[string]struct {
		args   []string
		status int
		want   string
	}{
		"the same":        {nil, exitViolates, "the message in question came again"},
		"another":         {[]string{"--", python, program, "{socket}", "3"}, exitConforms, "something else came"},
		"none that comes": {[]string{"--timeout", "0.5", "--", "true"}, exitConforms, "no connection is made in time"},
		"none":            {[]string{"--", "no-such-program"}, exitUntrusted, "can't tell"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd := exec.CommandContext(t.Context(), python, append([]string{script}, tc.args...)...)
			out, _ := cmd.CombinedOutput()
			if got := cmd.ProcessState.ExitCode(); got != tc.status || !strings.Contains(string(out), tc.want) {
				t.Errorf("exit status %d, want %d and %q:\n%s", got, tc.status, tc.want, out)
			}
		})
	}
}
