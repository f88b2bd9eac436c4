package session

import (
	"slices"
	"strings"

	"nbdconform/conformance/internal/verdict"
	"nbdconform/reference/wire"
	"nbdconform/reports/render/words"
)

// FindContexts is like ListContexts, but the spec is unsupported where the
// server does without the option, or refuses it for reasons of its own.
func (s *Session) FindContexts(queries ...string) Answer {
	a := s.ListContexts(queries...)
	switch a.Type() {
	case wire.RepErrUnsup, wire.RepErrPolicy, wire.RepErrPlatform, wire.RepErrShutdown:
		verdict.Unsupported("contexts-not-listed", a.Type())
	}
	return a
}

// SetContexts selects metadata contexts for the export under test, and notes
// in Contexts which the server selected: none where it refused.
func (s *Session) SetContexts(queries ...string) Answer {
	q := wire.MetaContextRequest{Export: s.attempt.server.Facts.Export, Queries: queries}
	a := s.Option(wire.OptSetMetaContext, q)
	s.Contexts = map[uint32]string{}
	if a.Type() == wire.RepAck {
		for _, c := range a.Contexts() {
			s.Contexts[c.ID] = c.Name
		}
	}
	return a
}

// Offers lists the names of the metadata contexts that the server has for the
// export under test, without wildcards.
func (s *Session) Offers() []string {
	a := s.FindContexts()
	if a.Type() != wire.RepAck {
		verdict.Blocked("opt.list-meta.zero-queries", "listing-metadata-contexts-2", a)
	}
	var names []string
	for _, c := range a.Contexts() {
		if !strings.HasSuffix(c.Name, ":") {
			names = append(names, c.Name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// SeveralOffers is like Offers, for at most four names, and the spec is
// unsupported if there are fewer than two.
func (s *Session) SeveralOffers() []string {
	names := s.Offers()
	if len(names) < 2 {
		verdict.Unsupported("needs-several-contexts", names)
	}
	return names[:min(4, len(names))]
}

// A Block is a range of the export with one status in a metadata context.
type Block struct {
	Offset, Length uint64
	Status         wire.StateFlags
}

// End is the first offset behind the range.
func (b Block) End() uint64 { return b.Offset + b.Length }

func (b Block) String() string { return words.Phrase(b.Value()) }

// Blocks returns what base:allocation says of the range from offset to end,
// with as many requests as that takes, but no more than 256, nor more than half
// of the spec's time. What reaches beyond end is cut off.
func (s *Session) Blocks(offset, end uint64, flags wire.CommandFlags) []Block {
	const most = 1 << 31
	var list []Block
	for n := 0; offset < end && n < 256 && !Late(s.ctx); n++ {
		for _, e := range s.Status(offset, min(end-offset, most), flags) {
			if offset < end && e.Length > 0 {
				list = append(list, Block{offset, min(e.Length, end-offset), wire.StateFlags(e.Status)})
				offset = Sum(offset, e.Length)
			}
		}
	}
	return list
}

// BlocksBeyond are the blocks that one request for the status from offset to
// end tells of, as far as until, which is behind end, if the last reaches there.
func (s *Session) BlocksBeyond(offset, end, until uint64) []Block {
	var list []Block
	for _, e := range s.Status(offset, end-offset, 0) {
		if offset < until && e.Length > 0 {
			list = append(list, Block{offset, min(e.Length, until-offset), wire.StateFlags(e.Status)})
			offset = Sum(offset, e.Length)
		}
	}
	return list
}
