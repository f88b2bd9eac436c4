package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// allocated is how much of a file is no hole, in bytes.
func allocated(t *testing.T, name string) int64 {
	t.Helper()
	var st syscall.Stat_t
	if err := syscall.Stat(name, &st); err != nil {
		t.Fatal(err)
	}
	return st.Blocks * 512
}

// Nobody waits for 100 GiB of nothing, in any direction.
func TestCopySkipsHoles(t *testing.T) {
	t.Parallel()
	const size = 100 << 30
	dir := t.TempDir()
	name, back := filepath.Join(dir, "sparse"), filepath.Join(dir, "back")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt([]byte("in the middle"), size/2); err != nil {
		t.Fatal(err)
	}
	if err := f.Truncate(size); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if allocated(t, name) > 1<<20 {
		t.Skip("no holes in files here")
	}
	one, two := serving(t, "--size", "100G"), serving(t, "--size", "100G", "--no-extended-headers")
	begin := time.Now()
	ok(t, "copy", name, one.uri)
	ok(t, "copy", one.uri, two.uri)
	ok(t, "copy", two.uri, back)
	if took := time.Since(begin); took > 30*time.Second {
		t.Errorf("it took %v", took)
	}
	if got := allocated(t, back); got > 1<<20 {
		t.Errorf("%d bytes of the copy are allocated", got)
	}
	got := make([]byte, 13)
	if f, err = os.Open(back); err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.ReadAt(got, size/2); err != nil || string(got) != "in the middle" {
		t.Errorf("%q, %v", got, err)
	}
}

// Zeroes are left out where the server says nothing of holes, too.
func TestCopyFindsZeroes(t *testing.T) {
	t.Parallel()
	s, back := serving(t, "--size", "64M", "--no-structured-replies"), filepath.Join(t.TempDir(), "back")
	ok(t, "copy", s.uri, back)
	if got := allocated(t, back); got > 1<<20 {
		t.Errorf("%d bytes of the copy are allocated", got)
	}
}

func TestCopyToWhatIsNoFile(t *testing.T) {
	t.Parallel()
	s := serving(t, "--size", "3M", "--pattern")
	ok(t, "copy", s.uri, os.DevNull)
	fifo := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Skip(err)
	}
	reader := exec.Command("cmp", fifo, "-")
	var want strings.Builder
	want.WriteString(ok(t, "copy", s.uri, "-"))
	reader.Stdin = strings.NewReader(want.String())
	if err := reader.Start(); err != nil {
		t.Skip(err)
	}
	ok(t, "copy", s.uri, fifo)
	if err := reader.Wait(); err != nil || want.Len() != 3<<20 {
		t.Errorf("the pipe has something else: %v, %d bytes", err, want.Len())
	}
}

func TestCopyFailsHalfWay(t *testing.T) {
	t.Parallel()
	s := serving(t, "--size", "3M", "--pattern", "--fault", "commands: read, offset: 2M, length: 512, error: EIO")
	name := filepath.Join(t.TempDir(), "part")
	o := start(t, nil, "copy", s.uri, name).end()
	o.want(t, exitUntrusted)
	if !strings.Contains(o.stderr, "; "+name+" is incomplete") {
		t.Error(o.stderr)
	}
}

func TestOddSizesAreSaidToBe(t *testing.T) {
	t.Parallel()
	_, err := exec.LookPath("nbdkit")
	if err != nil {
		t.Skip("nbdkit is not on PATH: apt-get install nbdkit")
	}
	socket := filepath.Join(shortTempDir(t), "s")
	kept := filepath.Join(t.TempDir(), "kept")
	if err := os.WriteFile(kept, []byte("kept"), 0o600); err != nil {
		t.Fatal(err)
	}
	uri := "'nbd+unix:///?socket=" + socket + "'"
	out, err := exec.Command("nbdkit", "-U", socket, "--filter=blocksize-policy", "pattern", "1000003",
		"blocksize-minimum=4096", "blocksize-preferred=4096", "blocksize-maximum=1M", "blocksize-error-policy=error",
		"--run", binary+" map "+uri+" 2>&1; "+binary+" copy "+uri+" "+kept+" 2>&1").CombinedOutput()
	for _, want := range []string{"the last 579 bytes are out of reach", "999424", "copying an image of 1000003 bytes"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("%q is missing in %s (%v)", want, out, err)
		}
	}
	if got, err := os.ReadFile(kept); err != nil || string(got) != "kept" {
		t.Errorf("%q, %v: the file was touched", got, err)
	}
}

func TestWhatIsAURI(t *testing.T) {
	for s, want := range map[string]bool{
		"nbd://h/": true, "NBD://h/": true, "Nbds+Unix:///?socket=s": true,
		"nbd": false, "nbd.img": false, "/nbd://": false, "disk://nbd": false, "": false,
	} {
		if isURI(s) != want {
			t.Errorf("%q: %v", s, !want)
		}
	}
}

// Oldstyle negotiation has no names: what is there may be another disk than the
// one that was asked for.
func TestNoNameBeforeNewstyle(t *testing.T) {
	t.Parallel()
	s := serving(t, "--handshake", "oldstyle")
	kept := filepath.Join(t.TempDir(), "kept")
	if err := os.WriteFile(kept, []byte("kept"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"info", s.uri + "/spare"}, {"copy", s.uri + "/spare", kept}, {"copy", kept, s.uri + "/spare"}} {
		o := start(t, nil, args...).end()
		o.want(t, exitUntrusted)
		if !strings.Contains(o.stderr, `leave "spare" out`) {
			t.Errorf("%v: %s", args, o.stderr)
		}
	}
	if got, err := os.ReadFile(kept); err != nil || string(got) != "kept" {
		t.Errorf("%q, %v: the file was touched", got, err)
	}
}

func TestInfoOfOlderHandshakes(t *testing.T) {
	t.Parallel()
	for how, want := range map[string]string{"oldstyle": "oldstyle", "newstyle": "newstyle", "fixed-newstyle": "fixed newstyle"} {
		s := serving(t, "--handshake", how)
		var got serverInfo
		if err := json.Unmarshal([]byte(ok(t, "info", "--json", s.uri)), &got); err != nil || got.Negotiation != want {
			t.Errorf("%s: %+v, %v", how, got, err)
		}
	}
}
