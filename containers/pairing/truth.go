package pairing

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"nbdconform/conformance/caller"
	"nbdconform/reports/matrix"
)

// untrue says what is wrong about the success that the program reports, or "".
// After what writes, it finds out what the server holds.
func (d *deed) untrue(ctx context.Context) (string, error) {
	if d.task.Activity.Writes() {
		before := d.Server.holds
		if err := d.Server.refresh(ctx); err != nil {
			return "", err
		}
		return d.untrueWriting(before), nil
	}
	if !d.report.Succeeded() {
		return "", nil
	}
	switch d.task.Activity {
	case caller.CopyOut:
		if d.activity != matrix.CopyOut && d.activity != matrix.Connect {
			return "", nil // the server with TLS holds something else
		}
		got, err := os.ReadFile(d.task.File)
		if errors.Is(err, os.ErrNotExist) {
			return "it wrote no file", nil
		} else if err != nil {
			return "", err
		}
		defer func() { _ = os.Remove(d.task.File) }()
		return difference("the file", got, d.Server.holds), nil
	case caller.Compare, caller.Verify:
		return d.overlooks(ctx)
	case caller.Info:
		return untrueInfo(d.report.Stdout, d.server.Profile().Size), nil
	case caller.List:
		return untrueList(d.Client.Peer.Name, d.report.Stdout, d.Server.names()), nil
	case caller.Map:
		return untrueMap(d.report.Stdout, d.Server.holds), nil
	}
	return "", nil
}

func (d *deed) untrueWriting(before []byte) string {
	got := d.Server.holds
	switch d.task.Activity {
	case caller.CopyIn:
		return difference("the export", got, d.file)
	case caller.Stamp:
		return difference("the export", got, stamped())
	case caller.Zero, caller.Trim:
		want := slices.Clone(before)
		clear(want[rangeOffset : rangeOffset+rangeLength])
		if d.task.Activity == caller.Trim { // what becomes of the range is open
			copy(want[rangeOffset:], got[rangeOffset:rangeOffset+rangeLength])
		}
		return difference("the export", got, want)
	}
	return ""
}

// overlooks plants a difference in the file, or in the export where there is
// none, and compares again.
func (d *deed) overlooks(ctx context.Context) (string, error) {
	if err := d.plant(ctx); err != nil {
		return "", err
	}
	first, said := d.report, d.heard
	if err := d.run(ctx); err != nil {
		return "", err
	}
	again := d.report
	d.report, d.heard = first, said
	switch {
	case again.Succeeded():
		return "it finds no difference where one was planted", nil
	case again.Hung || again.Killed != "":
		return "where a difference was planted " + ending(again), nil
	}
	return "", nil
}

func (d *deed) plant(ctx context.Context) error {
	const at = rangeOffset + rangeLength/2
	if d.task.Activity == caller.Verify {
		block := slices.Clone(d.Server.holds[at : at+caller.StampBlock]) // smaller ones might be refused
		block[0] ^= 0x10
		return d.Server.put(ctx, at, block)
	}
	planted := slices.Clone(d.file)
	planted[at] ^= 0x10
	return os.WriteFile(d.task.File, planted, 0o644) // #nosec: see prepare
}

// difference says where two images differ first, or "".
func difference(what string, got, want []byte) string {
	if bytes.Equal(got, want) {
		return ""
	}
	if len(got) != len(want) {
		return fmt.Sprintf("%s has %d bytes, want %d", what, len(got), len(want))
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
	return fmt.Sprintf("%s differs first at byte %d: %#x, want %#x; %d bytes differ", what, i, got[i], want[i], n)
}

// untrueList holds a list of exports against those that there are.
func untrueList(program, text string, want []string) string {
	got, err := listed(program, text)
	if err != nil {
		return err.Error()
	}
	for _, name := range want {
		if name != "" && !slices.Contains(got, name) {
			return fmt.Sprintf("it does not list %q; it lists %q", name, got)
		}
	}
	for _, name := range got {
		if name != "" && !slices.Contains(want, name) {
			return fmt.Sprintf("it lists %q, which is none of %q", name, want)
		}
	}
	return ""
}

// listed are the names that a program lists, of which nbdinfo has a JSON for.
func listed(program, text string) ([]string, error) {
	if program == "nbdinfo" {
		return listedByNbdinfo(text)
	}
	var names []string
	for line := range strings.Lines(text) {
		name, _, _ := strings.Cut(strings.TrimSpace(line), " ") // the rest is a description
		if name != "" && !strings.HasPrefix(line, "Negotiation") {
			names = append(names, strings.TrimSuffix(name, ":")) // nbd-client's ahead of a description
		}
	}
	return names, nil
}
