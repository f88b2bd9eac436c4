package session

import (
	"context"
	"encoding/binary"
	"time"

	"nbdconform/conformance/judge"
	"nbdconform/fuzz/internal/script"
	"nbdconform/reference/wire"
)

// mostPayload is the longest payload that is sent, and read, in bytes.
const mostPayload = 48 << 20

// do does one operation.
func (l *link) do(o script.Op) {
	if l.over {
		return
	}
	if l.phase == greeting && !l.wild {
		if l.await(); l.over {
			return
		}
	}
	switch o.Kind {
	case script.Flags:
		l.flags(o)
	case script.Option:
		l.option(o)
	case script.Request:
		l.request(o)
	case script.Raw:
		l.alien(o.Data)
		l.write(o.Data, o.Split, o.Glue)
	case script.Await: // below
	case script.Half:
		l.flush()
		if h, ok := l.nc.(interface{ CloseWrite() error }); ok {
			l.lose()
			l.record(HalfDone, nil)
			_ = h.CloseWrite()
		}
	case script.Close:
		l.flush()
		l.finish()
	}
	if !o.NoWait && !o.Glue {
		l.await()
	}
}

// flush sends what was held back.
func (l *link) flush() {
	if b := l.held; len(b) > 0 {
		l.held = nil
		l.write(b, 0, false)
	}
}

func (l *link) flags(o script.Op) {
	if l.phase != flags {
		if o.Anyway {
			l.lose()
			l.write(o.ClientFlags.Append(nil), o.Split, o.Glue)
		}
		return
	}
	l.phase, l.client = haggling, o.ClientFlags
	l.write(o.ClientFlags.Append(nil), o.Split, o.Glue)
}

func (l *link) option(o script.Op) {
	fits := l.phase == haggling && !l.leaving() && l.lastOpt != wire.OptAbort
	if !fits && !o.Anyway {
		return
	}
	if l.client&wire.FlagCFixedNewstyle == 0 && o.Option != wire.OptExportName {
		l.model.Unsure() // a client that did not say so may not send it
	}
	q := wire.OptionRequest{Option: o.Option, Data: o.OptionData(l.target.Model.Exports)}
	b := q.Append(nil)
	if o.Anyway && o.Announce == nil && len(l.held) > 0 && l.upgrading() {
		// In the clear behind NBD_OPT_STARTTLS, in the same segment: void if TLS
		// starts, an option like any other if it does not.
		l.clear, fits = true, true
	}
	l.lastOpt = o.Option
	if o.Announce != nil && *o.Announce != uint64(len(q.Data)) {
		binary.BigEndian.PutUint32(b[12:], uint32(*o.Announce))
		fits = false
	}
	if fits && !l.wild {
		l.options = append(l.options, &option{OptionRequest: q, op: l.op})
	} else {
		l.lose()
	}
	l.write(b, o.Split, o.Glue)
}

// upgrading reports whether the last pending option is NBD_OPT_STARTTLS.
func (l *link) upgrading() bool {
	n := len(l.options)
	return n > 0 && !l.wild && l.options[n-1].Option == wire.OptStartTLS
}

// leaving reports whether an option is pending behind which none may follow.
func (l *link) leaving() bool {
	n := len(l.options)
	return n > 0 && (l.options[n-1].Option == wire.OptGo || l.options[n-1].Option == wire.OptExportName || l.options[n-1].Option == wire.OptStartTLS)
}

