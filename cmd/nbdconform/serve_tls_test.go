package main

import (
	"fmt"
	"strings"
	"testing"

	"nbdconform/conformance/subject/referenceserver"
	"nbdconform/reference/configfile"
	"nbdconform/reference/server"
	"nbdconform/reference/starttls/pki"
)

func certificates(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := pki.Shared().Write(dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestRunWithinTLS judges a server that insists on TLS at its address.
func TestRunWithinTLS(t *testing.T) {
	t.Parallel()
	dir := certificates(t)
	cfg := server.Config{Exports: []server.Export{disk("disk", referenceserver.DefaultSize)}}
	if err := (configfile.TLS{Mode: "require", Certificates: dir, VerifyPeer: true}).Apply(&cfg); err != nil {
		t.Fatal(err)
	}
	uri := offer(t, cfg)
	o := start(t, nil, "run", "--filter", "id: containsAny {tls.forced.options, tls.shutdown.disc, list.reply}",
		"--uri", fmt.Sprintf("%s&tls-hostname=localhost&tls-certificates=%s", uri, dir)).end()
	o.want(t, exitConforms)
	for _, s := range o.result(t).Specs {
		if s.Verdict != "pass" {
			t.Errorf("%s: %s", s.ID, s.Verdict)
		}
	}
	o = start(t, nil, "run", "--uri", uri+"&tls-type=anon&tls-verify-peer=1").end()
	o.want(t, exitUntrusted)
	if !strings.Contains(o.stderr, "which tls-type=anon never says") {
		t.Error(o.stderr)
	}
}
