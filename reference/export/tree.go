package export

import (
	"math/bits"
	"sync"
	"sync/atomic"
)

// PageSize is the unit of storage and of state, in bytes.
const PageSize = 4096

const (
	fanout    = 64 // of inner nodes, and pages per leaf
	leafShift = 18 // log2 of the bytes of a leaf
)

type page [PageSize]byte

// A node is a radix tree over the export. Where a child is nil, all below it
// is a hole; where it is [zeroed], all is allocated and reads as zeroes. Thus
// neither state costs memory, however far it reaches.
//
// Inner nodes have kids, and those of level 0, the leaves, have the rest.
// Readers descend without locks. Whoever replaces a leaf marks it dead under
// its lock, so that nobody writes to one that is no longer part of the tree.
type node struct {
	kids *[fanout]atomic.Pointer[node]

	mu    sync.RWMutex
	dead  bool
	pages *[fanout]*page // nil pages read as zeroes
	alloc uint64         // bit i: page i is allocated; set wherever pages[i] is
	lent  atomic.Int32   // loans of pages; grows under mu, so that 0 stays 0 for who holds it for writing
}

// zeroed stands for a subtree of any level that is allocated and holds no data.
var zeroed = new(node)

// mask is the number of bytes below a node of the level, less one.
func mask(level int) uint64 {
	if s := leafShift + 6*level; s < 64 {
		return 1<<s - 1
	}
	return 1<<64 - 1
}

// index is the number of the child below a node of the level that holds off.
func index(off uint64, level int) int {
	return int(off >> (leafShift + 6*(level-1)) & (fanout - 1))
}

// find descends to off. It returns a leaf, or nil or zeroed for what is
// uniform from off to last, inclusive.
func (m *Memory) find(off uint64) (n *node, last uint64) {
	level := m.height
	n = m.root.Load()
	for n != nil && n != zeroed && level > 0 {
		n = n.kids[index(off, level)].Load()
		level--
	}
	return n, off | mask(level)
}

// lockLeaf returns the leaf that holds off, locked for writing; it is created if need be.
func (m *Memory) lockLeaf(off uint64) *node {
	for {
		n, _ := m.find(off)
		if n == nil || n == zeroed {
			m.mu.Lock()
			n = m.grow(&m.root, m.height, off)
			m.mu.Unlock()
		}
		n.mu.Lock()
		if !n.dead {
			return n
		}
		n.mu.Unlock()
		m.mu.Lock()   // wait for the one who is replacing it
		m.mu.Unlock() //nolint:staticcheck // the section is empty on purpose
	}
}

// grow makes the way from slot, at the level, down to a leaf. m.mu is held.
func (m *Memory) grow(slot *atomic.Pointer[node], level int, off uint64) *node {
	for {
		n := slot.Load()
		if n == nil || n == zeroed {
			n = split(n, level)
			slot.Store(n)
		}
		if level == 0 {
			return n
		}
		slot = &n.kids[index(off, level)]
		level--
	}
}

// split returns a node of the level in the state of old, which is nil or zeroed.
func split(old *node, level int) *node {
	n := new(node)
	if level == 0 {
		n.pages = new([fanout]*page)
		if old == zeroed {
			n.alloc = 1<<fanout - 1
		}
		return n
	}
	n.kids = new([fanout]atomic.Pointer[node])
	if old == zeroed {
		for i := range n.kids {
			n.kids[i].Store(zeroed)
		}
	}
	return n
}

// kill marks the leaves below n as dead and returns how many pages were
// allocated in them. m.mu is held.
func kill(n *node) (pages int64) {
	if n == nil || n == zeroed {
		return 0
	}
	if n.kids == nil {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.dead = true
		return int64(bits.OnesCount64(n.alloc))
	}
	for i := range n.kids {
		pages += kill(n.kids[i].Load())
	}
	return pages
}
