package starttls_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nbdconform/reference/client"
	"nbdconform/reference/export"
	"nbdconform/reference/nbduri"
	"nbdconform/reference/server"
	"nbdconform/reference/starttls"
	"nbdconform/reference/starttls/pki"
)

// Independent programs on the other side of TLS. Those that are not installed
// are skipped.

// material is a directory with certificates, the keys of alice, and a disk.
func material(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := pki.Shared().Write(dir); err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string]string{
		"keys.psk": "alice:000102030405060708090a0b0c0d0e0f000102030405060708090a0b0c0d0e0f\n",
		"raw":      strings.Repeat("\x00", 1<<20),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(b), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func need(t *testing.T, program string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		t.Skipf("%s is not installed", program)
	}
}

func run(t *testing.T, argv ...string) (string, error) {
	t.Helper()
	need(t, argv[0])
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, argv[0], argv[1:]...).CombinedOutput()
	return string(out), err
}

// serveTLS runs the reference server on the loopback and on a Unix socket.
func serveTLS(t *testing.T, cfg server.TLS, disk export.Export) (port int, socket string) {
	t.Helper()
	s, err := server.New(server.Config{TLS: cfg, Exports: []server.Export{{Name: "disk", Disk: disk}}})
	if err != nil {
		t.Fatal(err)
	}
	socket = filepath.Join(t.TempDir(), "socket")
	ended := make(chan error, 2)
	for network, address := range map[string]string{"tcp": "127.0.0.1:0", "unix": socket} {
		ln, err := net.Listen(network, address)
		if err != nil {
			t.Fatal(err)
		}
		if a, ok := ln.Addr().(*net.TCPAddr); ok {
			port = a.Port
		}
		go func() { ended <- s.Serve(context.Background(), ln) }()
	}
	t.Cleanup(func() {
		_ = s.Close()
		for range 2 {
			if err := <-ended; !errors.Is(err, server.ErrClosed) {
				t.Errorf("serving: %v", err)
			}
		}
	})
	return port, socket
}

// filled is a disk that is not empty.
func filled(t *testing.T) (*export.Memory, []byte) {
	t.Helper()
	disk, want := export.New(1<<20), bytes.Repeat([]byte("not a hole"), 1<<16)
	want = want[:512<<10]
	if err := disk.WriteAt(want, 0); err != nil {
		t.Fatal(err)
	}
	return disk, append(want, make([]byte, 512<<10)...)
}

// A way is a way of authentication, and what each program calls it.
type way struct {
	name   string
	server func(dir string) (starttls.Server, error)
	query  string   // of a URI, with %s for the directory
	user   string   // of a URI, with an @
	object string   // of QEMU, without its id and endpoint
	asUser string   // what is added to object for clients
	nbdkit []string // nil: nbdkit and libnbd don't have it
}

func ways() []way {
	return []way{{
		name:   "X.509",
		server: func(dir string) (starttls.Server, error) { return starttls.LoadServer(dir, true) },
		query:  "tls-certificates=%s",
		object: "tls-creds-x509,dir=%s",
		nbdkit: []string{"--tls-certificates=%s", "--tls-verify-peer"},
	}, {
		name: "PSK",
		server: func(dir string) (starttls.Server, error) {
			return starttls.LoadPSKServer(filepath.Join(dir, "keys.psk"))
		},
		query:  "tls-psk-file=%s/keys.psk",
		user:   "alice@",
		object: "tls-creds-psk,dir=%s",
		asUser: ",username=alice",
		nbdkit: []string{"--tls-psk=%s/keys.psk"},
	}, {
		name:   "anonymous", // which QEMU alone has
		server: func(string) (starttls.Server, error) { return starttls.NewAnonymousServer() },
		query:  "tls-type=anon",
		object: "tls-creds-anon",
	}}
}

func in(dir, format string) string { return strings.ReplaceAll(format, "%s", dir) }

