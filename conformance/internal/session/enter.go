package session

import (
	"context"

	"nbdconform/conformance/internal/verdict"
	"nbdconform/reference/wire"
)

// A Mode changes how Enter negotiates.
type Mode func(*entry)

type entry struct {
	structured   bool
	extended     bool
	queries      []string
	everyContext bool
	exportName   bool
	noConstraint bool
}

// StructuredReplies negotiates structured replies.
func StructuredReplies(e *entry) { e.structured = true }

// ExtendedHeaders negotiates extended headers, in place of structured replies.
func ExtendedHeaders(e *entry) { e.extended = true }

// BaseAllocation negotiates structured replies and selects base:allocation.
func BaseAllocation(e *entry) { e.structured, e.queries = true, append(e.queries, "base:allocation") }

// EveryContext selects every metadata context that the server lists for the
// export under test, once replies in chunks are negotiated.
func EveryContext(e *entry) { e.everyContext = true }

// ViaExportName enters with NBD_OPT_EXPORT_NAME instead of NBD_OPT_GO.
func ViaExportName(e *entry) { e.exportName = true }

// WithoutBlockSize does not ask for the server's size constraints.
func WithoutBlockSize(e *entry) { e.noConstraint = true }

// Enter connects and enters the transmission phase with the export under
// test: simple replies and NBD_OPT_GO with NBD_INFO_BLOCK_SIZE where the modes
// don't say otherwise. Where the target lacks NBD_OPT_GO it falls back to
// NBD_OPT_EXPORT_NAME.
func Enter(ctx context.Context, modes ...Mode) *Session {
	var e entry
	for _, m := range modes {
		m(&e)
	}
	s := Haggle(ctx)
	switch {
	case e.extended:
		s.Extended()
	case e.structured:
		s.Structured()
	}
	if e.everyContext {
		e.queries = append(e.queries, s.listed()...)
	}
	if len(e.queries) > 0 {
		s.Select(e.queries...)
		if len(s.Contexts) == 0 {
			verdict.Blocked("opt.set-meta.reply", "none-selected", e.queries)
		}
	}
	s.proceed(e)
	return s
}

// Proceed enters the transmission phase with the export under test. Of the
// modes only those count that are about the entry itself.
func (s *Session) Proceed(modes ...Mode) {
	var e entry
	for _, m := range modes {
		m(&e)
	}
	s.proceed(e)
}

func (s *Session) proceed(e entry) {
	if !e.exportName {
		infos := []wire.InfoType{wire.InfoBlockSize}
		if e.noConstraint {
			infos = nil
		}
		a := s.Go(infos...)
		if a.Type() == wire.RepAck {
			return
		}
		if a.Type() != wire.RepErrUnsup {
			verdict.Blocked("baseline.server.go", "entering-transmission-phase", a)
		}
	}
	if _, h := s.ExportName(s.attempt.server.Facts.Export); h.End != Complete {
		verdict.Blocked("interop.server.export-name", "entering-transmission-phase-opt-export-name", h.End, h.Err)
	}
}

// listed are the metadata contexts that the server lists for the export under test.
func (s *Session) listed() []string {
	a := s.Option(wire.OptListMetaContext, wire.MetaContextRequest{Export: s.attempt.server.Facts.Export})
	if a.Type() != wire.RepAck {
		verdict.Blocked("opt.list-meta.reply", "listing-metadata-contexts", a)
	}
	var names []string
	for _, m := range a.Contexts() {
		names = append(names, m.Name)
	}
	return names
}
