package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"nbdconform/cmd/nbdconform/internal/peer"
	"nbdconform/reference/export"
	"nbdconform/reference/server"
	"nbdconform/reference/wire"
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
		var got peer.Info
		if err := json.Unmarshal([]byte(ok(t, "info", "--json", s.uri)), &got); err != nil || got.Negotiation != want {
			t.Errorf("%s: %+v, %v", how, got, err)
		}
	}
}

// The end of the image fills the last block in part: what is behind it stays.
func TestCopyIntoPartOfABlock(t *testing.T) {
	t.Parallel()
	name, content := image(t)
	s := serving(t, "--size", "4M", "--pattern", "--block-size", "4096")
	before := contents(t, s.uri)
	ok(t, "copy", name, s.uri)
	if got := contents(t, s.uri); !bytes.Equal(got[:len(content)], content) || !bytes.Equal(got[len(content):], before[len(content):]) {
		t.Error("the export has something else than the image and what was behind it")
	}
	short := serving(t, "--size", "3145729", "--pattern", "--block-size", "4096")
	o := start(t, nil, "copy", name, short.uri).end()
	o.want(t, exitUntrusted)
	if !strings.Contains(o.stderr, "the last 1 are out of reach, as the export ends at 3145729 within a block") {
		t.Error(o.stderr)
	}
}

// Nothing is written where it can be known that the copy can't be whole.
func TestCopyRefusesBeforeItWrites(t *testing.T) {
	t.Parallel()
	name, _ := image(t)
	small := serving(t, "--size", "1M", "--pattern")
	before := contents(t, small.uri)
	large, locked := serving(t, "--size", "3M"), serving(t, "--size", "4M", "--read-only")
	for _, tc := range []struct {
		args []string
		want string
	}{
		{[]string{"copy", name, small.uri}, name + " has 3145729 bytes, the export only 1048576: nothing was copied"},
		{[]string{"copy", large.uri, small.uri}, large.uri + " has 3145728 bytes, the export only 1048576: nothing was copied"},
		{[]string{"copy", name, locked.uri}, locked.uri + " is read-only: nothing was copied"},
		{[]string{"copy", large.uri, locked.uri}, locked.uri + " is read-only: nothing was copied"},
	} {
		o := start(t, nil, tc.args...).end()
		o.want(t, exitUntrusted)
		if o.stderr != "nbdconform: "+tc.want+"\n" {
			t.Errorf("%v says %q, want %q", tc.args, o.stderr, tc.want)
		}
	}
	if !bytes.Equal(contents(t, small.uri), before) {
		t.Error("the export that is too small was written to")
	}
}

// A stuck gate answers nobody, and says so when somebody asks.
type stuck chan struct{}

func (s stuck) Admit(c wire.Command, _, _ uint64, gone <-chan struct{}) error {
	if c == wire.CmdBlockStatus {
		return nil
	}
	select {
	case s <- struct{}{}:
	default: // one says it for all
	}
	<-gone
	return export.ErrNoReply
}

// A copy that is interrupted says so in a line, and what it leaves.
func TestCopyIsInterrupted(t *testing.T) {
	t.Parallel()
	name, _ := image(t)
	good := serving(t, "--size", "4M", "--pattern")
	asked := make(stuck, 1)
	e := disk("disk", 4<<20)
	e.Gate = asked
	hangs := offer(t, server.Config{Exports: []server.Export{e}})
	part := filepath.Join(t.TempDir(), "part")
	for _, tc := range []struct{ from, to, left string }{
		{hangs, part, part}, {hangs, "-", "standard output"}, {name, hangs, hangs}, {good.uri, hangs, hangs},
	} {
		args := []string{"copy", "--compact-headers", "--simple-replies", tc.from, tc.to}
		c := start(t, nil, args...)
		<-asked
		if err := c.cmd.Process.Signal(syscall.SIGINT); err != nil {
			t.Fatal(err)
		}
		o := c.end()
		o.want(t, exitUntrusted)
		if want := "nbdconform: interrupted; " + tc.left + " is incomplete\n"; o.stderr != want {
			t.Errorf("%v: %q, want %q", args, o.stderr, want)
		}
		select {
		case <-asked: // by another of its requests
		default:
		}
	}
}
