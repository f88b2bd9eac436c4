package main

import (
	"fmt"
	"strings"
	"testing"

	"nbdconform/conformance/target/inprocess"
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

func TestServeTLSFlags(t *testing.T) {
	dir := certificates(t)
	for _, tc := range []struct {
		flags serveTLS
		mode  server.TLSMode
		want  string // in the error
	}{
		{serveTLS{mode: "off"}, server.NoTLS, ""},
		{serveTLS{mode: "on", certificates: dir}, server.SelectiveTLS, ""},
		{serveTLS{mode: "require", certificates: dir, verifyPeer: true}, server.ForcedTLS, ""},
		{serveTLS{mode: "maybe"}, 0, "none of off, on, require"},
		{serveTLS{mode: "off", certificates: dir}, 0, "no effect"},
		{serveTLS{mode: "on"}, 0, "either"},
		{serveTLS{mode: "on", certificates: dir, psk: "keys"}, 0, "either"},
		{serveTLS{mode: "on", psk: "keys", verifyPeer: true}, 0, "goes with"},
		{serveTLS{mode: "on", certificates: t.TempDir()}, 0, "server-cert.pem"},
		{serveTLS{mode: "on", psk: "/missing/keys"}, 0, "/missing/keys"},
	} {
		var cfg server.Config
		err := tc.flags.apply(&cfg)
		switch {
		case tc.want == "" && (err != nil || cfg.TLS.Mode != tc.mode):
			t.Errorf("%+v: %v, %v", tc.flags, cfg.TLS.Mode, err)
		case tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)):
			t.Errorf("%+v: %v, want %q", tc.flags, err, tc.want)
		}
	}
}

// TestRunWithinTLS judges a server that insists on TLS at its address.
func TestRunWithinTLS(t *testing.T) {
	t.Parallel()
	dir := certificates(t)
	cfg := server.Config{Exports: []server.Export{disk("disk", inprocess.DefaultSize)}}
	if err := (&serveTLS{mode: "require", certificates: dir, verifyPeer: true}).apply(&cfg); err != nil {
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
	o = start(t, nil, "run", "--uri", uri+"&tls-type=anon").end()
	o.want(t, exitUntrusted)
	if !strings.Contains(o.stderr, "not supported") {
		t.Error(o.stderr)
	}
}