func TestOtherClients(t *testing.T) {
	for _, w := range ways() {
		for _, mode := range []server.TLSMode{server.ForcedTLS, server.SelectiveTLS} {
			t.Run(fmt.Sprint(w.name, " ", mode), func(t *testing.T) {
				dir := material(t)
				s, err := w.server(dir)
				if errors.Is(err, starttls.ErrNoGnuTLS) {
					t.Skip(err)
				} else if err != nil {
					t.Fatal(err)
				}
				disk, want := filled(t)
				port, socket := serveTLS(t, server.TLS{Mode: mode, Server: s}, disk)
				uris := map[string]string{
					"tcp":  fmt.Sprintf("nbds://%slocalhost:%d/disk?%s", w.user, port, in(dir, w.query)),
					"unix": fmt.Sprintf("nbds+unix://%s/disk?socket=%s&%s", w.user, socket, in(dir, w.query)),
				}
				t.Run("nbdinfo", func(t *testing.T) {
					if w.nbdkit == nil {
						t.Skip("libnbd has no such TLS")
					}
					for network, uri := range uris {
						if out, err := run(t, "nbdinfo", uri); err != nil || !strings.Contains(out, "with TLS") || !strings.Contains(out, "export-size: 1048576") {
							t.Errorf("%s: %v: %s", network, err, out)
						}
					}
					plain, err := run(t, "nbdinfo", fmt.Sprintf("nbd://localhost:%d/disk", port))
					if (err != nil) != (mode == server.ForcedTLS) {
						t.Errorf("in the clear: %v: %s", err, plain)
					}
				})
				t.Run("nbdcopy", func(t *testing.T) {
					if w.nbdkit == nil {
						t.Skip("libnbd has no such TLS")
					}
					file := filepath.Join(dir, "copy")
					if out, err := run(t, "nbdcopy", uris["tcp"], file); err != nil {
						t.Fatalf("%v: %s", err, out)
					}
					got, err := os.ReadFile(file)
					if err != nil || !bytes.Equal(got, want) {
						t.Errorf("the copy differs, error %v", err)
					}
					if out, err := run(t, "nbdcopy", "--flush", filepath.Join(dir, "raw"), uris["unix"]); err != nil {
						t.Errorf("%v: %s", err, out)
					}
				})
				t.Run("qemu-img", func(t *testing.T) {
					out, err := run(t, "qemu-img", "info", "--object", in(dir, w.object)+w.asUser+",id=t,endpoint=client", "--image-opts",
						fmt.Sprintf("driver=raw,file.driver=nbd,file.host=localhost,file.port=%d,file.export=disk,file.tls-creds=t", port))
					if err != nil || !strings.Contains(out, "1 MiB (1048576 bytes)") {
						t.Errorf("%v: %s", err, out)
					}
				})
			})
		}
	}
}

// A peerServer is a program that serves 1 MiB on a Unix socket or a port.
type peerServer struct {
	program string
	argv    func(w way, dir, socket string) []string
	export  string
}

var peerServers = []peerServer{
	{"qemu-nbd", func(w way, dir, socket string) []string {
		return []string{
			"qemu-nbd", "-t", "-e", "8", "-f", "raw", "-x", "disk", "-k", socket,
			"--object", in(dir, w.object) + ",id=t,endpoint=server", "--tls-creds", "t", filepath.Join(dir, "raw"),
		}
	}, "disk"},
	{"nbdkit", func(w way, dir, socket string) []string {
		if w.nbdkit == nil {
			return nil
		}
		argv := []string{"nbdkit", "-f", "-U", socket, "--tls=require"}
		for _, a := range w.nbdkit {
			argv = append(argv, in(dir, a))
		}
		return append(argv, "memory", "1M")
	}, ""},
	{"nbd-server", func(w way, dir, socket string) []string {
		if w.name != "X.509" {
			return nil
		}
		conf := filepath.Join(dir, "conf")
		text := fmt.Sprintf(`[generic]
unixsock = %s
force_tls = true
certfile = %[2]s/server-cert.pem
keyfile = %[2]s/server-key.pem
cacertfile = %[2]s/ca-cert.pem
[disk]
exportname = %[2]s/raw
`, socket, dir)
		if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
			panic(err)
		}
		return []string{"nbd-server", "-C", conf, "-d"} // serves one client and ends
	}, "disk"},
}

func TestOtherServers(t *testing.T) {
	for _, w := range ways() {
		for _, p := range peerServers {
			t.Run(w.name+" "+p.program, func(t *testing.T) {
				need(t, p.program)
				dir := material(t)
				socket := filepath.Join(dir, "socket")
				argv := p.argv(w, dir, socket)
				if argv == nil {
					t.Skipf("%s has no %s", p.program, w.name)
				}
				uri := nbduri.MustParse(fmt.Sprintf("nbds+unix://%s/%s?socket=%s&tls-hostname=localhost&%s", w.user, p.export, socket, in(dir, w.query)))
				how, err := uri.StartTLS()
				if errors.Is(err, starttls.ErrNoGnuTLS) {
					t.Skip(err)
				} else if err != nil {
					t.Fatal(err)
				}
				background(t, argv)
				talk(t, uri, how)
			})
		}
	}
}

// background runs a server until the test ends.
func background(t *testing.T, argv []string) {
	t.Helper()
	var log bytes.Buffer
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		kill := time.AfterFunc(3*time.Second, func() { _ = cmd.Process.Kill() })
		_ = cmd.Wait()
		kill.Stop()
		if t.Failed() {
			t.Logf("%v says:\n%s", argv, log.String())
		}
	})
}

// talk writes and reads within TLS, and disconnects.
func talk(t *testing.T, uri nbduri.URI, how starttls.Client) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	conn, err := uri.Dial(ctx)
	for err != nil && ctx.Err() == nil { // until it listens
		time.Sleep(20 * time.Millisecond)
		conn, err = uri.Dial(ctx)
	}
	if err != nil {
		t.Fatal(err)
	}
	c, err := client.Connect(ctx, conn, client.Config{Export: uri.Export, TLS: client.TLS{Mode: client.TLSRequire, Client: how}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	want := bytes.Repeat([]byte("tls!"), 32<<10)
	if err := c.WriteAt(ctx, want, 4096, 0); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len(want))
	if err := c.ReadAt(ctx, got, 4096, 0); err != nil || !bytes.Equal(got, want) {
		t.Errorf("reading back: wrong data, or %v", err)
	}
	tc := c.TLS()
	err = c.Disconnect(ctx)
	t.Logf("%s; after NBD_CMD_DISC: error %v, close_notify %v", tc.Protocol(), err, tc.Notified())
}
