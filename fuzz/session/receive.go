package session

import (
	"errors"
	"io"
	"slices"
	"time"

	"nbdconform/fuzz/internal/model"
	"nbdconform/reference/wire"
)

// parse takes one message off what was received. It returns false if there is
// no whole one; where what came is no message, nothing is due any more.
func (l *link) parse() bool {
	b := l.in[l.at:]
	if len(b) == 0 {
		return false
	}
	var n int
	var err error
	switch {
	case l.phase == greeting:
		n, err = l.greet(b)
	case l.phase == flags:
		return false
	case l.phase == haggling && len(l.options) > 0 && l.options[0].Option == wire.OptExportName:
		n, err = l.exportName(b)
	case l.phase == haggling:
		n, err = l.optionReply(b)
	default:
		n, err = l.reply(b)
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return false
	}
	if err != nil {
		l.lose()
		return false
	}
	l.at += n
	if l.upgrade {
		l.upgrade = false
		l.secure()
	}
	return n > 0
}

func (l *link) greet(b []byte) (int, error) {
	g, n, err := wire.ParseGreeting(b)
	if err == nil {
		l.phase, l.offered = flags, g.Flags
	}
	return n, err
}

func (l *link) exportName(b []byte) (int, error) {
	const both = wire.FlagCNoZeroes
	e, n, err := wire.ParseExportNameReply(b, l.client&both == 0 || l.offered&wire.FlagNoZeroes == 0)
	if err != nil {
		return 0, err
	}
	name := string(l.options[0].Data)
	l.options = l.options[1:]
	l.wrong(l.model.ExportName(name, e), wire.OptExportName.String())
	l.enter()
	return n, nil
}

func (l *link) enter() {
	if len(l.options) > 0 { // sent behind the last one
		l.lose()
	}
	l.phase = transmission
	l.reach(l, AtEntry, uint32(l.model.Flags), uint32(len(l.model.Contexts)), 0)
}

func (l *link) optionReply(b []byte) (int, error) {
	p, n, err := wire.ParseOptionReply(b)
	if err != nil {
		return 0, err
	}
	if len(l.options) == 0 || len(l.options[0].replies) > 10000 {
		l.lose()
		return 0, nil
	}
	o := l.options[0]
	p.Data = slices.Clone(p.Data)
	o.replies = append(o.replies, p)
	l.reach(l, AtOption, uint32(o.Option), uint32(p.Type), 0)
	if i, err := wire.ParseInfo(p.Data); p.Type == wire.RepInfo && err == nil {
		l.reach(l, AtInfo, uint32(o.Option), uint32(i.Type), 0)
	}
	if !p.Type.IsFinal() {
		return n, nil
	}
	l.options = l.options[1:]
	l.told(o.op, o.Option.String(), optionAnswer(o.replies))
	l.wrong(l.model.Option(o.OptionRequest, o.replies), o.Option.String())
	switch {
	case p.Type != wire.RepAck:
	case o.Option == wire.OptGo:
		l.enter()
	case o.Option == wire.OptStartTLS:
		l.upgrade, l.options = true, nil
	}
	return n, nil
}

// wrong makes findings of what the model does not allow.
func (l *link) wrong(list []model.Violation, subject string) {
	if len(list) > 0 {
		l.judgeSo() // which knows better what it is about
	}
	for _, v := range list {
		l.find(l, Finding{Kind: Wrong, Clause: v.Clause, Subject: subject, Detail: v.Detail})
	}
}

// reply takes a simple reply, or a chunk, and what belongs to it.
func (l *link) reply(b []byte) (int, error) {
	p, n, err := wire.ParseReply(b)
	if err != nil {
		return 0, err
	}
	i := slices.IndexFunc(l.requests, func(q *request) bool { return q.Cookie == p.Cookie() })
	if p.Magic != wire.SimpleReplyMagic {
		if p.Chunk.Length > 1<<28 {
			l.lose()
			return 0, nil
		}
		end := n + int(p.Chunk.Length)
		if len(b) < end {
			l.room(end)
			return 0, io.ErrUnexpectedEOF
		}
		if i < 0 {
			l.lose()
			return end, nil
		}
		q := l.requests[i]
		l.chunk(q, p.Chunk, b[n:end])
		if p.Chunk.Flags&wire.ReplyFlagDone != 0 {
			l.complete(i)
		}
		return end, nil
	}
	if i < 0 { // whether data follows is unknown
		l.lose()
		return 0, nil
	}
	q := l.requests[i]
	q.answer.Failed, q.answer.Error = p.Simple.Error != wire.OK, p.Simple.Error
	if q.Type == wire.CmdRead && p.Simple.Error == wire.OK {
		end := n + int(q.Length)
		if len(b) < end {
			l.room(end)
			return 0, io.ErrUnexpectedEOF
		}
		q.answer.Pieces = append(q.answer.Pieces, model.Piece{Offset: q.Offset, Data: b[n:end]})
		n = end
	}
	l.complete(i)
	return n, nil
}

// room makes the buffer large enough for a message of n bytes.
func (l *link) room(n int) {
	if have := cap(l.in) - l.at; have < n {
		l.in = append(make([]byte, 0, n+16384), l.in[l.at:]...)
		l.at = 0
	}
}

// chunk adds a chunk to an answer. Contents are copied unless the reply ends with it.
func (l *link) chunk(q *request, h wire.ChunkHeader, payload []byte) {
	l.reach(l, AtChunk, uint32(q.Type), uint32(h.Type), 0)
	a := &q.answer
	switch {
	case h.Type.IsError():
		if e, err := wire.ParseErrorChunk(h.Type, payload); err == nil && !a.Failed {
			a.Error = e.Error
		}
		a.Failed = true
	case h.Type == wire.ChunkOffsetData:
		if d, err := wire.ParseOffsetData(payload); err == nil {
			if h.Flags&wire.ReplyFlagDone == 0 {
				d.Data = slices.Clone(d.Data)
			}
			a.Pieces = append(a.Pieces, model.Piece{Offset: d.Offset, Data: d.Data})
		}
	case h.Type == wire.ChunkOffsetHole:
		if d, err := wire.ParseOffsetHole(payload); err == nil {
			a.Pieces = append(a.Pieces, model.Piece{Offset: d.Offset, N: uint64(d.Size)})
		}
	case h.Type == wire.ChunkBlockStatus:
		if s, err := wire.ParseBlockStatus(payload); err == nil {
			a.Statuses = append(a.Statuses, s)
		}
	case h.Type == wire.ChunkBlockStatusExt:
		if s, err := wire.ParseBlockStatusExt(payload); err == nil {
			a.Statuses = append(a.Statuses, s)
		}
	}
}

// complete ends the request with the index.
func (l *link) complete(i int) {
	q := l.requests[i]
	l.requests = slices.Delete(l.requests, i, i+1)
	l.result.Requests++
	var more Mode
	if q.Request.Flags != 0 {
		more |= ModeFlags
	}
	if q.many {
		more |= ModeSeveral
	}
	l.reach(l, AtReply, uint32(q.Type), uint32(q.answer.Error), more)
	l.told(q.op, requestText(q.Request), requestAnswer(q.answer))
	q.answer.Took = time.Since(q.sent)
	for _, v := range q.model.Reply(q.answer) {
		if v.Mishap {
			l.doubt(Finding{Kind: Wrong, Clause: v.Clause, Subject: q.Type.String(), Detail: v.Detail}, q.Request, q.answer.Error)
		} else {
			l.wrong([]model.Violation{v}, q.Type.String())
		}
	}
}
