package starttls_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"nbdconform/reference/starttls"
	"nbdconform/reference/starttls/pki"
)

func keys(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "keys.psk")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestKeysFile(t *testing.T) {
	for name, tt := range map[string]struct{ text, want string }{
		"no keys":     {"# nobody\n", "has none"},
		"no hex":      {"alice:xyz\n", "line 1"},
		"odd":         {"\nalice:123\n", "line 2"},
		"no name":     {":1234\n", "line 1"},
		"no key":      {"alice:\n", "line 1"},
		"others only": {"bob:1234\n", "has none for \"alice\""},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := starttls.LoadPSKClient(keys(t, tt.text), "alice"); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func TestWrongKey(t *testing.T) {
	s, err := starttls.LoadPSKServer(keys(t, "alice:0123456789abcdef0123456789abcdef\n"))
	if errors.Is(err, starttls.ErrNoGnuTLS) {
		t.Skip(err)
	} else if err != nil {
		t.Fatal(err)
	}
	for name, key := range map[string]string{
		"alice": "ff23456789abcdef0123456789abcdef",
		"bob":   "0123456789abcdef0123456789abcdef",
	} {
		t.Run(name, func(t *testing.T) {
			c, err := starttls.LoadPSKClient(keys(t, name+":"+key+"\n"), name)
			if err != nil {
				t.Fatal(err)
			}
			near, far, clientErr, serverErr := upgrade(t, c, s)
			if near != nil {
				_ = near.Close()
			}
			if far != nil {
				_ = far.Close()
			}
			if clientErr == nil || serverErr == nil {
				t.Errorf("got %v and %v", clientErr, serverErr)
			}
		})
	}
}

// Whoever knows who they are does not talk to somebody who doesn't say.
func TestAnonymityIsNotTakenForAnother(t *testing.T) {
	anon, err := starttls.NewAnonymousServer()
	if errors.Is(err, starttls.ErrNoGnuTLS) {
		t.Skip(err)
	}
	client, err2 := starttls.NewAnonymousClient()
	shared := keys(t, "alice:0123456789abcdef0123456789abcdef\n")
	alice, err3 := starttls.LoadPSKClient(shared, "alice")
	door, err4 := starttls.LoadPSKServer(shared)
	if err := errors.Join(err, err2, err3, err4); err != nil {
		t.Fatal(err)
	}
	p := pki.Shared()
	for name, tt := range map[string]struct {
		client starttls.Client
		server starttls.Server
	}{
		"certificates at an anonymous server": {p.Client("localhost"), anon},
		"a key at an anonymous server":        {alice, anon},
		"nobody at a server with keys":        {client, door},
		"nobody at a server with a name":      {client, p.Server(false)},
	} {
		t.Run(name, func(t *testing.T) {
			near, far, clientErr, serverErr := upgrade(t, tt.client, tt.server)
			if near != nil {
				_ = near.Close()
			}
			if far != nil {
				_ = far.Close()
			}
			if clientErr == nil || serverErr == nil {
				t.Errorf("got %v and %v", clientErr, serverErr)
			}
		})
	}
}