func (l *link) request(o script.Op) {
	if l.phase == haggling && len(l.options) > 0 && !o.Anyway {
		l.await() // whether this is the time depends on the answer
	}
	fits := l.phase == transmission && !l.disc
	if l.over || !fits && !o.Anyway {
		return
	}
	extended := l.model.Extended
	q := o.Request
	if o.FromEnd {
		q.Offset += l.model.Size
	}
	if !extended {
		q.Length &= 1<<32 - 1
	}
	if q.Cookie == 0 {
		l.cookies++
		q.Cookie = 0x5eed<<48 | uint64(l.id+1)<<40 | l.cookies
	}
	var payload []byte
	var filter *wire.StatusFilter
	switch {
	case o.Contexts != nil && extended && q.Type == wire.CmdBlockStatus:
		filter = l.filter(o, q.Length)
		payload = filter.Append(nil)
		q.Length = uint64(len(payload))
		if !o.Bare {
			q.Flags |= wire.CmdFlagPayloadLen
		} else {
			payload, q.Length, filter = nil, filter.Length, nil
		}
	case o.HasPayload(extended):
		if payload = o.Data; payload != nil {
			q.Length = uint64(len(payload))
		}
		if q.Length > mostPayload {
			return
		}
		if payload == nil {
			payload = o.Fill.Append(nil, q.Offset, q.Length)
		}
		switch {
		case extended && q.Type == wire.CmdWrite:
			q.Flags |= wire.CmdFlagPayloadLen
		case extended && q.Type == wire.CmdBlockStatus:
			f, _ := wire.ParseStatusFilter(payload) // if it is none, it names no context
			filter = &f
		}
	case q.Type == wire.CmdRead && q.Length > mostPayload && q.Length <= l.model.Size:
		return
	}
	if o.Announce != nil && *o.Announce != q.Length {
		q.Length, fits = *o.Announce, false
	}
	b := make([]byte, 0, wire.ExtendedRequestSize+len(payload))
	if extended && q.Type == wire.CmdWrite && q.Flags&wire.CmdFlagPayloadLen == 0 {
		fits = false // servers differ in whether a payload follows, and the client is at fault
	}
	if extended {
		b = q.AppendExtended(b)
	} else {
		b = q.Append(b)
	}
	b = append(b, payload...)
	l.last = q.Type
	switch {
	case !fits:
		l.alien(b)
	case l.wild:
		l.alien(b)
	case q.Type == wire.CmdDisc:
		l.disc = true
	default:
		l.expect(q, payload, filter)
	}
	l.write(b, o.Split, o.Glue)
}

// expect makes the link ready for the answer to a request.
func (l *link) expect(q wire.Request, payload []byte, filter *wire.StatusFilter) {
	for _, other := range l.requests {
		other.many = true
		if other.Cookie == q.Cookie { // which of them an answer is for can't be told
			l.model.Unsure()
		}
	}
	l.requests = append(l.requests, &request{
		Request: q, sent: time.Now(), many: len(l.requests) > 0, op: l.op,
		model: l.model.Send(q, payload, filter),
	})
}

// filter is the payload that an operation means.
func (l *link) filter(o script.Op, length uint64) *wire.StatusFilter {
	f := &wire.StatusFilter{Length: length}
	for _, i := range o.Contexts {
		id := uint32(0x7fff0000 + i)
		if i < len(l.model.Contexts) {
			id = l.model.Contexts[i].ID
		}
		f.ContextIDs = append(f.ContextIDs, id)
	}
	return f
}

// alien notes that bytes are sent of which it is unknown what the server makes.
// If there could be a request among them, contents are anything from now on.
func (l *link) alien(b []byte) {
	l.lose()
	l.strange = append(l.strange, b...)
	for i := 0; i+8 <= len(l.strange); i++ {
		m := binary.BigEndian.Uint32(l.strange[i:])
		if m != wire.RequestMagic && m != wire.ExtendedRequest {
			continue
		}
		switch wire.Command(binary.BigEndian.Uint16(l.strange[i+6:])) {
		case wire.CmdRead, wire.CmdDisc, wire.CmdFlush, wire.CmdCache, wire.CmdBlockStatus:
		default:
			l.run.model.Haunt()
			l.strange = nil
			return
		}
	}
	if n := len(l.strange); n > 8 {
		l.strange = append([]byte(nil), l.strange[n-8:]...)
	}
}

// secure starts TLS, which the server has acknowledged.
func (l *link) secure() {
	if l.target.TLS == nil || l.at < len(l.in) {
		l.finish()
		return
	}
	ctx, cancel := context.WithTimeout(l.ctx, l.target.patience())
	defer cancel()
	nc, err := l.target.TLS.Upgrade(ctx, l.plain)
	if err != nil {
		f := Finding{
			Kind: Wrong, Clause: "opt.starttls.reply", Subject: "handshake",
			Detail: "NBD_OPT_STARTTLS was acknowledged, and the TLS handshake fails: " + err.Error(),
		}
		if l.clear { // the server may have taken it for a part of the handshake
			l.finish()
			return
		}
		if ctx.Err() != nil { // it takes too long, perhaps the machine does
			f.Kind = Hang
		}
		l.find(l, f)
		l.finish()
		return
	}
	l.judge.Decrypted()
	l.model.Upgraded()
	l.record(Secured, nil)
	l.nc = judge.Conn(nc, l.judge)
}
