package peer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"nbdconform/reference/client"
	"nbdconform/reference/export"
	"nbdconform/reference/wire"
)

// A Mapped is a run of bytes with one status in a metadata context.
type Mapped struct {
	Offset      uint64 `json:"offset"`
	Length      uint64 `json:"length"`
	Status      uint64 `json:"status"`
	Description string `json:"description"`
}

// Extents asks for the status of all of an export, and joins what belongs together.
func Extents(ctx context.Context, c *client.Client, name string, progress func(uint64)) ([]Mapped, error) {
	if !c.Structured() {
		return nil, errors.New("metadata contexts take structured replies, which were not agreed on: the server has to offer them, and --simple-replies does without")
	}
	if !c.HasContext(name) {
		return nil, fmt.Errorf("the server has no metadata context %q for this export: nbdconform info lists those it has", name)
	}
	list := []Mapped{}
	most := uint64(1 << 31)
	if c.Extended() {
		most = 1 << 62
	}
	size := c.Size() - c.Size()%uint64(c.Constraints().Minimum) // the rest is out of reach
	for offset := uint64(0); offset < size; {
		status, err := c.BlockStatus(ctx, offset, min(size-offset, most), 0)
		if err != nil {
			return nil, fmt.Errorf("asking for the status at %d: %w", offset, err)
		}
		for _, e := range status[name] {
			e.Length = min(e.Length, c.Size()-offset) // the last may reach further than the export
			list = appended(list, Mapped{offset, e.Length, e.Status, describe(name, e.Status)})
			offset += e.Length
		}
		progress(offset)
	}
	return list, nil
}

// appended is a list with the run that comes next, joined to the last one where
// both have the same status.
func appended(list []Mapped, next Mapped) []Mapped {
	n := len(list)
	switch {
	case next.Length == 0:
		return list
	case n > 0 && list[n-1].Status == next.Status:
		list[n-1].Length += next.Length
		return list
	}
	return append(list, next)
}

// describe puts a status into words where the context is known.
func describe(context string, status uint64) string {
	switch {
	case context == client.AllocationContext:
	case strings.HasPrefix(context, export.DirtyBitmap) && status <= 1:
		return []string{"clean", "dirty"}[status]
	case context == export.AllocationDepth && status <= 1:
		return []string{"absent", "local"}[status]
	case context == export.AllocationDepth:
		return fmt.Sprintf("backing depth %d", status)
	default:
		return fmt.Sprintf("%#x", status)
	}
	switch wire.StateFlags(status) {
	case 0:
		return "data"
	case wire.StateHole:
		return "hole"
	case wire.StateZero:
		return "zero"
	case wire.StateHole | wire.StateZero:
		return "hole,zero"
	}
	return wire.StateFlags(status).String()
}

// Totals has one entry for each status.
func Totals(list []Mapped) []Mapped {
	sums := []Mapped{}
	for _, m := range list {
		same := func(s Mapped) bool { return s.Status == m.Status }
		if i := slices.IndexFunc(sums, same); i >= 0 {
			sums[i].Length += m.Length
			continue
		}
		sums = append(sums, Mapped{Length: m.Length, Status: m.Status, Description: m.Description})
	}
	slices.SortFunc(sums, func(a, b Mapped) int { return cmp.Compare(a.Status, b.Status) })
	return sums
}
