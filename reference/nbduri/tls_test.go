package nbduri

import (
	"errors"
	"strings"
	"testing"

	"nbdconform/reference/starttls"
	"nbdconform/reference/starttls/pki"
)

func TestStartTLS(t *testing.T) {
	dir := t.TempDir()
	if err := pki.Shared().Write(dir); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		uri, name string
		identity  bool
		noVerify  bool
	}{
		{"nbds://h/?tls-certificates=" + dir, "h", true, false},
		{"nbds:?tls-certificates=" + dir, "localhost", true, false},
		{"nbd://h/?tls-certificates=" + dir, "h", true, false},
		{"nbds://h/?tls-hostname=g", "g", false, false},
		{"nbds://h/?tls-verify-peer=0", "h", false, true},
		{"nbds+unix:///?socket=s&tls-certificates=" + dir, "", true, false},
		{"nbds+unix:///?socket=s&tls-hostname=g&tls-certificates=" + dir, "g", true, false},
	} {
		got, err := MustParse(tt.uri).StartTLS()
		c, ok := got.(*starttls.X509Client)
		if err != nil || !ok {
			t.Errorf("%s: %v, %v", tt.uri, got, err)
			continue
		}
		if c.ServerName != tt.name || (c.Identity != nil) != tt.identity || c.NoVerify != tt.noVerify {
			t.Errorf("%s: %+v", tt.uri, c)
		}
	}
	if c, err := MustParse("nbd://h/").StartTLS(); c != nil || err != nil {
		t.Errorf("a URI that says nothing of TLS: %v, %v", c, err)
	}
	if c, err := MustParse("nbds://h/?tls-type=anon").StartTLS(); (c == nil || err != nil) && !errors.Is(err, starttls.ErrNoGnuTLS) {
		t.Errorf("a URI that wants to know nobody: %v, %v", c, err)
	}
	for uri, want := range map[string]string{
		"nbds://h/?tls-type=anon&tls-verify-peer=1": "tls-type=anon never says",
		"nbds://h/?tls-certificates=/missing/1":     "/missing/1",
		"nbds://h/?tls-psk-file=/missing/2":         "/missing/2",
		"nbds://h/?tls-type=psk":                    "file",
	} {
		if c, err := MustParse(uri).StartTLS(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, %v, want %q", uri, c, err, want)
		}
	}
}
