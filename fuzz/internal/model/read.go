package model

import (
	"bytes"
	"strings"

	"nbdconform/conformance/clause"
	"nbdconform/reference/export"
	"nbdconform/reference/wire"
)

// read holds the contents of a reply against what is known, and learns.
func (r *Request) read(pieces []Piece) (list []Violation) {
	c, d := r.c, r.c.disk
	if r.faulty || d.stranger {
		return nil
	}
	for _, p := range pieces {
		n := p.N
		if p.Data != nil {
			n = uint64(len(p.Data))
		}
		if ragged(p.Offset, r.span) || ragged(p.Offset+n, r.span) {
			return violate(list, "cmd.read.chunk-alignment", "a chunk is about %d bytes at %d, multiples of 512 are due within the range", n, p.Offset)
		}
		from, to := max(p.Offset, r.span.From), min(p.Offset+n, r.span.To)
		if from >= to { // the judge's business
			continue
		}
		var learned []run
		d.each(from, to, func(k run, gap bool) bool {
			var got []byte
			if p.Data != nil {
				got = p.Data[k.from-p.Offset : k.to-p.Offset]
			}
			switch {
			case r.disturbed(Span{k.from, k.to}) || !c.visible(k):
				return true
			case gap && !d.blank:
				l := run{from: k.from, to: k.to, kind: zeroed, by: nobody}
				if got != nil {
					l.kind, l.data = known, bytes.Clone(got)
				}
				learned = append(learned, l)
				return true
			case !gap && k.kind == undefined:
				return true
			}
			at := mismatch(k, gap, got)
			if at < 0 {
				return true
			}
			want, is := byte(0), byte(0)
			if !gap && k.kind == known {
				want = k.data[at]
			}
			if got != nil {
				is = got[at]
			}
			list = violate(list, d.origin(k, gap), "the byte at offset %d reads as %#02x, %#02x is due: %s",
				k.from+uint64(at), is, want, d.story(k, gap))
			return false
		})
		for _, l := range learned {
			d.put(l)
		}
		if len(list) > 0 {
			break
		}
	}
	return list
}

// ragged reports whether a chunk should not begin or end there: within the
// range, and not at a multiple of 512.
func ragged(at uint64, s Span) bool { return at > s.From && at < s.To && at%512 != 0 }

// mismatch is where got, zeroes if it is nil, differs from what is known, or -1.
func mismatch(k run, gap bool, got []byte) int {
	var want []byte
	if !gap && k.kind == known {
		want = k.data
	}
	switch {
	case want == nil:
		return firstNonzero(got)
	case got == nil:
		return firstNonzero(want)
	case bytes.Equal(want, got):
		return -1
	}
	for i := range want {
		if want[i] != got[i] {
			return i
		}
	}
	return -1
}

func firstNonzero(b []byte) int {
	if i := len(b) - len(bytes.TrimLeft(b, "\x00")); i < len(b) {
		return i
	}
	return -1
}

// origin is the clause that says what the bytes have to be.
func (d *disk) origin(k run, gap bool) clause.ID {
	switch {
	case !gap && k.by != nobody && k.cause == wire.CmdWriteZeroes:
		return "cmd.write-zeroes.reads-zero"
	case !gap && k.by != nobody:
		return "cmd.write.then-reply"
	case d.changed:
		return "layout.write.range"
	}
	return clauseRead
}

func (d *disk) story(k run, gap bool) string {
	switch {
	case !gap && k.by != nobody:
		return "that is what " + k.cause.String() + " left there"
	case d.changed:
		return "no request that was granted is about it"
	}
	return "nothing was changed"
}

// status holds block status against what is known.
func (r *Request) status(statuses []wire.BlockStatus) (list []Violation) {
	c, d := r.c, r.c.disk
	if r.faulty || d.stranger {
		return nil
	}
	for _, s := range statuses {
		name := ""
		for _, m := range c.Contexts {
			if m.ID == s.ContextID {
				name = m.Name
			}
		}
		if list = shape(name, s.Extents); len(list) > 0 {
			return list
		}
		check := r.checkOf(name)
		if check == nil {
			continue
		}
		at := r.Offset
		for _, e := range s.Extents {
			to := at + e.Length
			if to < at {
				break
			}
			d.each(at, to, func(k run, gap bool) bool {
				if gap || !c.visible(k) || r.disturbed(Span{k.from, k.to}) {
					return true
				}
				id, text := check(k, e.Status)
				if id != "" {
					list = violate(list, id, "%d bytes at %d have the status %#x in %s, %s", k.to-k.from, k.from, e.Status, name, text)
				}
				return id == ""
			})
			if at = to; len(list) > 0 {
				return list
			}
		}
	}
	return list
}

// shape holds a list of extents against what needs no knowledge of contents.
func shape(name string, extents []wire.Extent) (list []Violation) {
	const most = 1<<32 - 1<<17 // close to what 32 bits can tell neighbours may be alike
	for i, e := range extents {
		if strings.HasPrefix(name, export.DirtyBitmap) && e.Status&^export.Dirty != 0 {
			return violate(list, "meta.qemu.dirty-bitmap.flag", "%s has the status %#x, 0 or 1 is due", name, e.Status)
		}
		if i > 0 && extents[i-1].Status == e.Status && extents[i-1].Length+e.Length < most {
			return violate(list, "cmd.block-status.distinct", "descriptors %d and %d of %s have the same status %#x", i, i+1, name, e.Status)
		}
	}
	return nil
}

// checkOf returns what the statuses of a context are held against.
func (r *Request) checkOf(name string) func(k run, status uint64) (clause.ID, string) {
	records := r.c.m.opts.Records
	switch {
	case name == export.BaseAllocation:
		return func(k run, status uint64) (clause.ID, string) {
			if status&uint64(wire.StateZero) != 0 && k.nonzero() {
				return "layout.allocation.zero", "and there is data that is not zero"
			}
			return "", ""
		}
	case records && strings.HasPrefix(name, export.DirtyBitmap):
		return func(k run, status uint64) (clause.ID, string) {
			if k.by != nobody && status&export.Dirty == 0 && (k.cause == wire.CmdWrite || k.cause == wire.CmdWriteZeroes) && k.kind != undefined {
				return "meta.qemu.dirty-bitmap.dirty", "and " + k.cause.String() + " changed them"
			}
			return "", ""
		}
	case records && name == export.AllocationDepth:
		return func(k run, status uint64) (clause.ID, string) {
			if k.by != nobody && k.nonzero() && status != 1 {
				return "meta.qemu.allocation-depth", "and were written a moment ago: 1 is due"
			}
			return "", ""
		}
	}
	return nil
}
