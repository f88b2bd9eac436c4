package export

// A Loan is storage of a [Memory] that is read where it is, without a copy.
// The zero value has nothing.
type Loan struct {
	// Parts is what was borrowed, piece by piece. Nobody may change it.
	Parts [][]byte

	leaves []*node // that count the loan
}

// zeroes is lent where there is no storage.
var zeroes [64 << 10]byte

// Borrow appends to the parts what ReadAt would read: n bytes from off. They
// stay as they are until Return, as pages that are lent are replaced and not
// overwritten. Borrowing is atomic as far as ReadAt is.
func (l *Loan) Borrow(m *Memory, off, n uint64) {
	within := m.clip(off, n)
	for rest := within; rest > 0; {
		leaf, last := m.find(off)
		k := rest
		if left := last - off; left < rest {
			k = left + 1
		}
		if leaf == nil || leaf == zeroed {
			l.zeroes(k)
		} else {
			l.borrow(leaf, off&mask(0), k)
		}
		off, rest = off+k, rest-k
	}
	l.zeroes(n - within)
}

// borrow takes k bytes of a leaf, at bytes from its start.
func (l *Loan) borrow(n *node, at, k uint64) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	for k > 0 {
		in := at % PageSize
		step := min(k, PageSize-in)
		if pg := n.pages[at/PageSize]; pg != nil {
			l.Parts = append(l.Parts, pg[in:in+step])
		} else {
			l.zeroes(step)
		}
		at, k = at+step, k-step
	}
	n.lent.Add(1)
	l.leaves = append(l.leaves, n)
}

func (l *Loan) zeroes(n uint64) {
	for n > 0 {
		k := min(n, uint64(len(zeroes)))
		l.Parts = append(l.Parts, zeroes[:k])
		n -= k
	}
}

// Return ends the loan and empties it.
func (l *Loan) Return() {
	for _, n := range l.leaves {
		n.lent.Add(-1)
	}
	clear(l.Parts)
	clear(l.leaves)
	l.Parts, l.leaves = l.Parts[:0], l.leaves[:0]
}
