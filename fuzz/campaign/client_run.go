package campaign

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"nbdconform/conformance/subject"
	"nbdconform/fuzz/session"
	"nbdconform/reports/fuzzing"
)

// copied is the size of the export that clients copy, in bytes.
const copied = 1 << 20

// A Client is a client program under test.
type Client struct {
	Program subject.Client
	Timeout time.Duration // for one run; 0: 20 seconds
}

func (g Client) timeout() time.Duration {
	if g.Timeout <= 0 {
		return 20 * time.Second
	}
	return g.Timeout
}

// A ClientResult is the outcome of one run of a client program.
type ClientResult struct {
	Report      subject.Report
	Finding     *fuzzing.Finding // what was wrong with the program, or nil
	End         string           // how the program ended, in one line
	Reached     []string         // what was said by either side, and how it ended
	connections []*connection
	untrue      string // why the success that it reports is none
}

// Run runs the program against a server that makes the faults. Wrong is a program
// that dies of a signal, that does not end though its connections have, that
// writes what only a fault of its own explains, and one that reports success with
// wrong data where the server never lied about contents.
func (g Client) Run(ctx context.Context, m FaultScript) (ClientResult, error) {
	var v ClientResult
	err := g.run(ctx, m, &v)
	if err != nil {
		return v, err
	}
	r := v.Report
	v.End = "success"
	if !r.Succeeded() {
		v.End = r.Exit
		if line := lastLines(r.Stderr, 1); line != "" {
			line = numbers.ReplaceAllString(strings.ReplaceAll(line, g.Program.Dir(), "DIR"), "N")
			v.End += ": " + line[:min(len(line), longest)]
		}
	}
	v.reach(m.Operation)
	find := func(kind session.Kind, about, detail string) {
		v.Finding = &fuzzing.Finding{
			Signature: strings.TrimSpace(string(kind) + " " + string(m.Operation) + " " + about), Kind: string(kind), About: string(m.Operation),
			Detail: strings.TrimSpace(detail + "\n" + lastLines(r.Stderr, 10)),
		}
	}
	switch said := complaint(r.Stderr); {
	case r.Killed != "":
		find(session.Crash, strings.TrimSpace(r.Killed+" "+said), "the program died: "+r.Killed)
	case said != "":
		find(Complaint, said, "the program ended with "+v.End)
	case r.Hung:
		find(session.Hang, "", fmt.Sprintf("the program did not end in %v; a server that falls silent hangs up after %v", g.timeout(), silence))
	case v.untrue != "" && !m.corrupts():
		find(session.Wrong, "data", v.untrue)
	}
	return v, nil
}

// reach lists what was reached.
func (v *ClientResult) reach(a subject.Operation) {
	seen := make(map[string]bool)
	add := func(p string) {
		if p = string(a) + ": " + p; !seen[p] {
			seen[p] = true
			v.Reached = append(v.Reached, p)
		}
	}
	add(v.End)
	for _, t := range v.connections {
		for _, p := range t.reached() {
			add(p)
		}
	}
}

// run runs the program once, and compares what it copied.
func (g Client) run(ctx context.Context, m FaultScript, v *ClientResult) error {
	before, in := contents(onServer), contents(local)
	dir := g.Program.Dir()
	t := subject.Task{Operation: m.Operation, Server: subject.Address{Socket: filepath.Join(dir, "f"), Export: "disk"}, File: filepath.Join(dir, "data")}
	_ = os.Remove(t.File)
	if m.Operation == subject.CopyIn {
		if err := os.WriteFile(t.File, in, 0o666); err != nil {
			return err
		}
	}
	h, err := serve(t.Server.Socket, before, m)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, g.timeout())
	v.Report, err = g.Program.Do(ctx, t)
	cancel()
	h.close()
	v.connections = h.connections
	if err != nil || !v.Report.Succeeded() {
		return err
	}
	switch m.Operation {
	case subject.CopyOut:
		got, err := os.ReadFile(t.File)
		if err != nil || !bytes.Equal(got, before) {
			v.untrue = fmt.Sprintf("the program reports success, and the copy of %d bytes is not what the server sent (%d bytes, error %v)", copied, len(got), err)
		}
	case subject.CopyIn:
		got := make([]byte, copied)
		if err := h.disk.ReadAt(got, 0); err != nil || !bytes.Equal(got, in) {
			v.untrue = fmt.Sprintf("the program reports success, and the server does not have what it was to write (error %v)", err)
		}
	}
	return nil
}

// What contents there are: those of the export, and of a file that is copied to it.
const (
	onServer = 1
	local    = 2
)

// Words of contents are multiples of step plus the seed, so that it is easy to
// say, in a reproducer too, where some are from. step*inverse is 1.
const (
	step    = 0x9e3779b97f4a7c15
	inverse = 0xf1de83e19937733d
)

// contents is data that is nowhere zero for long.
func contents(seed uint64) []byte {
	b := make([]byte, 0, copied)
	for i := range uint64(copied / 8) {
		b = binary.BigEndian.AppendUint64(b, i*step+seed)
	}
	return b
}
