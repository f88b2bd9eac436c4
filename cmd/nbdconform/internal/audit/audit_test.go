package audit

import (
	"bufio"
	"context"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"nbdconform/conformance/subject/referenceserver"
	"nbdconform/reference/client"
	"nbdconform/reference/server"
	"nbdconform/reports/result"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// socket is a path that is short enough for a Unix socket.
func socket(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "a")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return filepath.Join(dir, "s")
}

// serve serves the reference server with a quirk, and returns its URI.
func serve(t *testing.T, quirk string) string {
	t.Helper()
	cfg, _, err := referenceserver.Config("", 1<<20, quirk)
	if err != nil {
		t.Fatal(err)
	}
	srv, err := server.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	path := socket(t)
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = srv.Serve(context.Background(), l)
	}()
	t.Cleanup(func() {
		srv.Close()
		<-done
	})
	return "nbd+unix:///?socket=" + path
}

// A session is a proxy that runs.
type session struct {
	Proxy
	path   string
	log    *bufio.Reader
	report strings.Builder
	auditor
	ended chan error
}

type auditor = *Auditor

func begin(t *testing.T, ctx context.Context, p Proxy) *session {
	t.Helper()
	s := &session{Proxy: p, path: socket(t), ended: make(chan error, 1)}
	read, write := io.Pipe()
	t.Cleanup(func() { read.Close() })
	s.Listen, s.Log, s.log = "unix:"+s.path, write, bufio.NewReader(read)
	s.auditor = &Auditor{Out: &s.report}
	go func() { s.ended <- s.Run(ctx, s.auditor) }()
	if line, err := s.log.ReadString('\n'); err != nil || !strings.HasPrefix(line, "listening at "+s.path) {
		t.Fatalf("%q, %v", line, err)
	}
	return s
}

// talk has a client read from the export through the proxy, and leave.
func (s *session) talk(t *testing.T) error {
	t.Helper()
	c, err := net.Dial("unix", s.path)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := client.Connect(t.Context(), c, client.Config{})
	if err != nil {
		_ = c.Close()
		return err
	}
	if err := conn.ReadAt(t.Context(), make([]byte, 512), 0, 0); err != nil {
		_ = conn.Close()
		return err
	}
	return conn.Disconnect(t.Context())
}

func (s *session) end(t *testing.T) error {
	t.Helper()
	select {
	case err := <-s.ended:
		return err
	case <-time.After(30 * time.Second):
		t.Fatal("the proxy does not end")
		return nil
	}
}

func TestAProxyJudgesWhatItPasses(t *testing.T) {
	for name, tc := range map[string]struct {
		quirk, want string
		status      int
	}{
		"a good server": {"", "1 connection judged, 0 MUST and 0 SHOULD broken", result.ExitConforms},
		"a bad one":     {"reply-cookie-off-by-one", "server breaks trans.cookie.echo (MUST) at byte ", result.ExitFails},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "said.pcapng")
			s := begin(t, t.Context(), Proxy{To: serve(t, tc.quirk), Once: true, Capture: file, Version: "v1"})
			if err := s.talk(t); (err != nil) != (tc.quirk != "") {
				t.Errorf("the client: %v", err)
			}
			if err := s.end(t); err != nil {
				t.Fatal(err)
			}
			status := s.Conclude()
			if status != tc.status || !strings.Contains(s.report.String(), tc.want) {
				t.Errorf("status %d\n%s", status, s.report.String())
			}
			var again strings.Builder // what was captured is judged as it was
			a := Auditor{Out: &again}
			if err := a.File(file); err != nil {
				t.Fatal(err)
			}
			if got := a.Conclude(); got != status {
				t.Errorf("the capture: status %d\n%s", got, again.String())
			}
		})
	}
}

// Without Once a proxy serves until it is interrupted, which ends connections too.
func TestAnInterruptEndsAProxy(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s := begin(t, ctx, Proxy{To: serve(t, "")})
	for range 2 {
		if err := s.talk(t); err != nil {
			t.Fatal(err)
		}
	}
	idle, err := net.Dial("unix", s.path)
	if err != nil {
		t.Fatal(err)
	}
	defer idle.Close()
	if _, err := io.ReadFull(idle, make([]byte, 8)); err != nil { // the greeting came through
		t.Fatal(err)
	}
	cancel()
	if err := s.end(t); err != nil {
		t.Fatal(err)
	}
	if s.Conclude(); !strings.Contains(s.report.String(), "3 connections judged, 0 MUST") {
		t.Error(s.report.String())
	}
}

func TestAServerThatIsNotThere(t *testing.T) {
	s := begin(t, t.Context(), Proxy{To: "nbd+unix:///?socket=/nowhere/s", Once: true})
	c, err := net.Dial("unix", s.path)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if line, err := s.log.ReadString('\n'); err != nil || !strings.Contains(line, "connecting to the server: ") {
		t.Errorf("%q, %v", line, err)
	}
	if err := s.end(t); err != nil {
		t.Error(err)
	}
	if status := s.Conclude(); status != result.ExitNotTrusted {
		t.Errorf("status %d", status)
	}
}

// On a port that is not NBD's, a conversation is one if its server opens it so.
func TestWhatIsNotNBD(t *testing.T) {
	var out strings.Builder
	a := Auditor{Out: &out}
	web := a.conversation("web")
	web.FromClient([]byte("GET / HTTP/1.1\r\n\r\n"))
	web.FromServer([]byte("HTTP"))
	web.FromServer([]byte("/1.1 200 OK\r\n"))
	web.FromServer([]byte("NBDMAGICIHAVEOPT\x00\x03")) // which does not open it
	web.ServerClosed(nil)
	web.ClientClosed(nil)
	a.report(web)
	nbd := a.conversation("nbd")
	nbd.FromServer([]byte("NBD"))
	nbd.FromServer([]byte("MAGICIHAVEOPT\x00\x03"))
	nbd.ClientClosed(nil)
	a.report(nbd)
	if a.Conclude(); !strings.Contains(out.String(), "connection 2, nbd: ") || strings.Contains(out.String(), "web") || !strings.Contains(out.String(), "1 connection judged") {
		t.Error(out.String())
	}
}

func TestFilesThatAreNoCaptures(t *testing.T) {
	file := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(file, []byte("no capture"), 0o600); err != nil {
		t.Fatal(err)
	}
	a := Auditor{Out: io.Discard}
	for _, name := range []string{file, file + "s"} {
		if err := a.File(name); err == nil {
			t.Errorf("%s was read", name)
		}
	}
}
