package export

import "nbdconform/reference/wire"

// state is what a page is, as the status of base:allocation.
type state = wire.StateFlags

const (
	stateData state = 0
	stateZero state = wire.StateZero
	stateHole state = wire.StateHole | wire.StateZero
)

// Extents implements [Export] for [BaseAllocation], [Depth], [AllocationDepth]
// and [Stripes]; other contexts fail with NBD_EINVAL.
func (m *Memory) Extents(dst []wire.Extent, context string, off, n uint64, limit int) ([]wire.Extent, error) {
	var status func(state) uint64
	switch context {
	case BaseAllocation:
		status = func(s state) uint64 { return uint64(s) }
	case Depth, AllocationDepth:
		status = func(s state) uint64 { return uint64(1 &^ (s & wire.StateHole)) }
	case Stripes:
	default:
		return dst, wire.EINVAL
	}
	e := extents{list: dst, from: len(dst), limit: limit}
	if context == Stripes {
		e.stripes(off, m.clip(off, n))
		return e.list, nil
	}
	for n = m.clip(off, n); n > 0 && !e.full; {
		leaf, last := m.find(off)
		k := n
		if last-off < n {
			k = last - off + 1
		}
		switch leaf {
		case nil:
			e.add(k, status(stateHole))
		case zeroed:
			e.add(k, status(stateZero))
		default:
			leaf.extents(&e, off&mask(0), k, status)
		}
		off, n = off+k, n-k
	}
	return e.list, nil
}

// extents adds the status of k bytes of a leaf, at bytes from its start.
func (n *node) extents(e *extents, at, k uint64, status func(state) uint64) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	for k > 0 && !e.full {
		i := at / PageSize
		step := min(k, PageSize-at%PageSize)
		switch {
		case n.pages[i] != nil:
			e.add(step, status(stateData))
		case n.alloc>>i&1 != 0:
			e.add(step, status(stateZero))
		default:
			e.add(step, status(stateHole))
		}
		at, k = at+step, k-step
	}
}

// extents collects a list whose neighbours differ. Once it is full it takes
// nothing more: what fits the last extent may lie behind what was left out.
type extents struct {
	list  []wire.Extent
	from  int // where this list starts
	limit int
	full  bool
}

func (e *extents) add(n, status uint64) {
	if e.full {
		return
	}
	if last := len(e.list) - 1; last >= e.from && e.list[last].Status == status {
		e.list[last].Length += n
		return
	}
	if e.full = len(e.list)-e.from >= e.limit; !e.full {
		e.list = append(e.list, wire.Extent{Length: n, Status: status})
	}
}

// stripes adds n bytes of [Stripes].
func (e *extents) stripes(off, n uint64) {
	for n > 0 && !e.full {
		k := min(n, PageSize-off%PageSize)
		e.add(k, off/PageSize%2)
		off, n = off+k, n-k
	}
}
