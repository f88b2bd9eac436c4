package client_test

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nbdconform/reference/nbduri"
)

// realServers are programs that listen on the Unix socket %s, with an export
// of 8 MiB. They are tried where they are installed.
var realServers = []struct {
	name   string
	argv   func(dir, socket string) []string
	export string
}{
	{"qemu-nbd raw", func(dir, socket string) []string {
		return []string{"qemu-nbd", "-t", "-f", "raw", "-x", "disk", "-D", "a disk", "-e", "16", "--discard=unmap", "-k", socket, filepath.Join(dir, "raw")}
	}, "disk"},
	{"qemu-nbd qcow2", func(dir, socket string) []string {
		return []string{"qemu-nbd", "-t", "-A", "-f", "qcow2", "--discard=unmap", "-k", socket, filepath.Join(dir, "qcow2")}
	}, ""},
	{"nbdkit memory", func(_, socket string) []string { return []string{"nbdkit", "-f", "-U", socket, "memory", "8M"} }, ""},
	{"nbdkit memory without structured replies", func(_, socket string) []string {
		return []string{"nbdkit", "-f", "--no-sr", "-U", socket, "memory", "8M"}
	}, "any"},
	{"nbdkit newstyle that is not fixed", func(_, socket string) []string {
		return []string{"nbdkit", "-f", "--mask-handshake=0", "-U", socket, "memory", "8M"}
	}, ""},
	{"nbdkit oldstyle", func(_, socket string) []string {
		return []string{"nbdkit", "-f", "-o", "-U", socket, "memory", "8M"}
	}, ""},
	{"nbdkit file", func(dir, socket string) []string {
		return []string{"nbdkit", "-f", "-U", socket, "file", filepath.Join(dir, "raw")}
	}, ""},
	{"nbdkit with block sizes", func(_, socket string) []string {
		return []string{"nbdkit", "-f", "-U", socket, "--filter=blocksize-policy", "memory", "8M", "blocksize-minimum=4096", "blocksize-preferred=64K", "blocksize-maximum=128K", "blocksize-error-policy=error"}
	}, ""},
}

func TestRealServers(t *testing.T) {
	for _, tt := range realServers {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			socket := filepath.Join(dir, "socket")
			start(t, dir, tt.argv(dir, socket))
			uri := nbduri.URI{Transport: nbduri.Unix, Socket: socket}
			dial := func(ctx context.Context) (conn net.Conn, err error) {
				for range 500 { // until it listens
					if conn, err = uri.Dial(ctx); err == nil {
						break
					}
					time.Sleep(10 * time.Millisecond)
				}
				return conn, err
			}
			if strings.Contains(tt.name, "style") { // there are no options to exercise
				cfg := clientConfig(tt.export)
				cfg.Oldstyle = true
				c := connect(t, dial, cfg)
				if tt.name != "nbdkit oldstyle" { // which refuses what its flags advertise, NBD_CMD_FLUSH and all
					exerciseCommands(t, c)
				}
				exerciseConcurrency(t, c)
				disconnect(t, c)
				return
			}
			exercise(t, dial, tt.export)
		})
	}
}

// start runs a server until the test ends. It skips the test if the program is missing.
func start(t *testing.T, dir string, argv []string) {
	t.Helper()
	if _, err := exec.LookPath(argv[0]); err != nil {
		t.Skip(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "raw"), make([]byte, 8<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	if argv[0] == "qemu-nbd" {
		if out, err := exec.CommandContext(t.Context(), "qemu-img", "create", "-q", "-f", "qcow2", filepath.Join(dir, "qcow2"), "8M").CombinedOutput(); err != nil {
			t.Skipf("qemu-img: %v: %s", err, out)
		}
	}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		kill := time.AfterFunc(5*time.Second, func() { _ = cmd.Process.Kill() })
		_ = cmd.Wait()
		kill.Stop()
		_ = log.Close()
		if out, err := os.ReadFile(log.Name()); err == nil && t.Failed() {
			t.Logf("%s says:\n%s", argv[0], out)
		}
	})
}

// TestURI overwrites the export that NBDCONFORM_TEST_URI names.
func TestURI(t *testing.T) {
	s := os.Getenv("NBDCONFORM_TEST_URI")
	if s == "" {
		t.Skip("NBDCONFORM_TEST_URI is not set")
	}
	uri, warnings, err := nbduri.Parse(s)
	if err != nil || len(warnings) > 0 {
		t.Fatal(warnings, err)
	}
	exercise(t, uri.Dial, uri.Export)
}
