package clients

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// An Output says how to read what a program prints. A function that is nil has
// no operation that prints such a thing.
type Output struct {
	Size    func(stdout string) (uint64, error)   // of the export, in bytes; after caller.Info
	Exports func(stdout string) ([]string, error) // their names; after caller.List
	Extents func(stdout string) ([]Extent, error) // in the program's order; after caller.Map
}

// An Extent is what a program prints of a range: that it reads as zeroes, or nothing.
type Extent struct {
	Offset, Length uint64
	Zero           bool
}

var (
	errNoSize = errors.New("it prints no size")

	nbdinfoOutput   = Output{Size: nbdinfoSize, Exports: nbdinfoExports, Extents: TextExtents}
	qemuImgOutput   = Output{Size: qemuImgSize, Extents: qemuImgExtents}
	qemuIOOutput    = Output{Extents: qemuIOExtents}
	nbdClientOutput = Output{Exports: nbdClientExports}
)

func nbdinfoSize(stdout string) (uint64, error) {
	var info struct {
		Exports []struct {
			Size *uint64 `json:"export-size"`
		} `json:"exports"`
	}
	if err := json.Unmarshal([]byte(stdout), &info); err != nil {
		return 0, fmt.Errorf("its output can't be read: %w", err)
	}
	if len(info.Exports) == 0 || info.Exports[0].Size == nil {
		return 0, errNoSize
	}
	return *info.Exports[0].Size, nil
}

func qemuImgSize(stdout string) (uint64, error) {
	var info struct {
		Size *uint64 `json:"virtual-size"`
	}
	if err := json.Unmarshal([]byte(stdout), &info); err != nil {
		return 0, fmt.Errorf("its output can't be read: %w", err)
	}
	if info.Size == nil {
		return 0, errNoSize
	}
	return *info.Size, nil
}

func nbdinfoExports(stdout string) ([]string, error) {
	var info struct {
		Exports []struct {
			Name string `json:"export-name"`
		} `json:"exports"`
	}
	if err := json.Unmarshal([]byte(stdout), &info); err != nil {
		return nil, fmt.Errorf("its list can't be read: %w", err)
	}
	var names []string
	for _, e := range info.Exports {
		names = append(names, e.Name)
	}
	return names, nil
}

// nbdClientExports reads lines such as "disk: a description", after one about
// the negotiation.
func nbdClientExports(stdout string) ([]string, error) {
	all, err := TextExports(stdout)
	var names []string
	for _, name := range all {
		if name = strings.TrimSuffix(name, ":"); name != "Negotiation" {
			names = append(names, name)
		}
	}
	return names, err
}

// TextExports reads lines that begin with the name of an export.
func TextExports(stdout string) ([]string, error) {
	var names []string
	for line := range strings.Lines(stdout) {
		if words := strings.Fields(line); len(words) > 0 { // the rest is a description
			names = append(names, words[0])
		}
	}
	return names, nil
}

func qemuImgExtents(stdout string) ([]Extent, error) {
	var list []Extent
	var lines []struct {
		Start, Length uint64
		Zero          bool
	}
	if err := json.Unmarshal([]byte(stdout), &lines); err != nil {
		return nil, fmt.Errorf("its map can't be read: %w", err)
	}
	for _, e := range lines {
		list = append(list, Extent{e.Start, e.Length, e.Zero})
	}
	return list, nil
}

// TextExtents reads lines of an offset, a length and the bits of
// NBD_CMD_BLOCK_STATUS for base:allocation.
func TextExtents(stdout string) ([]Extent, error) {
	const stateZero = 1 << 1 // NBD_STATE_ZERO
	return extents(stdout, func(words []string) (e Extent, err error) {
		if len(words) < 3 {
			return e, fmt.Errorf("%d words", len(words))
		}
		var state uint64
		for i, p := range []*uint64{&e.Offset, &e.Length, &state} {
			if *p, err = strconv.ParseUint(words[i], 10, 64); err != nil {
				return e, err
			}
		}
		e.Zero = state&stateZero != 0
		return e, nil
	})
}

// qemuIOExtents reads lines of what is allocated, which tells nothing of zeroes:
// 3 MiB (0x300000) bytes not allocated at offset 0 bytes (0x0).
func qemuIOExtents(stdout string) ([]Extent, error) {
	return extents(stdout, func(words []string) (e Extent, err error) {
		i := slices.Index(words, "offset")
		if i < 0 {
			return e, errors.New("no offset")
		}
		if e.Length, err = hexadecimal(words); err == nil {
			e.Offset, err = hexadecimal(words[i:])
		}
		return e, err
	})
}

// extents reads one of every line that is not empty: nbdinfo 1.6 ends with one
// that is.
func extents(stdout string, parse func(words []string) (Extent, error)) ([]Extent, error) {
	var list []Extent
	for line := range strings.Lines(stdout) {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		e, err := parse(words)
		if err != nil {
			return nil, fmt.Errorf("its map can't be read: %w in %.80q", err, line)
		}
		list = append(list, e)
	}
	return list, nil
}

// hexadecimal is the first number in parentheses.
func hexadecimal(words []string) (uint64, error) {
	for _, w := range words {
		if s, ok := strings.CutPrefix(w, "(0x"); ok {
			return strconv.ParseUint(strings.TrimSuffix(s, ")"), 16, 64)
		}
	}
	return 0, errors.New("no number in parentheses")
}
