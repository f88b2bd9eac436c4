package export

import (
	"slices"
	"sort"
)

// A span is a run of bytes, from first to last, inclusive: a disk may end at 2^64-1.
type span struct{ first, last uint64 }

// spans is a set of bytes: in order, and neighbours are never adjacent.
type spans []span

// at is the index of the first span that ends at off or later.
func (s spans) at(off uint64) int {
	return sort.Search(len(s), func(i int) bool { return s[i].last >= off })
}

// add puts a span into the set.
func (s spans) add(p span) spans {
	i := s.at(p.first)
	if i > 0 && s[i-1].last+1 == p.first {
		i--
	}
	j := i
	for j < len(s) && (s[j].first <= p.last || s[j].first == p.last+1) {
		p.first, p.last = min(p.first, s[j].first), max(p.last, s[j].last)
		j++
	}
	return slices.Replace(s, i, j, p)
}
