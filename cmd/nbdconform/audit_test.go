package main

import (
	"bufio"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAuditOfCaptures(t *testing.T) {
	t.Parallel()
	run := nbdconform(t, "run", "--quirk", "reply-cookie-off-by-one", "--filter", "cookie.values")
	run.want(t, exitViolates)
	text := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(text, []byte("no capture"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		file, want string
		status     int
	}{
		"a good conversation": {"../../reports/capture/testdata/nbdinfo-nbdkit.pcap", "2 connections judged, 0 MUST and 0 SHOULD broken", exitConforms},
		"a bad one":           {filepath.Join(run.out, "evidence/cookie.values/capture.pcapng"), "server breaks trans.cookie.echo (MUST) at byte 104", exitViolates},
		"no capture":          {text, "", exitUntrusted},
		"no file":             {text + "s", "", exitUntrusted},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file, err := filepath.Abs(tc.file)
			if err != nil {
				t.Fatal(err)
			}
			o := nbdconform(t, "audit", file)
			o.want(t, tc.status)
			if !strings.Contains(o.stdout, tc.want) {
				t.Errorf("no %q in\n%s", tc.want, o.stdout)
			}
			fits(t, o.stdout)
		})
	}
}

func TestAuditAsAProxy(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		quirk  []string
		want   string
		status int
	}{
		"a good server": {nil, "1 connection judged, 0 MUST and 0 SHOULD broken", exitConforms},
		"a bad one":     {[]string{"--quirk", "abort-unsupported"}, "server breaks opt.abort.ack (MUST)", exitViolates},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serving(t, tc.quirk...)
			socket := filepath.Join(t.TempDir(), "a")
			p := prepare(t, nil, "audit", "--once", "--listen", "unix:"+socket, "--to", s.uri, "--capture", socket+".pcapng")
			p.cmd.Stderr = nil
			stderr, err := p.cmd.StderrPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := p.cmd.Start(); err != nil {
				t.Fatal(err)
			}
			line, err := bufio.NewReader(stderr).ReadString('\n')
			if err != nil || !strings.HasPrefix(line, "listening at ") {
				t.Fatalf("%q, %v", line, err)
			}
			abort(t, socket)
			o := p.end()
			o.want(t, tc.status)
			if !strings.Contains(o.stdout, tc.want) {
				t.Errorf("no %q in\n%s", tc.want, o.stdout)
			}
			if said := nbdconform(t, "replay", "--script", socket+".pcapng").stdout; !strings.Contains(said, "0 NBD_OPT_ABORT\n") {
				t.Errorf("the capture has\n%s", said)
			}
		})
	}
}

// abort greets a server, aborts and waits for the end.
func abort(t *testing.T, socket string) {
	t.Helper()
	c := dialUnix(t, socket)
	defer c.Close()
	if _, err := io.ReadFull(c, make([]byte, 18)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(c, "\x00\x00\x00\x03IHAVEOPT\x00\x00\x00\x02\x00\x00\x00\x00"); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(c, make([]byte, 20)); err != nil {
		t.Fatal(err)
	}
}
