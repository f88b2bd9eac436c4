package session

import (
	"strings"

	"nbdconform/conformance/feature"
	"nbdconform/conformance/internal/verdict"
	"nbdconform/reference/wire"
)

// BitmapPrefix opens the names of QEMU's dirty bitmaps, DepthContext is its allocation depth.
const (
	BitmapPrefix = "qemu:dirty-bitmap:"
	DepthContext = "qemu:allocation-depth"
)

// note remembers the contexts of the namespace "qemu" in the answer to a list.
func (f *Facts) note(a Answer) {
	for _, c := range a.Contexts() {
		switch {
		case !strings.HasPrefix(c.Name, "qemu:"):
			continue
		case strings.HasPrefix(c.Name, BitmapPrefix):
			f.Features.Add(feature.DirtyBitmap)
		case c.Name == DepthContext:
			f.Features.Add(feature.AllocationDepth)
		}
		f.QEMUContexts = append(f.QEMUContexts, c.Name)
	}
}

// Bitmaps are the names of the dirty bitmaps' contexts.
func (f Facts) Bitmaps() []string {
	var names []string
	for _, c := range f.QEMUContexts {
		if strings.HasPrefix(c, BitmapPrefix) {
			names = append(names, c)
		}
	}
	return names
}

// Contexts negotiates structured replies and selects metadata contexts by their names.
func Contexts(names ...string) Mode {
	return func(e *entry) { e.structured, e.queries = true, append(e.queries, names...) }
}

// ListContexts asks for the metadata contexts of the export under test that
// the queries find.
func (s *Session) ListContexts(queries ...string) Answer {
	return s.Option(wire.OptListMetaContext, wire.MetaContextRequest{Export: s.attempt.server.Facts.Export, Queries: queries})
}

// Names are the names of the contexts in the answer.
func (a Answer) Names() []string {
	names := []string{}
	for _, c := range a.Contexts() {
		names = append(names, c.Name)
	}
	return names
}

// In returns the extents of a context in a reply, by the context's name.
func (s *Session) In(context string, r Reply) []wire.Extent {
	for id, name := range s.Contexts {
		if name == context {
			return r.Extents[id]
		}
	}
	return nil
}

// Map returns the extents of a context over a whole range, and no more,
// however often it has to ask. The spec is blocked if the server does not say.
func (s *Session) Map(context string, offset, n uint64) (all []wire.Extent) {
	for n > 0 {
		r := s.Do(wire.Request{Type: wire.CmdBlockStatus, Offset: offset, Length: min(n, 1<<30)})
		list := s.In(context, r)
		if !r.OK() || len(list) == 0 {
			verdict.Blocked("chunk.block-status.per-context", "asking-for-range", context, n, offset, r)
		}
		for _, e := range list {
			e.Length = min(e.Length, n)
			if offset, n = offset+e.Length, n-e.Length; e.Length > 0 {
				all = append(all, e)
			} else if n > 0 {
				verdict.Blocked("chunk.block-status.extent-nonzero", "asking-for-extents", context, r)
			}
		}
	}
	return all
}

// At returns the status of a context at one place.
func (s *Session) At(context string, offset uint64) uint64 {
	return s.Map(context, offset, s.attempt.server.Facts.Block())[0].Status
}

// Selected are the names of the selected contexts.
func (s *Session) Selected() []string {
	names := []string{}
	for _, name := range s.Contexts {
		names = append(names, name)
	}
	return names
}

// Clean returns offsets of up to n blocks that are clean in a dirty bitmap,
// far enough from each other that no granularity joins them.
func (s *Session) Clean(bitmap string, n int) (places []uint64) {
	const apart = 1 << 20
	next, offset := uint64(0), uint64(0)
	for _, e := range s.Map(bitmap, 0, min(s.Size, MostMapped)) {
		end := offset + e.Length // at most MostMapped, as Map cuts extents
		for at := max(next, offset); e.Status == 0 && len(places) < n; at += apart {
			at = (at + apart - 1) / apart * apart
			if at+apart > end {
				break
			}
			places, next = append(places, at), at+2*apart
		}
		offset = end
	}
	return places
}
