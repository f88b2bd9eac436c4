package starttls_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"nbdconform/reference/starttls"
	"nbdconform/reference/starttls/pki"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// pair is two connected TCP sockets, closed with the test.
func pair(t testing.TB) (near, far net.Conn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ln.Close() }()
	if near, err = net.Dial("tcp", ln.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if far, err = ln.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = near.Close()
		_ = far.Close()
	})
	return near, far
}

// upgrade does the handshake on both sides.
func upgrade(t testing.TB, c starttls.Client, s starttls.Server) (near, far starttls.Conn, clientErr, serverErr error) {
	t.Helper()
	a, b := pair(t)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	done := make(chan struct{})
	go func() {
		defer close(done)
		if far, serverErr = s.Upgrade(ctx, b); serverErr != nil {
			_ = b.Close()
		}
	}()
	if near, clientErr = c.Upgrade(ctx, a); clientErr != nil {
		_ = a.Close()
	}
	<-done
	return near, far, clientErr, serverErr
}

func established(t testing.TB, c starttls.Client, s starttls.Server) (near, far starttls.Conn) {
	t.Helper()
	near, far, err1, err2 := upgrade(t, c, s)
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = near.Close()
		_ = far.Close()
	})
	return near, far
}

// sides are the ways of authentication that the tests of connections go through.
func sides(t *testing.T, test func(t *testing.T, c starttls.Client, s starttls.Server)) {
	p := pki.Shared()
	t.Run("X.509", func(t *testing.T) { test(t, p.Client("localhost"), p.Server(true)) })
	t.Run("X.509, TLS 1.2", func(t *testing.T) {
		s := p.Server(true)
		s.MaxVersion = tls.VersionTLS12
		test(t, p.Client("localhost"), s)
	})
	t.Run("PSK", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "keys.psk")
		if err := os.WriteFile(file, []byte("# who may\n\nbob:00\nalice:0123456789abcdef0123456789ABCDEF\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := starttls.LoadPSKServer(file)
		if errors.Is(err, starttls.ErrNoGnuTLS) {
			t.Skip(err)
		}
		c, err2 := starttls.LoadPSKClient(file, "alice")
		if err := errors.Join(err, err2); err != nil {
			t.Fatal(err)
		}
		test(t, c, s)
	})
	t.Run("anonymous", func(t *testing.T) {
		s, err := starttls.NewAnonymousServer()
		if errors.Is(err, starttls.ErrNoGnuTLS) {
			t.Skip(err)
		}
		c, err2 := starttls.NewAnonymousClient()
		if err := errors.Join(err, err2); err != nil {
			t.Fatal(err)
		}
		test(t, c, s)
	})
}

func TestBothDirectionsAtOnce(t *testing.T) {
	sides(t, func(t *testing.T, c starttls.Client, s starttls.Server) {
		near, far := established(t, c, s)
		const size = 4 << 20
		var group sync.WaitGroup
		for _, conn := range []net.Conn{near, far} {
			group.Go(func() {
				if _, err := conn.Write(bytes.Repeat([]byte{7}, size)); err != nil {
					t.Error(err)
				}
			})
			group.Go(func() {
				b := make([]byte, size)
				if _, err := io.ReadFull(conn, b); err != nil || len(bytes.Trim(b, "\x07")) > 0 {
					t.Errorf("wrong data, error %v", err)
				}
			})
		}
		group.Wait()
	})
}

func TestShutdownIsTold(t *testing.T) {
	sides(t, func(t *testing.T, c starttls.Client, s starttls.Server) {
		near, far := established(t, c, s)
		if err := near.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		if b, err := io.ReadAll(far); err != nil || len(b) > 0 || !far.Notified() {
			t.Errorf("got %x and %v, notified %v", b, err, far.Notified())
		}
		if _, err := far.Write([]byte("still here")); err != nil {
			t.Error(err)
		}
		_ = far.Close()
		if b, err := io.ReadAll(near); err != nil || string(b) != "still here" || !near.Notified() {
			t.Errorf("got %q and %v, notified %v", b, err, near.Notified())
		}
	})
}

func TestCutIsNoShutdown(t *testing.T) {
	sides(t, func(t *testing.T, c starttls.Client, s starttls.Server) {
		near, far := established(t, c, s)
		_ = near.NetConn().Close()
		if _, err := io.ReadAll(far); far.Notified() {
			t.Errorf("a connection that was cut counts as shut down; error %v", err)
		}
	})
}

