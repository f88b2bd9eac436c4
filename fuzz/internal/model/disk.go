package model

import (
	"bytes"
	"slices"
	"sort"

	"nbdconform/reference/wire"
)

// nobody is the writer of what was there before.
const nobody = -1

type kind uint8

const (
	known     kind = iota // data
	zeroed                // zeroes
	undefined             // anything, and something else the next time
)

// A run is what is known of a range. What no run is about is as it was before.
type run struct {
	from, to uint64
	kind     kind
	data     []byte // of known, from from on; lent to no one
	by       int    // the connection that wrote it
	cause    wire.Command
	seq      uint64 // when the write was answered
	settled  bool   // it was flushed
}

// clip returns the part of r within from and to.
func (r run) clip(from, to uint64) run {
	from, to = max(from, r.from), min(to, r.to)
	if r.kind == known {
		r.data = r.data[from-r.from : to-r.from]
	}
	r.from, r.to = from, to
	return r
}

func (r run) nonzero() bool {
	return r.kind == known && len(bytes.TrimLeft(r.data, "\x00")) > 0
}

// A disk is the contents of one export.
type disk struct {
	runs     []run // sorted, none overlapping
	blank    bool  // what no run is about is zeroes
	stranger bool  // which disk this is is unknown: nothing is
	inflight []*Request
	wanted   []Span // what requests wanted to change, answered or not
	changed  bool   // somebody sent a request that changes something
	resized  bool
	resizer  int    // the connection that did it last: the only one that knows the size
	least    uint64 // that it was to be, ever
}

func (d *disk) forget() {
	d.runs, d.blank = nil, false
	d.put(run{from: 0, to: 1<<64 - 1, kind: undefined, by: nobody})
}

// first is the index of the first run that ends behind off.
func (d *disk) first(off uint64) int {
	return sort.Search(len(d.runs), func(i int) bool { return d.runs[i].to > off })
}

// put replaces what is known of the range of r.
func (d *disk) put(r run) {
	if r.from >= r.to || d.stranger {
		return
	}
	i := d.first(r.from)
	j := i
	var insert [3]run
	put := insert[:0]
	if i < len(d.runs) && d.runs[i].from < r.from {
		put = append(put, d.runs[i].clip(0, r.from))
	}
	put = append(put, r)
	for j < len(d.runs) && d.runs[j].from < r.to {
		if d.runs[j].to > r.to {
			put = append(put, d.runs[j].clip(r.to, 1<<64-1))
		}
		j++
	}
	d.runs = slices.Replace(d.runs, i, j, put...)
}

// each calls f for what is known of from to to, gaps included, in order.
func (d *disk) each(from, to uint64, f func(r run, gap bool) bool) {
	for i := d.first(from); from < to; {
		if i == len(d.runs) || d.runs[i].from >= to {
			f(run{from: from, to: to, by: nobody}, true)
			return
		}
		if r := d.runs[i]; r.from > from {
			if !f(run{from: from, to: r.from, by: nobody}, true) {
				return
			}
		}
		r := d.runs[i].clip(from, to)
		if !f(r, false) {
			return
		}
		from = r.to
		i++
	}
}

// settle marks what was answered up to seq as flushed.
func (d *disk) settle(seq uint64) {
	for i := range d.runs {
		if d.runs[i].seq <= seq {
			d.runs[i].settled = true
		}
	}
}

// hasData reports whether something is surely not zero.
func (d *disk) hasData() bool {
	if len(d.inflight) > 0 {
		return false
	}
	for _, r := range d.runs {
		if r.nonzero() && (r.by == nobody || r.settled) {
			return true
		}
	}
	return false
}

// want remembers that a request is to change a range.
func (d *disk) want(s Span) {
	d.changed = true
	if len(d.wanted) < 64 && !slices.Contains(d.wanted, s) {
		d.wanted = append(d.wanted, s)
	}
}

// worth lists what Touched returns.
func (d *disk) worth(most int) (list []Span) {
	const long = 64 << 10
	add := func(s Span) {
		if s.To-s.From > long {
			s.To = s.From + long
		}
		if s.From < s.To && len(list) < most && !slices.Contains(list, s) {
			list = append(list, s)
		}
	}
	for _, r := range d.runs {
		if r.by == nobody && r.kind == known {
			add(Span{r.from, r.to})
		}
	}
	for _, s := range d.wanted {
		add(s)
	}
	return list
}

func (s Span) overlaps(o Span) bool { return s.From < o.To && o.From < s.To }
