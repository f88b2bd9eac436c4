package session

import (
	"context"
	"fmt"
	"math"
	"slices"

	"nbdconform/conformance/clause"
	"nbdconform/conformance/feature"
	"nbdconform/conformance/judge"
	"nbdconform/reference/wire"
	"nbdconform/reports/result"
)

// environment says why the target could not have done better, or nil: the disk
// behind it is full, or broken, or not to be touched. Every request of the spec
// that was in order and failed has to fail as well when the same is asked for
// plainly.
func (t *attempt) environment(ctx context.Context) *result.Failure {
	if a := t.end; a == nil || a.Verdict != result.Fail && a.Verdict != result.Blocked || t.waited != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, t.server.body())
	defer cancel()
	var why *result.Failure
	var asked []string
	for _, s := range t.sessions {
		for _, m := range s.judge.Mishaps() {
			key := fmt.Sprint(t.comparable(m), m.Error)
			if local(m.Error) {
				key += fmt.Sprint(m.Offset, m.Length)
			}
			if slices.Contains(asked, key) {
				continue
			}
			asked = append(asked, key)
			if why = t.beyondControl(ctx, m); why == nil {
				return nil
			}
		}
	}
	return why
}

// beyondControl says that m failed for what is no matter of the protocol, or nil.
func (t *attempt) beyondControl(ctx context.Context, m judge.Mishap) *result.Failure {
	c := t.comparable(m)
	switch {
	case t.about(m.Error):
		return nil
	case m.Error == wire.ENOSPC && c != wire.CmdWrite:
		return nil
	case !slices.Contains([]wire.Errno{wire.EPERM, wire.EIO, wire.ENOMEM, wire.ENOSPC, wire.ESHUTDOWN}, m.Error):
		return nil
	}
	f := t.server.Facts
	fails := func(at uint64) bool { return t.failsPlainly(ctx, f.plain(c, at), m.Error) }
	switch everywhere := func() bool { return fails(0) && fails(f.Size/2) && fails(f.Size) }; {
	case local(m.Error):
		if !fails(m.Offset) && !fails(Sum(m.Offset, max(m.Length, 1)-1)) && !fails(t.place(ctx, m)) {
			return nil
		}
		if m.Error == wire.EPERM && c == wire.CmdRead && everywhere() {
			return nil // an export may be read-only unknown to the server, but not write-only
		}
	case !fails(m.Offset) || !everywhere():
		return nil
	}
	why := result.Because("environment", m.Type, m.Error, c)
	return &why
}

// local reports whether e may be a matter of the place: there is no space left
// for it, or it is protected. The document leaves to the server what it answers
// there, but other errors are what a server says that counts wrongly.
func local(e wire.Errno) bool { return e == wire.ENOSPC || e == wire.EPERM }

// place is a block within the range of m that is to blame, if a block is: the
// range is halved, without the flags of m, until one is left. It may be any
// block if none is.
func (t *attempt) place(ctx context.Context, m judge.Mishap) uint64 {
	f := t.server.Facts
	first, end := m.Offset, Sum(m.Offset, m.Length)
	switch m.Type {
	case wire.CmdRead, wire.CmdWrite:
		if m.Length > f.Largest() {
			return first
		}
	case wire.CmdTrim, wire.CmdCache, wire.CmdWriteZeroes:
	default:
		return first
	}
	var way []Mode
	if m.Length > math.MaxUint32 {
		way = append(way, ExtendedHeaders)
	}
	for b := f.Block(); end-first > b && ctx.Err() == nil; {
		middle := max((first+(end-first)/2)/b*b, first/b*b+b)
		q := wire.Request{Type: m.Type, Offset: first, Length: middle - first}
		if e, ok := t.plainly(ctx, q, way); ok && e == m.Error {
			end = middle
		} else {
			first = middle
		}
	}
	return first
}

// about reports whether the spec is about the error itself.
func (t *attempt) about(e wire.Errno) bool {
	return slices.ContainsFunc(t.spec.Clauses, func(id clause.ID) bool {
		c, _ := clause.Get(id)
		return c.Error == e.String()
	})
}

// comparable is the plain command that moves what m is about.
func (t *attempt) comparable(m judge.Mishap) wire.Command {
	switch m.Type {
	case wire.CmdWrite, wire.CmdWriteZeroes, wire.CmdTrim, wire.CmdFlush, wire.CmdResize:
		if t.server.Destructive && t.server.Facts.Features[feature.Writable] {
			return wire.CmdWrite
		}
	}
	return wire.CmdRead
}

// plain is a request for the one block at an offset, or the last one before it.
func (f Facts) plain(c wire.Command, offset uint64) wire.Request {
	b := f.Block()
	if f.Size < b {
		return wire.Request{Type: c, Length: f.Size}
	}
	return wire.Request{Type: c, Offset: min(offset/b*b, f.Last()), Length: b}
}

// failsPlainly reports whether q fails with e however it is asked for, each
// time on a connection of its own.
func (t *attempt) failsPlainly(ctx context.Context, q wire.Request, e wire.Errno) bool {
	has := t.server.Facts.Features
	ways := [][]Mode{{}, {ViaExportName}}
	if has[feature.StructuredReply] {
		ways = append(ways, []Mode{StructuredReplies})
	}
	if has[feature.ExtendedHeaders] {
		ways = append(ways, []Mode{ExtendedHeaders})
	}
	for _, way := range ways {
		if got, ok := t.plainly(ctx, q, way); !ok || got != e {
			return false
		}
	}
	return true
}

// plainly is what q is answered on a new connection.
func (t *attempt) plainly(ctx context.Context, q wire.Request, way []Mode) (e wire.Errno, answered bool) {
	again := &attempt{server: t.server}
	defer again.hangUp()
	err := again.do(ctx, func(ctx context.Context) {
		var payload []byte
		if q.Type == wire.CmdWrite {
			payload = Pattern(0x77, q.Length)
		}
		r := Enter(ctx, way...).Do(q, payload...)
		e, answered = r.Error, r.End == Complete
	})
	return e, answered && err == nil
}
