package pairing

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// untrueInfo holds what a program says of an export against its size.
// The reference client says it in words of its own.
func untrueInfo(text string, size uint64) string {
	var said struct {
		Exports []struct {
			Size *uint64 `json:"export-size"`
		} `json:"exports"` // nbdinfo
		Virtual *uint64 `json:"virtual-size"` // qemu-img
	}
	var got *uint64
	if err := json.Unmarshal([]byte(text), &said); err != nil {
		var n uint64
		if _, err := fmt.Sscanf(text, "size %d", &n); err != nil {
			return fmt.Sprintf("what it says can't be read: %.200q", text)
		}
		got = &n
	} else if got = said.Virtual; len(said.Exports) > 0 {
		got = said.Exports[0].Size
	}
	switch {
	case got == nil:
		return "it says no size"
	case *got != size:
		return fmt.Sprintf("it says the size is %d, want %d", *got, size)
	}
	return ""
}

func listedByNbdinfo(text string) ([]string, error) {
	var said struct {
		Exports []struct {
			Name string `json:"export-name"`
		} `json:"exports"`
	}
	if err := json.Unmarshal([]byte(text), &said); err != nil {
		return nil, fmt.Errorf("its list can't be read: %w", err)
	}
	var names []string
	for _, e := range said.Exports {
		names = append(names, e.Name)
	}
	return names, nil
}

// An extent is what a map says of a range: that it reads as zeroes, or nothing.
type extent struct {
	offset, length uint64
	zero           bool
}

// untrueMap holds a map against the contents: it covers them without a gap,
// and what is said to be zero is.
func untrueMap(text string, holds []byte) string {
	list, err := mapped(text)
	if err != nil {
		return err.Error()
	}
	var at uint64
	for _, e := range list {
		if e.offset != at || e.length > uint64(len(holds))-at {
			return fmt.Sprintf("the map has an extent of %d bytes at %d, after those up to %d of %d", e.length, e.offset, at, len(holds))
		}
		at += e.length
		if part := holds[e.offset:at]; e.zero && bytes.Count(part, []byte{0}) != len(part) {
			return fmt.Sprintf("the map says that %d bytes at %d are zero, and they are not", e.length, e.offset)
		}
	}
	if at != uint64(len(holds)) {
		return fmt.Sprintf("the map ends at %d, want %d", at, len(holds))
	}
	return ""
}

// mapped reads a map: qemu-img's JSON, or lines of offset, length and type as
// nbdinfo and the reference client have it, or qemu-io's of what is allocated.
func mapped(text string) ([]extent, error) {
	if strings.HasPrefix(text, "[") {
		var said []struct {
			Start, Length uint64
			Zero          bool
		}
		if err := json.Unmarshal([]byte(text), &said); err != nil {
			return nil, fmt.Errorf("its map can't be read: %w", err)
		}
		var list []extent
		for _, e := range said {
			list = append(list, extent{e.Start, e.Length, e.Zero})
		}
		return list, nil
	}
	var list []extent
	for line := range strings.Lines(text) {
		if strings.TrimSpace(line) == "" { // nbdinfo 1.6 ends so
			continue
		}
		e, err := extentOf(strings.Fields(line))
		if err != nil {
			return nil, fmt.Errorf("its map can't be read: %w in %.80q", err, line)
		}
		list = append(list, e)
	}
	return list, nil
}

func extentOf(words []string) (e extent, err error) {
	const stateZero = 1 << 1 // NBD_STATE_ZERO
	if len(words) < 3 {
		return e, fmt.Errorf("%d words", len(words))
	}
	if i := index(words, "offset"); i > 0 { // qemu-io: 3 MiB (0x300000) bytes not allocated at offset 0 bytes (0x0)
		if e.length, err = hexadecimal(words); err == nil {
			e.offset, err = hexadecimal(words[i:])
		}
		return e, err
	}
	var kind uint64
	for i, p := range []*uint64{&e.offset, &e.length, &kind} {
		if *p, err = strconv.ParseUint(words[i], 10, 64); err != nil {
			return e, err
		}
	}
	e.zero = kind&stateZero != 0
	return e, nil
}

func index(words []string, word string) int {
	for i, w := range words {
		if w == word {
			return i
		}
	}
	return -1
}

// hexadecimal is the first number in parentheses.
func hexadecimal(words []string) (uint64, error) {
	for _, w := range words {
		if s, ok := strings.CutPrefix(w, "(0x"); ok {
			return strconv.ParseUint(strings.TrimSuffix(s, ")"), 16, 64)
		}
	}
	return 0, fmt.Errorf("no number in parentheses")
}
