package campaign

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"time"

	"nbdconform/conformance/caller"
	"nbdconform/reference/export"
	"nbdconform/reports/fuzzing"
)

// copied is the size of the export that clients copy, in bytes.
const copied = 1 << 20

// visiting is how long a visit may take, unless something else is said.
const visiting = 20 * time.Second

// A Guest is a client program that visits servers.
type Guest struct {
	Caller  caller.Caller
	Timeout time.Duration // for one visit; 0: 20 seconds
}

// A Visit is how one went.
type Visit struct {
	Report  caller.Report
	Finding *fuzzing.Finding // what was wrong with the program, or nil
	End     string           // what the program came to, in one line
	untrue  string           // why the success that it reports is none
}

// Visit has the program visit a server that makes the moves. Wrong is a program
// that dies of a signal, that does not end though its connections have, that
// writes what only a fault of its own explains, and one that reports success with
// wrong data where the server never lied about contents.
func (g Guest) Visit(ctx context.Context, m Moves) (Visit, error) {
	if g.Timeout <= 0 {
		g.Timeout = visiting
	}
	var v Visit
	err := g.visit(ctx, m, &v)
	if err != nil {
		return v, err
	}
	r := v.Report
	v.End = "success"
	if !r.Succeeded() {
		v.End = r.Exit
		if line := lastLines(r.Stderr, 1); line != "" {
			v.End += ": " + numbers.ReplaceAllString(line[:min(len(line), 100)], "N")
		}
	}
	find := func(kind, about, detail string) {
		v.Finding = &fuzzing.Finding{
			Signature: strings.TrimSpace(kind + " " + string(m.Activity) + " " + about), Kind: kind, About: string(m.Activity),
			Detail: strings.TrimSpace(detail + "\n" + lastLines(r.Stderr, 10)),
		}
	}
	switch said := complaint(r.Stderr); {
	case r.Killed != "":
		find("crash", strings.TrimSpace(r.Killed+" "+said), "the program died: "+r.Killed)
	case said != "":
		find("said", said, "the program ended with "+v.End)
	case r.Hung:
		find("hang", "", fmt.Sprintf("the program did not end in %v; a server that falls silent hangs up after %v", g.Timeout, silence))
	case v.untrue != "" && !m.lies():
		find("wrong", "data", v.untrue)
	}
	return v, nil
}

// visit makes the visit, and looks at what was copied.
func (g Guest) visit(ctx context.Context, m Moves, v *Visit) error {
	before, in := pattern(1), pattern(2)
	disk := export.New(copied)
	if err := disk.WriteAt(before, 0); err != nil {
		return err
	}
	dir := g.Caller.Dir()
	t := caller.Task{Activity: m.Activity, Server: caller.Address{Socket: filepath.Join(dir, "f"), Export: "disk"}, File: filepath.Join(dir, "data")}
	_ = os.Remove(t.File)
	if m.Activity == caller.CopyIn {
		if err := os.WriteFile(t.File, in, 0o666); err != nil {
			return err
		}
	}
	h, err := serve(t.Server.Socket, disk, m)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, g.Timeout)
	v.Report, err = g.Caller.Do(ctx, t)
	cancel()
	h.close()
	if err != nil || !v.Report.Succeeded() {
		return err
	}
	switch m.Activity {
	case caller.CopyOut:
		got, err := os.ReadFile(t.File)
		if err != nil || !bytes.Equal(got, before) {
			v.untrue = fmt.Sprintf("the program reports success, and the copy of %d bytes is not what the server sent (%d bytes, error %v)", copied, len(got), err)
		}
	case caller.CopyIn:
		got := make([]byte, copied)
		if err := disk.ReadAt(got, 0); err != nil || !bytes.Equal(got, in) {
			v.untrue = fmt.Sprintf("the program reports success, and the server does not have what it was to write (error %v)", err)
		}
	}
	return nil
}

// pattern is data that is nowhere zero for long.
func pattern(seed byte) []byte {
	b := make([]byte, copied)
	_, _ = rand.NewChaCha8([32]byte{seed}).Read(b)
	return b
}
