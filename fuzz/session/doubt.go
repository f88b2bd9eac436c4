package session

import (
	"math"
	"slices"

	"nbdconform/conformance/judge"
	"nbdconform/fuzz/internal/script"
	"nbdconform/reference/wire"
)

// A doubt is a finding that a full, broken or protected disk behind the server
// explains as well: a request failed that was in order.
type doubt struct {
	Finding
	request wire.Request
	plain   wire.Command // that moves what the request is about
	failed  wire.Errno
	name    string // of the export
	tls     bool
}

// doubt keeps a finding until the end of the script, unless there is one like it.
func (l *link) doubt(f Finding, q wire.Request, e wire.Errno) {
	f = l.place(l, f)
	like := func(d doubt) bool { return d.Signature() == f.Signature() }
	if !slices.ContainsFunc(l.doubts, like) {
		l.doubts = append(l.doubts, doubt{f, q, l.comparable(q.Type), e, l.model.Name, l.model.TLS})
	}
}

// resolve makes findings of the doubts that the disk does not explain: where the
// same is asked for plainly, something works.
func (r *run) resolve() {
	doubts := r.doubts
	for _, d := range doubts {
		if r.ctx.Err() == nil && (r.target.hasSeen(d.Finding) || !r.broken(d)) {
			r.add(d.Finding)
		}
	}
}

// broken reports whether plain requests fail as well, wherever and however.
func (r *run) broken(d doubt) bool {
	if d.failed == wire.ENOSPC && d.plain != wire.CmdWrite {
		return false
	}
	for _, way := range []wire.Option{wire.OptGo, wire.OptExportName, wire.OptStructuredReply, wire.OptExtendedHeaders} {
		if !r.fails(d, way) {
			return false
		}
	}
	return true
}

// comparable is the plain command that moves what a request is about. Behind a
// flush of a read-only export there is none but the flush.
func (l *link) comparable(c wire.Command) wire.Command {
	switch {
	case c == wire.CmdFlush && l.model.Flags&wire.FlagReadOnly != 0:
		return c
	case c == wire.CmdWrite, c == wire.CmdWriteZeroes, c == wire.CmdTrim, c == wire.CmdFlush:
		return wire.CmdWrite
	}
	return wire.CmdRead
}

// fails reports whether plain requests fail, each on a connection that way
// leads to: with the same error, here and there in the export. Whether a disk
// is full, or protected, is a matter of the place: one block of the request is
// enough. A way that a server does not have shows nothing.
func (r *run) fails(d doubt, way wire.Option) bool {
	l := r.enter(d, way)
	defer l.leave()
	if l.phase != transmission || l.over {
		return way != wire.OptGo
	}
	if l.model.Size == 0 { // nothing can be moved
		return false
	}
	n, _ := l.model.Minimum()
	n = min(max(n, 4096), l.model.Size)
	at := func(offset uint64) bool {
		q := wire.Request{Type: d.plain, Offset: min(offset/n*n, (l.model.Size-n)/n*n), Length: n}
		if d.plain == wire.CmdFlush {
			q.Offset, q.Length = 0, 0
		}
		before := len(l.judge.Mishaps())
		l.do(script.Op{Kind: script.Request, Request: q, Fill: 7})
		failed := l.judge.Mishaps()
		return len(failed) > before && failed[len(failed)-1].Error == d.failed
	}
	q := d.request
	everywhere := func() bool { return at(0) && at(l.model.Size/2) && at(l.model.Size) }
	switch d.failed {
	case wire.EPERM:
		if d.plain == wire.CmdRead && everywhere() {
			return false // an export may be read-only unknown to the server, but not write-only
		}
		fallthrough
	case wire.ENOSPC:
		return at(q.Offset) || at(q.Offset+max(q.Length, 1)-1) || at(l.toBlame(q, d.failed, n))
	}
	return at(q.Offset) && everywhere()
}

// toBlame is a block of n bytes within the range of a request that failed, if
// a block is to blame: the range is halved, without the flags of the request,
// until one is left.
func (l *link) toBlame(q wire.Request, e wire.Errno, n uint64) uint64 {
	first, end := q.Offset, q.Offset+q.Length
	switch q.Type {
	case wire.CmdRead, wire.CmdWrite, wire.CmdTrim, wire.CmdCache, wire.CmdWriteZeroes:
	default:
		return first
	}
	if q.Length > math.MaxUint32 && !l.model.Extended {
		return first
	}
	for end-first > n && l.phase == transmission && !l.over {
		middle := max((first+(end-first)/2)/n*n, first/n*n+n)
		before := len(l.judge.Mishaps())
		l.do(script.Op{Kind: script.Request, Request: wire.Request{Type: q.Type, Offset: first, Length: middle - first}, Fill: 7})
		if failed := l.judge.Mishaps(); len(failed) > before && failed[len(failed)-1].Error == e {
			end = middle
		} else {
			first = middle
		}
	}
	return first
}

// enter opens a connection of its own and enters the export of a doubt.
func (r *run) enter(d doubt, way wire.Option) *link {
	l := r.dial(-1)
	option := func(o wire.Option) {
		l.do(script.Op{Kind: script.Option, Option: o, Export: d.name, Infos: []wire.InfoType{wire.InfoBlockSize}})
	}
	l.greeted()
	if d.tls {
		option(wire.OptStartTLS)
	}
	switch way {
	case wire.OptExportName:
		option(way)
		return l
	case wire.OptStructuredReply:
		if option(way); !l.model.Structured {
			return l
		}
	case wire.OptExtendedHeaders:
		if option(way); !l.model.Extended {
			return l
		}
	}
	option(wire.OptGo)
	return l
}

// starved returns the request behind a violation that is only one where the
// server has memory.
func (l *link) starved(v judge.Violation) (q wire.Request, ok bool) {
	if v.Clause != "err.enomem" {
		return q, false
	}
	for _, m := range l.judge.Mishaps() {
		if m.Error == wire.ENOMEM {
			q, ok = m.Request, true
		}
	}
	return q, ok
}
