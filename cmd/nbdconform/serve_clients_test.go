package main

import (
	"bytes"
	bigendian "encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nbdconform/containers/containertest"
)

// runs runs a program of somebody else and returns what it says on stdout.
func ran(t *testing.T, name string, args ...string) (string, error) {
	t.Helper()
	containertest.NeedProgram(t, name)
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.WaitDelay = time.Second
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if err != nil {
		err = fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, stderr.String())
	}
	return stdout.String(), err
}

// libnbd's programs start servers with socket activation.
func TestServeIsStartedByLibnbd(t *testing.T) {
	t.Parallel()
	out, err := ran(t, "nbdinfo", "--json", "--", "[", binary, "serve", "--size", "1G", "]")
	if err != nil {
		t.Fatal(err)
	}
	var info struct {
		Exports []struct {
			Size     uint64   `json:"export-size"`
			Contexts []string `json:"contexts"`
		} `json:"exports"`
	}
	if err := json.Unmarshal([]byte(out), &info); err != nil { // and nothing of ours on stdout
		t.Fatalf("%v: %s", err, out)
	}
	if len(info.Exports) != 1 || info.Exports[0].Size != 1<<30 {
		t.Errorf("%+v", info)
	}
	image := filepath.Join(t.TempDir(), "image")
	if _, err := ran(t, "nbdcopy", "--", "[", binary, "serve", "--pattern", "--size", "3M", "]", image); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(image)
	if err != nil || len(b) != 3<<20 {
		t.Fatalf("%d bytes, %v", len(b), err)
	}
	for off := 0; off < len(b); off += 8 {
		if word := bigendian.BigEndian.Uint64(b[off:]); word != uint64(off) {
			t.Fatalf("at %d: %d", off, word)
		}
	}
	if out, err := ran(t, "nbdkit", "-U", "-", "nbd", "command="+binary, "arg=serve", "arg=--socket-activation",
		"--run", `nbdinfo --size "$uri"`); err != nil || strings.TrimSpace(out) != "67108864" {
		t.Errorf("%q, %v", out, err)
	}
}

func TestQemuReachesAnAbstractSocket(t *testing.T) {
	t.Parallel()
	containertest.NeedProgram(t, "qemu-io")
	name := fmt.Sprintf("nbdconform-test-%d", os.Getpid())
	s := serving(t, "--unix", "@"+name, "--pattern")
	if want := "nbd+unix:///?socket=%00" + name; s.uri != want {
		t.Errorf("the URI is %s, want %s", s.uri, want)
	}
	out, err := ran(t, "qemu-io", "-r", "--image-opts",
		"driver=nbd,server.type=unix,server.path="+name+",server.abstract=on,server.tight=on", "-c", "read -v 4096 16")
	if err != nil || !strings.Contains(out, "00 00 00 00 00 00 10 00 00 00 00 00 00 00 10 08") {
		t.Errorf("%v: %s", err, out)
	}
	if got := connect(t, s.uri).Size(); got != 64<<20 {
		t.Errorf("%d bytes", got)
	}
}

// example starts the committed example in a directory of its own.
func example(t *testing.T) (service, string) {
	t.Helper()
	text, err := os.ReadFile("../../reference/configfile/testdata/example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	dir := shortTempDir(t)
	file := filepath.Join(dir, "example.yaml")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if o := nbdconform(t, "serve", "--config", file, "--check-config"); o.status != 0 || o.stdout != file+": good, 4 exports\n" {
		t.Errorf("--check-config: %d, %q, %q", o.status, o.stdout, o.stderr)
	}
	return serving(t, "--config", file), dir
}

func TestTheExampleUnderRealClients(t *testing.T) {
	t.Parallel()
	containertest.NeedProgram(t, "nbdinfo")
	containertest.NeedProgram(t, "qemu-io")
	s, dir := example(t)
	if !strings.HasPrefix(s.uri, "nbd+unix:///?socket=") || !strings.HasSuffix(s.uri, "/example.sock") {
		t.Errorf("the URI is %s", s.uri)
	}
	out, err := ran(t, "nbdinfo", "--list", s.uri)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range []string{
		`export="disk"`, "one terabyte, and some of it is bad", "export-size: 1099511627776 (1T)", "qemu:allocation-depth",
		"qemu:dirty-bitmap:b0", `export="sectors"`, "is_rotational: true", "block_size_minimum: 4096",
		`export="install"`, "is_read_only: true",
	} {
		if !strings.Contains(out, w) {
			t.Errorf("nbdinfo does not say %s:\n%s", w, out)
		}
	}
	if strings.Contains(out, "growing") {
		t.Error("the hidden export is listed")
	}
	if out, err := ran(t, "nbdinfo", "--map=qemu:dirty-bitmap:b0", named(s.uri, "disk")); err != nil ||
		!strings.Contains(out, "   1048576       65536    1") {
		t.Errorf("%v: the dirty range is missing:\n%s", err, out)
	}
	for command, want := range map[string]string{
		"read 1073741824 512":        "read failed: Input/output error",
		"read 1073742336 512":        "read 512/512 bytes",
		"write 549755813888 4096":    "write failed: No space left on device",
		"write -P 7 0 4096":          "wrote 4096/4096 bytes",
		"write -z 549755813888 4096": "write failed: No space left on device",
	} {
		out, err := ran(t, "qemu-io", "-f", "raw", "-c", command, named(s.uri, "disk"))
		if said := out; err != nil {
			out = said + err.Error()
		}
		if !strings.Contains(out, want) {
			t.Errorf("%s: want %q, got %s", command, want, out)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "example.trigger"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err = ran(t, "qemu-io", "-r", "-f", "raw", "-c", "read 0 512", "-c", "read 0 512", "-c", "read 0 512", "-c", "read 0 512", named(s.uri, "disk"))
	if err == nil || !strings.Contains(out, "read 512/512 bytes") || !strings.Contains(out+err.Error(), "read failed: Input/output error") {
		t.Errorf("the trigger ends no connection: %s", out)
	}
}
