package visit

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"

	"nbdconform/conformance/caller"
	"nbdconform/conformance/trial"
	"nbdconform/reference/export"
	"nbdconform/reference/server"
	"nbdconform/reports/recording"
)

// A Visit is one task that a program was asked to do, and what came of it.
type Visit struct {
	Activity caller.Activity
	Report   caller.Report
	Conns    []*Conn

	// With [SlowWrites]: how many flushes came, and the writes that came behind
	// the last of them or had no reply by then.
	Flushes, Uncovered int

	before, after []byte // contents of the export
	file          []byte // what CopyIn was to write and CopyOut wrote
	missing       bool   // CopyOut wrote no file
	size          uint64 // that the export was to be given

	rec   *recording.Recorder
	task  caller.Task
	dir   string
	plain *trial.Scene // without a mark on what the judge has nothing against
}

// The range that Zero and Trim are asked for, in bytes.
const (
	rangeOffset = 128 << 10
	rangeLength = 256 << 10
)

// resizable lets clients resize the export.
var resizable = With(func(c *server.Config) {
	e := &c.Exports[0]
	e.Resizable = true
	e.Disk = export.NewResizable(e.Disk.Size(), 16*e.Disk.Size())
})

// Resizable lets clients resize the export.
func Resizable() Way { return resizable }

// Ask has the program do what the spec asks for, at a server that behaves in
// these ways, and waits for its end.
func Ask(ctx context.Context, ways ...Way) *Visit {
	t := from(ctx)
	s := &setup{size: Size, activity: cmp.Or(t.activity, t.spec.Asks[0])}
	for _, w := range ways {
		w(s)
	}
	if t.bench.Facts.Compact[s.activity] && !strings.HasPrefix(t.spec.ID, Baseline) && !strings.HasPrefix(t.spec.ID, "client.extended.") {
		Compact(s)
	}
	if s.activity == caller.Resize && s.length == 0 {
		resizable(s)
		s.length = 2 * s.size
	}
	if !t.bench.Caller.Can(s.activity, s.tls) {
		trial.Unsupported("the program is not known to do %s %v", s.activity, s.tls)
	}
	v, err := t.bench.visit(ctx, s)
	if err != nil {
		trial.Harness("%v", err)
	}
	t.visits = append(t.visits, v)
	if len(v.Conns) == 0 && !v.Report.Hung && t.activity != "" {
		trial.FailHandler("want a connection, the program never makes one\n" + v.String())
	}
	return v
}

// visit serves one task.
func (b *Bench) visit(ctx context.Context, s *setup) (*Visit, error) {
	v := &Visit{Activity: s.activity, size: s.length, dir: b.Caller.Dir()}
	if b.Record {
		v.rec = recording.New(recording.DefaultLimits)
	}
	disk := export.New(s.size)
	v.before = image(1, s.size)
	if err := fill(disk, v.before); err != nil {
		return nil, err
	}
	task := caller.Task{
		Activity: s.activity, Offset: rangeOffset, Length: rangeLength,
		Server: caller.Address{Socket: path(v.dir, "s"), TLS: s.tls},
	}
	if s.activity == caller.Resize {
		task.Length = s.length
	}
	if s.tls != caller.NoTLS {
		var err error
		if task.Server.PKI, err = b.certificates(); err != nil {
			return nil, err
		}
	}
	if err := v.prepare(&task); err != nil {
		return nil, err
	}
	h, err := newHost(s, disk, task.Server.Socket, v.rec)
	if err != nil {
		return nil, err
	}
	task.Server.Export = h.export
	bounded, cancel := context.WithTimeout(ctx, b.Timeout)
	v.Report, err = b.Caller.Do(bounded, task)
	cancel()
	h.close()
	v.Conns, v.Flushes, v.Uncovered, v.task = h.conns, h.flushes, h.uncovered, task
	if err != nil {
		return nil, err
	}
	return v, v.gather(task, disk)
}

// prepare writes the file that the task is about.
func (v *Visit) prepare(task *caller.Task) error {
	switch v.Activity {
	case caller.CopyOut:
		task.File = path(v.dir, "out")
		if err := os.Remove(task.File); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		return nil
	case caller.CopyIn:
		v.file = image(2, uint64(len(v.before)))
	case caller.Compare:
		v.file = v.before
	default:
		return nil
	}
	task.File = path(v.dir, "in")
	return os.WriteFile(task.File, v.file, 0o644) // #nosec: a program in a container may be another user
}

