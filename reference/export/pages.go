package export

// Pages is storage that is filled first and becomes a part of a [Memory] then:
// a write without a copy. It keeps the pages that it gets in exchange, for the
// next time. The zero value is ready for use.
type Pages struct {
	off, n uint64
	ready  uint64  // bytes of it that there is room for
	list   []*page // that the range touches
	spare  []*page
	parts  [][]byte
}

// Start begins a write of n bytes at off.
func (p *Pages) Start(off, n uint64) {
	p.off, p.n, p.ready = off, n, 0
	p.list, p.parts = p.list[:0], p.parts[:0]
	if n == 0 {
		return
	}
	pages := int((off+n-1)/PageSize - off/PageSize + 1)
	if most := max(pages, fanout); len(p.spare) > most { // what is small keeps no more than that
		clear(p.spare[most:])
		p.spare = p.spare[:most]
	}
}

// Next returns room for the next bytes of the write, piece by piece: for at
// least most of them, or for all that are left. What is in it is undefined; it
// is good until the next call. At the end there is none.
func (p *Pages) Next(most uint64) [][]byte {
	p.parts = p.parts[:0]
	for most += p.ready; p.ready < min(p.n, most); {
		pg := p.page()
		in := (p.off + p.ready) % PageSize
		k := min(p.n-p.ready, PageSize-in)
		p.list = append(p.list, pg)
		p.parts = append(p.parts, pg[in:in+k])
		p.ready += k
	}
	return p.parts
}

func (p *Pages) page() *page {
	last := len(p.spare) - 1
	if last < 0 {
		return new(page)
	}
	pg := p.spare[last]
	p.spare[last] = nil
	p.spare = p.spare[:last]
	return pg
}

// Drop takes back what was prepared.
func (p *Pages) Drop() {
	for _, pg := range p.list {
		if pg != nil {
			p.spare = append(p.spare, pg)
		}
	}
	clear(p.list)
	clear(p.parts)
	p.list, p.parts = p.list[:0], p.parts[:0]
}

// Store is WriteAt of what was prepared and filled. Whole pages change hands.
func (p *Pages) Store(m *Memory) error {
	defer p.Drop()
	list := p.list
	for off, n := p.off, m.clip(p.off, p.n); n > 0; {
		at := off & mask(0)
		k := min(n, mask(0)+1-at)
		leaf := m.lockLeaf(off)
		err := leaf.adopt(m, list, at, k)
		leaf.mu.Unlock()
		if err != nil {
			return err
		}
		list = list[(at%PageSize+k)/PageSize:]
		off, n = off+k, n-k
	}
	return nil
}

// adopt writes k bytes into a leaf that is locked, at bytes from its start.
// They are in the pages of the list, in which those are left that nobody needs.
func (n *node) adopt(m *Memory, list []*page, at, k uint64) error {
	lent := n.lent.Load() > 0
	for j := 0; k > 0; j++ {
		i, in := at/PageSize, at%PageSize
		step := min(k, PageSize-in)
		switch old := n.pages[i]; {
		case step < PageSize:
			if err := n.write(m, list[j][in:in+step], int(at)); err != nil {
				return err
			}
		case old == nil:
			if err := n.allocate(m, int(i)); err != nil {
				return err
			}
			fallthrough
		case lent:
			n.pages[i], list[j] = list[j], nil
		default:
			n.pages[i], list[j] = list[j], old
		}
		at, k = at+step, k-step
	}
	return nil
}
