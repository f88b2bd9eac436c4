package encounter

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"strings"

	"nbdconform/conformance/internal/outcome"
	"nbdconform/conformance/internal/verdict"
	"nbdconform/conformance/subject"
	"nbdconform/reference/export"
	"nbdconform/reference/server"
	"nbdconform/reports/recording"
	"nbdconform/reports/render/words"
	"nbdconform/reports/result"
)

// A Visit is one task that a program was asked to do, and what came of it.
type Visit struct {
	Operation subject.Operation
	Report    subject.Report
	Conns     []*Conn

	// With [SlowWrites]: how many flushes came, and the writes that came behind
	// the last of them or had no reply by then.
	Flushes, Uncovered int

	before, after []byte // contents of the export
	file          []byte // what CopyIn was to write and CopyOut wrote
	missing       bool   // CopyOut wrote no file
	size          uint64 // that the export was to be given

	rec   *recording.Recorder
	task  subject.Task
	dir   string
	plain *outcome.Scene // without a mark on what the judge has nothing against
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
	if t.client.Facts.Compact[s.activity] && !t.spec.GoodServer && !t.spec.ExtendedHeaders {
		Compact(s)
	}
	if s.activity == subject.Resize && s.length == 0 {
		resizable(s)
		s.length = 2 * s.size
	}
	if !t.client.Program.Can(s.activity, s.tls) {
		verdict.Unsupported("operation-unknown", s.activity, s.tls)
	}
	v, err := t.client.visit(ctx, s)
	if err != nil {
		verdict.Harness("shown", err)
	}
	t.visits = append(t.visits, v)
	if len(v.Conns) == 0 && !v.Report.Hung && t.activity != "" {
		verdict.Fail(result.Failure{Code: "no-connection", Exchange: exchange(v)})
	}
	return v
}

// visit serves one task.
func (b *Client) visit(ctx context.Context, s *setup) (*Visit, error) {
	v := &Visit{Operation: s.activity, size: s.length, dir: b.Program.Dir()}
	if b.Record {
		v.rec = recording.New(recording.DefaultLimits)
	}
	disk := export.New(s.size)
	v.before = image(1, s.size)
	if err := fill(disk, v.before); err != nil {
		return nil, err
	}
	task := subject.Task{
		Operation: s.activity, Offset: rangeOffset, Length: rangeLength,
		Server: subject.Address{Socket: path(v.dir, "s"), TLS: s.tls},
	}
	if s.activity == subject.Resize {
		task.Length = s.length
	}
	if s.tls != subject.NoTLS {
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
	v.Report, err = b.Program.Do(bounded, task)
	cancel()
	h.close()
	v.Conns, v.Flushes, v.Uncovered, v.task = h.conns, h.flushes, h.uncovered, task
	if err != nil {
		return nil, err
	}
	return v, v.gather(task, disk)
}

// prepare writes the file that the task is about.
func (v *Visit) prepare(task *subject.Task) error {
	switch v.Operation {
	case subject.CopyOut:
		task.File = path(v.dir, "out")
		if err := os.Remove(task.File); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		return nil
	case subject.CopyIn:
		v.file = image(2, uint64(len(v.before)))
	case subject.Compare:
		v.file = v.before
	default:
		return nil
	}
	task.File = path(v.dir, "in")
	return os.WriteFile(task.File, v.file, 0o644) // #nosec: a program in a container may be another user
}

// gather reads what the task left behind.
func (v *Visit) gather(task subject.Task, disk export.Export) error {
	v.after = make([]byte, len(v.before))
	if err := disk.ReadAt(v.after, 0); err != nil {
		return err
	}
	if v.Operation != subject.CopyOut {
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
// the server said: code names the occasion that the program did not give.
func (v *Visit) Provoked(code string, values ...any) {
	for _, c := range v.Conns {
		if c.Provoked {
			return
		}
	}
	Unsuited(code, values...)
}

// Unsuited ends the spec as unsupported, because the program does something
// else than what the spec is about.
func Unsuited(code string, values ...any) {
	verdict.Unsupported("program-does-not", result.Term(code, values...))
}

// Wrong says why the visit is no success, or [result.Nothing]: the program has
// to report success, and it has to be true.
func (v *Visit) Wrong() result.Value {
	if !v.Report.Succeeded() {
		return result.Term("client.reports-failure", v.end())
	}
	return v.Untrue()
}

// Untrue says what is wrong about the success that the program reports, or
// [result.Nothing]. A program that reports failure says nothing untrue.
func (v *Visit) Untrue() result.Value {
	if !v.Report.Succeeded() {
		return result.Nothing
	}
	if len(v.Conns) == 0 {
		return result.Term("client.never-connected")
	}
	switch v.Operation {
	case subject.CopyOut:
		if v.missing {
			return result.Term("client.no-file")
		}
		return difference("client.file", v.file, v.before)
	case subject.CopyIn:
		return difference("client.export", v.after, v.file)
	case subject.Zero, subject.Trim:
		want := bytes.Clone(v.before)
		clear(want[rangeOffset : rangeOffset+rangeLength])
		if v.Operation == subject.Trim { // what becomes of the range is open
			copy(want[rangeOffset:], v.after[rangeOffset:rangeOffset+rangeLength])
		}
		return difference("client.export", v.after, want)
	}
	return result.Nothing
}

// end is how the program ended, with the last lines that it wrote to stderr.
func (v *Visit) end() result.Value {
	r := v.Report
	end := result.Text(cmp.Or(r.Killed, r.Exit))
	if r.Hung {
		end = result.Term("client.not-in-time")
	}
	if lines := strings.Split(strings.TrimSpace(r.Stderr), "\n"); lines[0] != "" {
		return result.Term("client.end-with-stderr", end, result.Text(strings.Join(lines[max(0, len(lines)-3):], "; ")))
	}
	return end
}

// Value implements [result.Valuer].
func (v *Visit) Value() result.Value {
	end := v.end()
	if end.Text == "" && end.Name == "" {
		end = result.Term("client.success")
	}
	return result.Term("client.visit", v.Operation, len(v.Conns), end)
}

// String shows a visit.
func (v *Visit) String() string { return words.Phrase(v.Value()) }

func exchange(v *Visit) *result.Value {
	x := v.Value()
	return &x
}

// difference says where two images differ first, or [result.Nothing].
func difference(what string, got, want []byte) result.Value {
	if len(got) != len(want) {
		return result.Term("client.other-length", result.Term(what), len(got), len(want))
	}
	if bytes.Equal(got, want) {
		return result.Nothing
	}
	i := 0
	for got[i] == want[i] {
		i++
	}
	return result.Term("client.differs", result.Term(what), i, got[i], want[i])
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