func TestDeadline(t *testing.T) {
	sides(t, func(t *testing.T, c starttls.Client, s starttls.Server) {
		near, far := established(t, c, s)
		_ = near.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
		if _, err := near.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("got %v", err)
		}
		_ = near.SetReadDeadline(time.Time{})
		if _, err := far.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(near, make([]byte, 1)); err != nil {
			t.Errorf("reading after a deadline: %v", err)
		}
	})
}

func TestCloseWakesAReader(t *testing.T) {
	sides(t, func(t *testing.T, c starttls.Client, s starttls.Server) {
		near, _ := established(t, c, s)
		woken := make(chan error, 1)
		go func() {
			_, err := near.Read(make([]byte, 1))
			woken <- err
		}()
		time.Sleep(10 * time.Millisecond)
		_ = near.Close()
		if err := <-woken; err == nil {
			t.Error("the reader got something")
		}
	})
}

func TestHostileHandshake(t *testing.T) {
	sides(t, func(t *testing.T, c starttls.Client, s starttls.Server) {
		for name, garbage := range map[string][]byte{
			"text":         []byte("IHAVEOPT\x00\x00\x00\x03\x00\x00\x00\x00"),
			"empty record": {22, 3, 1, 0, 0},
			"huge record":  append([]byte{22, 3, 3, 0xff, 0xff}, make([]byte, 65535)...),
			"alert":        {21, 3, 3, 0, 2, 2, 40},
			"hello cut":    {22, 3, 1, 0, 4, 1, 0, 2, 0},
		} {
			t.Run(name, func(t *testing.T) {
				near, far := pair(t)
				ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
				defer cancel()
				if _, err := near.Write(garbage); err != nil {
					t.Fatal(err)
				}
				start := time.Now()
				if conn, err := s.Upgrade(ctx, far); err == nil {
					_ = conn.Close()
					t.Error("the server takes it")
				}
				if took := time.Since(start); took > 5*time.Second {
					t.Errorf("it took %v", took)
				}
			})
		}
		t.Run("silence", func(t *testing.T) {
			near, _ := pair(t)
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
			defer cancel()
			if _, err := c.Upgrade(ctx, near); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v", err)
			}
		})
	})
}

func TestWhoIsTrusted(t *testing.T) {
	p, other := pki.Shared(), mustPKI(t)
	for name, tt := range map[string]struct {
		client *starttls.X509Client
		want   string // in the error; "": none
	}{
		"by name":           {p.Client("localhost"), ""},
		"by address":        {p.Client("127.0.0.1"), ""},
		"without name":      {p.Client(""), ""},
		"other name":        {p.Client("example.org"), "example.org"},
		"other CA":          {other.Client("localhost"), "unknown authority"},
		"other CA, no name": {other.Client(""), "unknown authority"},
		"no verification":   {&starttls.X509Client{NoVerify: true}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			near, far, err, _ := upgrade(t, tt.client, p.Server(false))
			if near != nil {
				_ = near.Close()
			}
			if far != nil {
				_ = far.Close()
			}
			switch {
			case tt.want == "" && err != nil:
				t.Error(err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
	for name, c := range map[string]*starttls.X509Client{"other CA": other.Client("localhost"), "none": p.Client("localhost")} {
		t.Run("client with a certificate of "+name, func(t *testing.T) {
			c.Authorities = p.Client("").Authorities
			if name == "none" {
				c.Identity = nil
			}
			near, _, _, err := upgrade(t, c, p.Server(true))
			if near != nil {
				_ = near.Close()
			}
			if err == nil {
				t.Error("the server takes the client")
			}
		})
	}
}

func TestDirectory(t *testing.T) {
	dir := t.TempDir()
	if _, err := starttls.LoadServer(dir, false); err == nil {
		t.Error("a server without a certificate")
	}
	if _, err := starttls.LoadClient(filepath.Join(dir, "missing")); err == nil {
		t.Error("a directory that is not there")
	}
	if err := pki.Shared().Write(dir); err != nil {
		t.Fatal(err)
	}
	s, err := starttls.LoadServer(dir, true)
	if err != nil {
		t.Fatal(err)
	}
	c, err := starttls.LoadClient(dir)
	if err != nil {
		t.Fatal(err)
	}
	c.ServerName = "localhost"
	near, _ := established(t, c, s)
	if near.Protocol() != "TLS 1.3" {
		t.Errorf("they speak %s", near.Protocol())
	}
	if err := os.WriteFile(filepath.Join(dir, starttls.CACert), []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := starttls.LoadClient(dir); err == nil {
		t.Error("a file without a certificate")
	}
}

func mustPKI(t *testing.T) *pki.PKI {
	t.Helper()
	p, err := pki.New("localhost")
	if err != nil {
		t.Fatal(err)
	}
	return p
}
