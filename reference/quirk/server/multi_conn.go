package serverquirk

import (
	"sync"

	"nbdconform/reference/export"
	"nbdconform/reference/wire"
)

// private is a disk whose changes stay in memory: the disk below never sees them.
type private struct {
	export.Export
	mu    sync.Mutex
	pages map[uint64][]byte // by offset; copies of what changed
}

// each calls f for every page among n bytes from off, with the part of it
// that is among them.
func (p *private) each(off, n uint64, create bool, f func(part []byte, at uint64) error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for done := uint64(0); done < n; {
		start := (off + done) &^ (export.PageSize - 1)
		in := off + done - start
		k := min(n-done, export.PageSize-in)
		page := p.pages[start]
		if page == nil && create {
			page = make([]byte, export.PageSize)
			if err := p.Export.ReadAt(page, start); err != nil {
				return err
			}
			p.pages[start] = page
		}
		if page != nil {
			if err := f(page[in:in+k], done); err != nil {
				return err
			}
		}
		done += k
	}
	return nil
}

func (p *private) ReadAt(b []byte, off uint64) error {
	if err := p.Export.ReadAt(b, off); err != nil {
		return err
	}
	return p.each(off, uint64(len(b)), false, func(part []byte, at uint64) error {
		copy(b[at:], part)
		return nil
	})
}

func (p *private) WriteAt(b []byte, off uint64) error {
	return p.each(off, uint64(len(b)), true, func(part []byte, at uint64) error {
		copy(part, b[at:])
		return nil
	})
}

func (p *private) Zero(off, n uint64, _, _ bool) error {
	return p.each(off, n, true, func(part []byte, _ uint64) error {
		clear(part)
		return nil
	})
}

func (p *private) Trim(uint64, uint64) error { return nil }

// Extents calls everything data: what is a hole below may not be one here.
func (p *private) Extents(dst []wire.Extent, _ string, _, n uint64, _ int) ([]wire.Extent, error) {
	return append(dst, wire.Extent{Length: n}), nil
}

func newPrivate(e export.Export) *private {
	return &private{Export: e, pages: make(map[uint64][]byte)}
}

// MultiConnPrivate lets no connection see what the others write.
var MultiConnPrivate = register(Quirk{
	Name: "multi-conn-private", Breaks: "flag.transmission.multi-conn",
	Doc:   "gives every connection a cache of its own that flushing does not write back, and advertises NBD_FLAG_CAN_MULTI_CONN",
	Hooks: wrap(func(e export.Export) export.Export { return newPrivate(e) }),
})
