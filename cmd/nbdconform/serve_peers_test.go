package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"nbdconform/containers/containertest"
	"nbdconform/reference/starttls"
)

// keys is a directory with a file of pre-shared keys and certificates.
func keys(t *testing.T) string {
	t.Helper()
	dir := certificates(t)
	if err := os.WriteFile(filepath.Join(dir, "keys.psk"), []byte("alice:000102030405060708090a0b0c0d0e0f\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestServeWithinTLSUnderRealClients starts serve from flags and from a file,
// with certificates and with keys, in both of the modes that have TLS.
func TestServeWithinTLSUnderRealClients(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"nbdinfo", "nbdcopy", "qemu-img"} {
		containertest.NeedProgram(t, name)
	}
	dir := keys(t)
	for _, w := range []struct{ name, flag, key, query, user, object string }{
		{"X.509", "--tls-certificates=" + dir, "certificates: " + dir, "tls-certificates=" + dir, "", "tls-creds-x509,dir=" + dir},
		{
			"PSK", "--tls-psk=" + dir + "/keys.psk", "psk: " + dir + "/keys.psk", "tls-psk-file=" + dir + "/keys.psk", "alice@",
			"tls-creds-psk,username=alice,dir=" + dir,
		},
	} {
		for _, mode := range []string{"on", "require"} {
			file := filepath.Join(t.TempDir(), "serve.yaml")
			text := fmt.Sprintf("listen: [{tcp: \"127.0.0.1:0\"}]\nexports: [{name: disk, size: 1M, data: {pattern: offsets}}]\ntls: {mode: %s, %s}\n", mode, w.key)
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			for from, args := range map[string][]string{
				"flags": {"--size", "1M", "--pattern", "--tls", mode, w.flag}, "file": {"--config", file},
			} {
				t.Run(w.name+" "+mode+" "+from, func(t *testing.T) {
					t.Parallel()
					if _, err := starttls.NewPSKClient("alice", []byte{1}); w.name == "PSK" && err != nil {
						t.Skip(err)
					}
					s := serving(t, args...)
					_, address, _ := strings.Cut(s.uri, "://")
					_, port, _ := strings.Cut(strings.TrimRight(address, "/"), ":")
					port, _, _ = strings.Cut(port, "/")
					uri := fmt.Sprintf("nbds://%slocalhost:%s/disk?%s", w.user, port, w.query)
					if out, err := ran(t, "nbdinfo", uri); err != nil || !strings.Contains(out, "with TLS") {
						t.Errorf("%v: %s", err, out)
					}
					image := filepath.Join(t.TempDir(), "image")
					if _, err := ran(t, "nbdcopy", uri, image); err != nil {
						t.Error(err)
					}
					back := ok(t, "copy", uri, "-")
					if got, err := os.ReadFile(image); err != nil || string(got) != back || len(got) != 1<<20 || bytes.Count(got, []byte{0}) == len(got) {
						t.Errorf("nbdcopy and copy differ: %d and %d bytes, %v", len(got), len(back), err)
					}
					_, err := ran(t, "qemu-img", "info", "--object", w.object+",id=t,endpoint=client", "--image-opts",
						"driver=raw,file.driver=nbd,file.host=localhost,file.port="+port+",file.export=disk,file.tls-creds=t")
					if err != nil {
						t.Error(err)
					}
					if out, err := ran(t, "nbdinfo", "nbd://localhost:"+port+"/disk"); (err != nil) != (mode == "require") {
						t.Errorf("in the clear: %v: %s", err, out)
					}
				})
			}
		}
	}
}

// TestServeWithAnonymousTLS is with QEMU, the only other program that has it.
func TestServeWithAnonymousTLS(t *testing.T) {
	t.Parallel()
	containertest.NeedProgram(t, "qemu-img")
	if _, err := starttls.NewAnonymousServer(); err != nil {
		t.Skip(err)
	}
	file := filepath.Join(t.TempDir(), "serve.yaml")
	text := "listen: [{tcp: \"127.0.0.1:0\"}]\nexports: [{name: disk, size: 1M}]\ntls: {mode: require, anonymous: true}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"--size", "1M", "--tls", "require", "--tls-anonymous"}, {"--config", file}} {
		s := serving(t, args...)
		_, port, _ := strings.Cut(strings.TrimPrefix(s.uri, "nbds://"), ":")
		if out := ok(t, "info", "nbds://localhost:"+port+"/disk?tls-type=anon"); !strings.Contains(out, "TLS:          yes") {
			t.Errorf("info does not say so: %s", out)
		}
		out, err := ran(t, "qemu-img", "info", "--object", "tls-creds-anon,id=t,endpoint=client", "--image-opts",
			"driver=raw,file.driver=nbd,file.host=localhost,file.port="+port+",file.export=disk,file.tls-creds=t")
		if err != nil || !strings.Contains(out, "1 MiB (1048576 bytes)") {
			t.Errorf("%v: %s", err, out)
		}
	}
}

// TestServeWithoutGnuTLS points the dynamic linker at a library that is none.
func TestServeWithoutGnuTLS(t *testing.T) {
	t.Parallel()
	if !starttls.BuiltWithGnuTLS {
		t.Skip("built without pre-shared keys")
	}
	dir, broken := keys(t), t.TempDir()
	if err := os.WriteFile(filepath.Join(broken, "libgnutls.so.30"), []byte("no library"), 0o600); err != nil {
		t.Fatal(err)
	}
	env := []string{"LD_LIBRARY_PATH=" + broken}
	o := start(t, env, "serve", "--listen", "127.0.0.1:0", "--tls", "require", "--tls-psk", dir+"/keys.psk").end()
	o.want(t, exitUntrusted)
	if !strings.Contains(o.stderr, "needs GnuTLS, which is not to be had") {
		t.Error(o.stderr)
	}
	o = start(t, env, "info", "nbds://alice@127.0.0.1:1/?tls-psk-file="+dir+"/keys.psk").end()
	o.want(t, exitUntrusted)
	if !strings.Contains(o.stderr, "needs GnuTLS") {
		t.Error(o.stderr)
	}
	o = start(t, env, "serve", "--listen", "127.0.0.1:0", "--tls", "require", "--tls-anonymous").end()
	o.want(t, exitUntrusted)
	if !strings.Contains(o.stderr, "TLS without authentication: it needs GnuTLS") {
		t.Error(o.stderr)
	}
	o = start(t, env, "info", "nbds://127.0.0.1:1/?tls-type=anon").end()
	o.want(t, exitUntrusted)
	if !strings.Contains(o.stderr, "TLS without authentication: it needs GnuTLS") {
		t.Error(o.stderr)
	}
	// All else works.
	o = start(t, env, "run", "--filter", "abort.ack", "--profile", "tls-required").end()
	o.want(t, exitConforms)
}

func TestOlderHandshakesUnderRealClients(t *testing.T) {
	t.Parallel()
	containertest.NeedProgram(t, "nbdinfo")
	containertest.NeedProgram(t, "qemu-img")
	for how, protocol := range map[string]string{"oldstyle": "oldstyle", "newstyle": "newstyle", "fixed-newstyle": "newstyle-fixed"} {
		s := serving(t, "--handshake", how, "--size", "3M", "--pattern")
		out, err := ran(t, "nbdinfo", s.uri)
		if err != nil || !strings.Contains(out, "protocol: "+protocol+" without TLS") || !strings.Contains(out, "export-size: 3145728") {
			t.Errorf("nbdinfo, %s: %v: %s", how, err, out)
		}
		image := filepath.Join(t.TempDir(), "image")
		if _, err := ran(t, "nbdcopy", s.uri, image); err != nil {
			t.Errorf("nbdcopy, %s: %v", how, err)
		}
		if got, err := os.ReadFile(image); err != nil || string(got) != ok(t, "copy", s.uri, "-") {
			t.Errorf("%s: the copies differ: %v", how, err)
		}
		if how == "oldstyle" { // which QEMU speaks with the default export alone
			continue
		}
		if out, err := ran(t, "qemu-img", "info", "-f", "raw", s.uri); err != nil || !strings.Contains(out, "3145728 bytes") {
			t.Errorf("qemu-img, %s: %v: %s", how, err, out)
		}
	}
}

func TestOlderHandshakesOfNbdkit(t *testing.T) {
	t.Parallel()
	containertest.NeedProgram(t, "nbdkit")
	for flag, want := range map[string]string{
		"-o": "oldstyle", "--mask-handshake=0": "newstyle", "--mask-handshake=1": "fixed newstyle", "--mask-handshake=2": "newstyle",
	} {
		socket := filepath.Join(shortTempDir(t), "s")
		uri := "'nbd+unix:///?socket=" + socket + "'"
		out, err := ran(t, "nbdkit", flag, "-U", socket, "pattern", "1M", "--run",
			binary+" info "+uri+" && "+binary+" copy "+uri+" - | tail -c 8 | od -An -tx1")
		if err != nil || !strings.Contains(out, "negotiation:  "+want+"\n") || !strings.Contains(out, "00 00 00 00 00 0f ff f8") {
			t.Errorf("%s: %v: %s", flag, err, out)
		}
	}
}
