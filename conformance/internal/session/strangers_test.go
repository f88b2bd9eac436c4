package session_test

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nbdconform/conformance/internal/session"
	"nbdconform/conformance/subject"
	"nbdconform/conformance/subject/referenceserver"
	"nbdconform/reference/server"
	"nbdconform/reference/starttls/pki"
)

// listen serves a profile of the reference server at an address.
func listen(t *testing.T, network, address, profile string) net.Addr {
	t.Helper()
	config, _, err := referenceserver.Config(profile, 1<<20, "")
	if err != nil {
		t.Fatal(err)
	}
	srv, err := server.New(config)
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = srv.Serve(context.Background(), ln)
	}()
	t.Cleanup(func() {
		_ = srv.Close()
		<-done
	})
	return ln.Addr()
}

// discover is what comes of a server that the user named by its URI.
func discover(t *testing.T, uri string) (*session.Server, error) {
	t.Helper()
	a, _, err := subject.NewRemoteServer(uri, false)
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	s, err := session.Discover(t.Context(), a, session.Options{})
	if took := time.Since(start); took > 30*time.Second {
		t.Errorf("that took %v", took)
	}
	return s, err
}

// A URI that demands TLS is never judged in the clear.
func TestTLSThatTheURIDemands(t *testing.T) {
	certificates := func(p *pki.PKI) string {
		dir := t.TempDir()
		if err := p.Write(dir); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	own := certificates(pki.Shared())
	strange, err := pki.New("localhost")
	if err != nil {
		t.Fatal(err)
	}
	other := certificates(strange)
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	const lacks = "the server does not do TLS, which the URI demands: it answers NBD_OPT_STARTTLS with NBD_REP_ERR_UNSUP"
	for name, tt := range map[string]struct {
		profile, network, query string
		want                    string // of the error; "": it is judged
	}{
		"TLS over TCP":              {"tls", "tcp", "?tls-hostname=localhost&tls-certificates=" + own, ""},
		"TLS over a Unix socket":    {"tls", "unix", "&tls-certificates=" + own, ""},
		"plain text over TCP":       {"default", "tcp", "?tls-hostname=localhost&tls-certificates=" + own, lacks},
		"plain text over a socket":  {"default", "unix", "&tls-certificates=" + own, lacks},
		"an authority that is none": {"tls", "tcp", "?tls-hostname=localhost&tls-certificates=" + other, "no TLS with the server, which the URI demands: "},
	} {
		t.Run(name, func(t *testing.T) {
			var uri string
			if tt.network == "tcp" {
				uri = "nbds://" + listen(t, "tcp", "127.0.0.1:0", tt.profile).String() + "/disk" + tt.query
			} else {
				path := filepath.Join(dir, tt.profile)
				listen(t, "unix", path, tt.profile)
				uri = "nbds+unix:///disk?socket=" + path + tt.query
			}
			s, err := discover(t, uri)
			switch {
			case tt.want == "" && (err != nil || !s.Facts.Secure || !s.Facts.Entered):
				t.Errorf("%v", err)
			case tt.want != "" && (err == nil || !strings.HasPrefix(err.Error(), tt.want) || strings.Contains(err.Error(), "\n")):
				t.Errorf("%v", err)
			}
		})
	}
}
