package export

// ReadAt implements [Export].
func (m *Memory) ReadAt(p []byte, off uint64) error {
	n := m.clip(off, uint64(len(p)))
	clear(p[n:])
	for p = p[:n]; len(p) > 0; {
		leaf, last := m.find(off)
		k := len(p)
		if left := last - off; left < uint64(k) {
			k = int(left) + 1
		}
		k = min(k, len(p))
		if leaf == nil || leaf == zeroed {
			clear(p[:k])
		} else {
			leaf.read(p[:k], int(off&mask(0)))
		}
		p, off = p[k:], off+uint64(k)
	}
	return nil
}

// read copies from a leaf, at bytes from its start.
func (n *node) read(p []byte, at int) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	for len(p) > 0 {
		in := at % PageSize
		k := min(len(p), PageSize-in)
		if pg := n.pages[at/PageSize]; pg != nil {
			copy(p[:k], pg[in:])
		} else {
			clear(p[:k])
		}
		p, at = p[k:], at+k
	}
}

// WriteAt implements [Export].
func (m *Memory) WriteAt(p []byte, off uint64) error {
	for p = p[:m.clip(off, uint64(len(p)))]; len(p) > 0; {
		at := int(off & mask(0))
		k := min(len(p), int(mask(0))+1-at)
		leaf := m.lockLeaf(off)
		err := leaf.write(m, p[:k], at)
		leaf.mu.Unlock()
		if err != nil {
			return err
		}
		p, off = p[k:], off+uint64(k)
	}
	return nil
}

// write copies into a leaf that is locked, at bytes from its start.
func (n *node) write(m *Memory, p []byte, at int) error {
	for len(p) > 0 {
		i, in := at/PageSize, at%PageSize
		k := min(len(p), PageSize-in)
		if n.pages[i] == nil {
			if err := n.allocate(m, i); err != nil {
				return err
			}
			n.pages[i] = new(page)
		}
		copy(n.own(i)[in:], p[:k])
		p, at = p[k:], at+k
	}
	return nil
}

// own returns page i of a locked leaf, which is there, to be changed: while
// there are loans it is a copy that takes its place.
func (n *node) own(i int) *page {
	if n.lent.Load() > 0 {
		pg := *n.pages[i]
		n.pages[i] = &pg
	}
	return n.pages[i]
}

// allocate takes page i of a locked leaf out of the holes.
func (n *node) allocate(m *Memory, i int) error {
	if n.alloc>>i&1 != 0 {
		return nil
	}
	if err := m.reserve(1); err != nil {
		return err
	}
	n.alloc |= 1 << i
	return nil
}
