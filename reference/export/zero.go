package export

import (
	"sync/atomic"

	"nbdconform/reference/wire"
)

// Zero implements [Export]. It is always fast, unless the options say
// otherwise: whole pages are dropped, not overwritten. Without noHole they
// become holes.
func (m *Memory) Zero(off, n uint64, noHole, fast bool) error {
	if fast && m.options.SlowZero {
		return wire.ENOTSUP
	}
	return m.discard(off, n, noHole, true)
}

// Trim implements [Export]. Whole pages become holes; the rest stays.
func (m *Memory) Trim(off, n uint64) error { return m.discard(off, n, false, false) }

// discard drops the whole pages among n bytes from off, and with edges sets
// to zero what it touches of others. With alloc all are allocated afterwards.
func (m *Memory) discard(off, n uint64, alloc, edges bool) error {
	if n = m.clip(off, n); n == 0 {
		return nil
	}
	last := off + n - 1 // inclusive: off+n may be 2^64
	from, to := off/PageSize, last/PageSize
	head := off%PageSize != 0
	tail := last%PageSize != PageSize-1 && last != m.size-1 // nothing is behind the end
	edge := func(off, n uint64) error {
		if !edges {
			return nil
		}
		return m.zeroWithin(off, n, alloc)
	}
	if from == to && (head || tail) {
		return edge(off, n)
	}
	if head {
		if err := edge(off, PageSize-off%PageSize); err != nil {
			return err
		}
		from++
	}
	if tail {
		if err := edge(to*PageSize, last%PageSize+1); err != nil {
			return err
		}
		to--
	}
	if from > to {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.fill(&m.root, m.height, from*PageSize, to*PageSize+PageSize-1, alloc)
}

// zeroWithin zeroes a part of one page.
func (m *Memory) zeroWithin(off, n uint64, alloc bool) error {
	if leaf, _ := m.find(off); leaf == zeroed || leaf == nil && !alloc {
		return nil
	}
	leaf := m.lockLeaf(off)
	defer leaf.mu.Unlock()
	i := int(off & mask(0) / PageSize)
	if leaf.pages[i] != nil {
		clear(leaf.own(i)[off%PageSize:][:n])
		return nil
	}
	if alloc {
		return leaf.allocate(m, i)
	}
	return nil
}

// fill makes the pages from first to last, inclusive and within the subtree
// at slot, either allocated zeroes or holes. m.mu is held.
func (m *Memory) fill(slot *atomic.Pointer[node], level int, first, last uint64, alloc bool) error {
	old := slot.Load()
	want := (*node)(nil)
	if alloc {
		want = zeroed
	}
	if old == want {
		return nil
	}
	// A subtree that is replaced as a whole can't be charged to a capacity page by page.
	if first&mask(level) == 0 && last&mask(level) == mask(level) && (!alloc || m.capacity == 0) {
		_ = m.reserve(-kill(old))
		slot.Store(want)
		return nil
	}
	if old == nil || old == zeroed {
		old = split(old, level)
		slot.Store(old)
	}
	if level == 0 {
		return old.fill(m, int(first&mask(0)/PageSize), int(last&mask(0)/PageSize), alloc)
	}
	for at := first; ; {
		end := min(last, at|mask(level-1))
		if err := m.fill(&old.kids[index(at, level)], level-1, at, end, alloc); err != nil || end == last {
			return err
		}
		at = end + 1
	}
}

// fill does the same to pages of a leaf.
func (n *node) fill(m *Memory, first, last int, alloc bool) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	for i := first; i <= last; i++ {
		switch allocated := n.alloc>>i&1 != 0; {
		case alloc:
			if err := n.allocate(m, i); err != nil {
				return err
			}
		case allocated:
			_ = m.reserve(-1)
			n.alloc &^= 1 << i
		}
		n.pages[i] = nil
	}
	return nil
}
