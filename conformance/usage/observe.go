package usage

import (
	"encoding/binary"
	"strings"

	"nbdconform/conformance/clause"
	"nbdconform/conformance/judge"
	"nbdconform/reference/wire"
)

// Items are the features that were used on one connection, in the dialect that
// both sides were told to speak.
func Items(t judge.Transcript, d wire.Dialect) Set {
	o := observer{
		dialect: d, items: Set{}, broken: map[int]bool{},
		pending: map[uint64]*request{}, contexts: map[uint32]string{},
	}
	for _, v := range t.Violations {
		o.broken[v.Message] = true
	}
	for _, m := range t.Messages {
		if m.Side == clause.Client {
			o.fromClient(m)
		} else {
			o.fromServer(m)
		}
	}
	return o.items
}

// An observer follows one transcript.
type observer struct {
	dialect  wire.Dialect
	items    Set
	broken   map[int]bool // messages that break a clause
	pending  map[uint64]*request
	contexts map[uint32]string
	style    string // of an older negotiation that the client has not accepted yet
}

// A request is one without its whole reply.
type request struct {
	wire.Request
	bad, failed bool
	chunks      Set // of the reply so far
}

func (o *observer) add(k Kind, names ...string) {
	for _, n := range names {
		o.items[Item{k, n}] = true
	}
}

func (o *observer) fromClient(m judge.Message) {
	bad := o.broken[m.Index]
	switch v := m.Value().(type) {
	case wire.ClientFlags:
		if bad {
			return
		}
		o.add(ClientFlag, split("NBD_FLAG_C_", v)...)
		if v&wire.FlagCFixedNewstyle != 0 {
			o.add(Extension, FixedNewstyle)
		}
	case wire.Request:
		magic := requestMagic
		if m.Kind == judge.KindExtendedRequest {
			magic = extendedRequest
		}
		o.request(v, magic, bad)
	}
}

// request takes note of a request. NBD_CMD_DISC has no reply to wait for.
func (o *observer) request(q wire.Request, magic string, bad bool) {
	if !bad {
		o.add(Magic, magic)
		if o.style != "" {
			o.add(Extension, o.style)
		}
	}
	if q.Type == wire.CmdDisc {
		if !bad {
			o.add(Command, q.Type.String())
		}
		return
	}
	o.pending[q.Cookie] = &request{Request: q, bad: bad, chunks: Set{}}
}

func (o *observer) fromServer(m judge.Message) {
	if o.broken[m.Index] {
		return
	}
	switch v := m.Value().(type) {
	case wire.OldGreeting:
		o.style = Oldstyle
		o.add(TransmissionFlag, o.transmission(wire.TransmissionFlags(v.Flags))...)
	case wire.Greeting:
		o.add(HandshakeFlag, split("NBD_FLAG_", v.Flags)...)
		if v.Flags&wire.FlagFixedNewstyle == 0 {
			o.style = Newstyle
		}
	case wire.ExportNameReply:
		o.add(Option, wire.OptExportName.String())
		o.add(TransmissionFlag, o.transmission(v.Flags)...)
	case wire.OptionReplyHeader:
		payload, whole := m.Payload()
		o.optionReply(v, payload, whole)
	case wire.SimpleReply:
		o.simpleReply(v)
	case wire.ChunkHeader:
		payload, _ := m.Payload()
		o.chunk(m.Kind, v, payload)
	}
}

// transmission are the names of transmission flags, of which a dialect has others.
func (o *observer) transmission(f wire.TransmissionFlags) []string {
	if o.dialect != wire.Current {
		return nil
	}
	return split("NBD_FLAG_", f)
}

// optionReply takes note of a reply to an option. The payload may be cut.
func (o *observer) optionReply(h wire.OptionReplyHeader, payload []byte, whole bool) {
	o.add(Reply, h.Type.String())
	switch h.Type {
	case wire.RepAck:
		o.add(Option, h.Option.String())
		if h.Option == wire.OptStartTLS {
			clear(o.contexts)
		}
	case wire.RepInfo:
		o.info(payload)
	case wire.RepMetaContext:
		if m, err := wire.ParseMetaContext(payload); err == nil && whole && h.Option == wire.OptSetMetaContext {
			o.contexts[m.ID] = m.Name
		}
	}
}

