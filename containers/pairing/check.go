package pairing

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"nbdconform/conformance/subject"
	"nbdconform/reports/matrix"
)

// check says what is wrong about the success that the program reports, or "".
// After a task that writes, it reads the contents of the server.
func (t *attempt) check(ctx context.Context) (string, error) {
	if t.task.Operation.Writes() {
		before := t.Server.contents
		if err := t.Server.refresh(ctx); err != nil {
			return "", err
		}
		return t.checkWritten(before), nil
	}
	if !t.report.Succeeded() {
		return "", nil
	}
	switch t.task.Operation {
	case subject.CopyOut:
		if t.operation != matrix.CopyOut && t.operation != matrix.Connect {
			return "", nil // the server with TLS has other contents
		}
		got, err := os.ReadFile(t.task.File)
		if errors.Is(err, os.ErrNotExist) {
			return "it wrote no file", nil
		} else if err != nil {
			return "", err
		}
		defer func() { _ = os.Remove(t.task.File) }()
		return difference("the file", got, t.Server.contents), nil
	case subject.Compare, subject.Verify:
		return t.checkDetects(ctx)
	case subject.Info:
		return checkSize(t.Client.program.Output, t.report.Stdout, t.server.Profile().Size), nil
	case subject.List:
		return checkExports(t.Client.program.Output, t.report.Stdout, t.Server.plain.Profile().Exports), nil
	case subject.Map:
		return checkExtents(t.Client.program.Output, t.report.Stdout, t.Server.contents), nil
	}
	return "", nil
}

func (t *attempt) checkWritten(before []byte) string {
	got := t.Server.contents
	switch t.task.Operation {
	case subject.CopyIn:
		return difference("the export", got, t.file)
	case subject.Stamp:
		return difference("the export", got, stamped())
	case subject.Zero, subject.Trim:
		want := slices.Clone(before)
		clear(want[rangeOffset : rangeOffset+rangeLength])
		if t.task.Operation == subject.Trim { // the contents of the range are unspecified then
			copy(want[rangeOffset:], got[rangeOffset:rangeOffset+rangeLength])
		}
		return difference("the export", got, want)
	}
	return ""
}

// checkDetects plants a difference in the file, or in the export where there is
// none, and compares again.
func (t *attempt) checkDetects(ctx context.Context) (string, error) {
	if err := t.plantDifference(ctx); err != nil {
		return "", err
	}
	first, observed := t.report, t.observed
	if err := t.run(ctx); err != nil {
		return "", err
	}
	again := t.report
	t.report, t.observed = first, observed
	switch {
	case again.Succeeded():
		return "it finds no difference where one was planted", nil
	case again.Hung || again.Killed != "":
		return "where a difference was planted " + ended(again), nil
	}
	return "", nil
}

func (t *attempt) plantDifference(ctx context.Context) error {
	const at = rangeOffset + rangeLength/2
	if t.task.Operation == subject.Verify {
		block := slices.Clone(t.Server.contents[at : at+subject.StampBlock]) // smaller ones might be refused
		block[0] ^= 0x10
		return t.Server.write(ctx, at, block)
	}
	planted := slices.Clone(t.file)
	planted[at] ^= 0x10
	return os.WriteFile(t.task.File, planted, 0o644) // #nosec: see prepare
}

// difference says where two images differ first, or "".
func difference(what string, got, want []byte) string {
	if bytes.Equal(got, want) {
		return ""
	}
	if len(got) != len(want) {
		return fmt.Sprintf("%s has %d bytes, expected %d", what, len(got), len(want))
	}
	i, n := 0, 0
	for k := range got {
		if got[k] != want[k] {
			if n == 0 {
				i = k
			}
			n++
		}
	}
	return fmt.Sprintf("%s differs first at byte %d: %#x, expected %#x; %d bytes differ", what, i, got[i], want[i], n)
}
