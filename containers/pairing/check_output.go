package pairing

import (
	"bytes"
	"fmt"
	"slices"

	"nbdconform/containers/clients"
)

// checkSize compares the size that a program prints with that of the export.
func checkSize(o clients.Output, stdout string, want uint64) string {
	if o.Size == nil {
		return unreadable
	}
	switch got, err := o.Size(stdout); {
	case err != nil:
		return fmt.Sprintf("%v: %.200q", err, stdout)
	case got != want:
		return fmt.Sprintf("the size is %d, expected %d", got, want)
	}
	return ""
}

// unreadable is the failure of a program whose output nothing here can read.
const unreadable = "how it prints this is not known"

// checkExports compares the exports that a program lists with those that there are.
func checkExports(o clients.Output, stdout string, want []string) string {
	if o.Exports == nil {
		return unreadable
	}
	got, err := o.Exports(stdout)
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

// checkExtents compares a map with the contents: it covers them without a gap,
// and what it says is zero is.
func checkExtents(o clients.Output, stdout string, contents []byte) string {
	if o.Extents == nil {
		return unreadable
	}
	list, err := o.Extents(stdout)
	if err != nil {
		return err.Error()
	}
	size := uint64(len(contents))
	var at uint64
	for _, e := range list {
		if e.Offset != at || e.Length > size-at {
			return fmt.Sprintf("the map has an extent of %d bytes at %d, after those up to %d of %d", e.Length, e.Offset, at, size)
		}
		at += e.Length
		if part := contents[e.Offset:at]; e.Zero && bytes.Count(part, []byte{0}) != len(part) {
			return fmt.Sprintf("the map says that %d bytes at %d are zero, and they are not", e.Length, e.Offset)
		}
	}
	if at != size {
		return fmt.Sprintf("the map ends at %d, expected %d", at, size)
	}
	return ""
}