// gather reads what the task left behind.
func (v *Visit) gather(task caller.Task, disk export.Export) error {
	v.after = make([]byte, len(v.before))
	if err := disk.ReadAt(v.after, 0); err != nil {
		return err
	}
	if v.Activity != caller.CopyOut {
		return nil
	}
	var err error
	v.file, err = os.ReadFile(task.File)
	if errors.Is(err, os.ErrNotExist) {
		v.missing, err = true, nil
	}
	return err
}

// Provoked ends the spec as unsupported unless a hook of the spec changed what
// the server said: what names the occasion that the program did not give.
func (v *Visit) Provoked(what string) {
	for _, c := range v.Conns {
		if c.Provoked {
			return
		}
	}
	Unsuited(what)
}

// Unsuited ends the spec as unsupported, because the program does something
// else than what the spec is about.
func Unsuited(what string) { trial.Unsupported("the program %s", what) }

// Wrong says why the visit is no success, or "": the program has to report
// success, and it has to be true.
func (v *Visit) Wrong() string {
	if !v.Report.Succeeded() {
		return "it reports failure: " + v.end()
	}
	return v.Untrue()
}

// Untrue says what is wrong about the success that the program reports, or "".
// A program that reports failure says nothing untrue.
func (v *Visit) Untrue() string {
	if !v.Report.Succeeded() {
		return ""
	}
	if len(v.Conns) == 0 {
		return "it reports success and never connected"
	}
	switch v.Activity {
	case caller.CopyOut:
		if v.missing {
			return "it reports success and wrote no file"
		}
		return difference("the file", v.file, v.before)
	case caller.CopyIn:
		return difference("the export", v.after, v.file)
	case caller.Zero, caller.Trim:
		want := bytes.Clone(v.before)
		clear(want[rangeOffset : rangeOffset+rangeLength])
		if v.Activity == caller.Trim { // what becomes of the range is open
			copy(want[rangeOffset:], v.after[rangeOffset:rangeOffset+rangeLength])
		}
		return difference("the export", v.after, want)
	}
	return ""
}

func (v *Visit) end() string {
	r := v.Report
	end := cmp.Or(r.Killed, r.Exit)
	if r.Hung {
		end = "it did not end in time"
	}
	if lines := strings.Split(strings.TrimSpace(r.Stderr), "\n"); lines[0] != "" {
		end += ": " + strings.Join(lines[max(0, len(lines)-3):], "; ")
	}
	return end
}

// String shows a visit in a failed expectation.
func (v *Visit) String() string {
	return fmt.Sprintf("the program was asked for %s on %d connections: %s", v.Activity, len(v.Conns), cmp.Or(v.end(), "success"))
}

// difference says where two images differ first, or "".
func difference(what string, got, want []byte) string {
	if len(got) != len(want) {
		return fmt.Sprintf("it reports success and %s has %d bytes, want %d", what, len(got), len(want))
	}
	if bytes.Equal(got, want) {
		return ""
	}
	i := 0
	for got[i] == want[i] {
		i++
	}
	return fmt.Sprintf("it reports success and %s differs first at byte %d: %#x, want %#x", what, i, got[i], want[i])
}

// image makes random data with runs of zeroes in it.
func image(seed byte, size uint64) []byte {
	b := make([]byte, size)
	_, _ = rand.NewChaCha8([32]byte{seed}).Read(b)
	for _, r := range [][2]uint64{{size / 4, size / 2}, {size * 3 / 4, size*3/4 + size/16}} {
		clear(b[r[0]:r[1]])
	}
	return b
}

// fill writes an image to a disk, and leaves holes where it has none.
func fill(disk export.Export, b []byte) error {
	const step = 64 << 10
	for off := 0; off < len(b); off += step {
		part := b[off:min(off+step, len(b))]
		if bytes.Count(part, []byte{0}) == len(part) {
			continue
		}
		if err := disk.WriteAt(part, uint64(off)); err != nil {
			return err
		}
	}
	return nil
}