func (o *observer) info(payload []byte) {
	i, err := wire.ParseInfo(payload)
	if err != nil || !known(i.Type.String()) {
		return
	}
	o.add(Info, i.Type.String())
	switch i.Type {
	case wire.InfoExport:
		if e, err := wire.ParseExportInfo(i.Payload); err == nil {
			o.add(TransmissionFlag, o.transmission(e.Flags)...)
		}
	case wire.InfoInitState:
		if f, err := wire.ParseInitFlags(i.Payload); err == nil {
			o.add(InitFlag, split("NBD_INIT_", f)...)
		}
	}
}

func (o *observer) simpleReply(p wire.SimpleReply) {
	q := o.pending[p.Cookie]
	if q == nil {
		return
	}
	delete(o.pending, p.Cookie)
	o.add(Magic, simpleReply)
	o.add(Extension, SimpleReplies)
	o.errno(p.Error)
	q.failed = p.Error != wire.OK
	o.answered(q)
}

// chunk takes note of a chunk. The payload may be cut.
func (o *observer) chunk(k judge.Kind, h wire.ChunkHeader, payload []byte) {
	q := o.pending[h.Cookie]
	if q == nil {
		return
	}
	magic, extension := structuredReply, StructuredReplies
	if k == judge.KindExtendedChunk {
		magic, extension = extendedReply, ExtendedHeaders
	}
	o.add(Magic, magic)
	o.add(Extension, extension)
	if known(h.Type.String()) {
		o.add(Chunk, h.Type.String())
	}
	o.add(ReplyFlag, split("NBD_REPLY_FLAG_", h.Flags)...)
	switch {
	case h.Type.IsError():
		q.failed = true
		if len(payload) >= 4 {
			o.errno(wire.Errno(binary.BigEndian.Uint32(payload)))
		}
	case h.Type == wire.ChunkBlockStatus, h.Type == wire.ChunkBlockStatusExt:
		o.status(q, h.Type, payload)
	}
	if h.Flags&wire.ReplyFlagDone != 0 {
		delete(o.pending, h.Cookie)
		o.answered(q)
	}
}

// status takes note of extents, of which those count that are in the first bytes.
func (o *observer) status(q *request, t wire.ChunkType, payload []byte) {
	parse, head, size := wire.ParseBlockStatus, 4, 8
	if t == wire.ChunkBlockStatusExt {
		parse, head, size = wire.ParseBlockStatusExt, 8, 16
	}
	if len(payload) < head+size {
		return
	}
	payload = append([]byte(nil), payload[:head+(len(payload)-head)/size*size]...)
	if t == wire.ChunkBlockStatusExt { // the count of those that are here
		binary.BigEndian.PutUint32(payload[4:], uint32((len(payload)-head)/size))
	}
	s, err := parse(payload)
	if err != nil {
		return
	}
	name := o.contexts[s.ContextID]
	for _, c := range contexts {
		if name == c || strings.HasSuffix(c, ":") && strings.HasPrefix(name, c) {
			q.chunks.Add(Item{Context, c})
		}
	}
	if name != contexts[0] {
		return
	}
	for _, e := range s.Extents {
		for _, n := range split("NBD_STATE_", wire.StateFlags(e.Status)) {
			q.chunks.Add(Item{StateFlag, n})
		}
	}
}

func (o *observer) errno(e wire.Errno) {
	if e != wire.OK && known(e.String()) {
		o.add(Error, e.String())
	}
}

// answered takes note of the end of a reply.
func (o *observer) answered(q *request) {
	if q.failed || q.bad {
		return
	}
	switch {
	case o.dialect == wire.GetLBAStatus && q.Type == wire.CmdGetLBAStatus:
		o.add(Extension, LBAStatus)
		return
	case o.dialect == wire.WriteZeroesRFC && q.Type == wire.CmdWriteZeroes:
		o.add(Extension, WriteZeroesRFC)
		return
	}
	o.items.Join(q.chunks)
	if known(q.Type.String()) {
		o.add(Command, q.Type.String())
	}
	o.add(CommandFlag, split("NBD_CMD_FLAG_", q.Flags)...)
}
