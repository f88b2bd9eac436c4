package heard

import (
	"encoding/binary"
	"strings"

	"nbdconform/conformance/clause"
	"nbdconform/conformance/judge"
	"nbdconform/reference/wire"
)

// Items reads what was said on one connection, in the dialect that both sides
// were told to speak.
func Items(t judge.Transcript, d wire.Dialect) Set {
	l := listener{
		dialect: d, items: Set{}, broken: map[int]bool{},
		pending: map[uint64]*request{}, contexts: map[uint32]string{},
	}
	for _, v := range t.Violations {
		l.broken[v.Message] = true
	}
	for _, m := range t.Messages {
		if m.Side == clause.Client {
			l.client(m)
		} else {
			l.server(m)
		}
	}
	return l.items
}

// A listener follows one transcript.
type listener struct {
	dialect  wire.Dialect
	items    Set
	broken   map[int]bool // messages that break a clause
	pending  map[uint64]*request
	contexts map[uint32]string
	style    string // of an older negotiation that the client has not gone along with yet
}

// A request is one without its whole reply.
type request struct {
	wire.Request
	bad, failed bool
	chunks      Set // of the reply so far
}

func (l *listener) add(k Kind, names ...string) {
	for _, n := range names {
		l.items[Item{k, n}] = true
	}
}

// client hears a message of the client.
func (l *listener) client(m judge.Message) {
	bad := l.broken[m.Index]
	switch {
	case strings.HasPrefix(m.Text, "client flags"):
		if f, _, err := wire.ParseClientFlags(m.Raw); err == nil && !bad {
			l.add(ClientFlag, split("NBD_FLAG_C_", f)...)
			if f&wire.FlagCFixedNewstyle != 0 {
				l.add(Extension, FixedNewstyle)
			}
		}
	case len(m.Raw) < 4:
	case binary.BigEndian.Uint32(m.Raw) == wire.RequestMagic:
		if q, _, err := wire.ParseRequest(m.Raw); err == nil {
			l.asked(q, requestMagic, bad)
		}
	case binary.BigEndian.Uint32(m.Raw) == wire.ExtendedRequest:
		if q, _, err := wire.ParseExtendedRequest(m.Raw); err == nil {
			l.asked(q, extendedRequest, bad)
		}
	}
}

// asked hears a request. NBD_CMD_DISC has no reply to wait for.
func (l *listener) asked(q wire.Request, magic string, bad bool) {
	if !bad {
		l.add(Magic, magic)
		if l.style != "" {
			l.add(Extension, l.style)
		}
	}
	if q.Type == wire.CmdDisc {
		if !bad {
			l.add(Command, q.Type.String())
		}
		return
	}
	l.pending[q.Cookie] = &request{Request: q, bad: bad, chunks: Set{}}
}

// server hears a message of the server.
func (l *listener) server(m judge.Message) {
	if l.broken[m.Index] {
		return
	}
	switch {
	case strings.HasPrefix(m.Text, "oldstyle greeting"):
		if g, _, err := wire.ParseOldGreeting(m.Raw); err == nil {
			l.style = Oldstyle
			l.add(TransmissionFlag, l.transmission(wire.TransmissionFlags(g.Flags))...)
		}
	case strings.HasPrefix(m.Text, "greeting"):
		if g, _, err := wire.ParseGreeting(m.Raw); err == nil {
			l.add(HandshakeFlag, split("NBD_FLAG_", g.Flags)...)
			if g.Flags&wire.FlagFixedNewstyle == 0 {
				l.style = Newstyle
			}
		}
	case strings.HasPrefix(m.Text, "answer to NBD_OPT_EXPORT_NAME"):
		if e, _, err := wire.ParseExportNameReply(m.Raw, false); err == nil {
			l.add(Option, wire.OptExportName.String())
			l.add(TransmissionFlag, l.transmission(e.Flags)...)
		}
	default:
		if h, n, err := wire.ParseOptionReplyHeader(m.Raw); err == nil {
			l.optionReply(h, m.Raw[n:], uint64(h.Length) == uint64(len(m.Raw)-n))
		} else if p, n, err := wire.ParseReply(m.Raw); err == nil {
			l.reply(p, m.Raw[n:])
		}
	}
}

// transmission are the names of transmission flags, of which a dialect has others.
func (l *listener) transmission(f wire.TransmissionFlags) []string {
	if l.dialect != wire.Current {
		return nil
	}
	return split("NBD_FLAG_", f)
}

// optionReply hears a reply to an option. The payload may be cut.
func (l *listener) optionReply(h wire.OptionReplyHeader, payload []byte, whole bool) {
	l.add(Reply, h.Type.String())
	switch h.Type {
	case wire.RepAck:
		l.add(Option, h.Option.String())
		if h.Option == wire.OptStartTLS {
			clear(l.contexts)
		}
	case wire.RepInfo:
		l.info(payload)
	case wire.RepMetaContext:
		if m, err := wire.ParseMetaContext(payload); err == nil && whole && h.Option == wire.OptSetMetaContext {
			l.contexts[m.ID] = m.Name
		}
	}
}

func (l *listener) info(payload []byte) {
	i, err := wire.ParseInfo(payload)
	if err != nil || !known(i.Type.String()) {
		return
	}
	l.add(Info, i.Type.String())
	switch i.Type {
	case wire.InfoExport:
		if e, err := wire.ParseExportInfo(i.Payload); err == nil {
			l.add(TransmissionFlag, l.transmission(e.Flags)...)
		}
	case wire.InfoInitState:
		if f, err := wire.ParseInitFlags(i.Payload); err == nil {
			l.add(InitFlag, split("NBD_INIT_", f)...)
		}
	}
}

// reply hears a simple reply or a chunk.
func (l *listener) reply(p wire.Reply, payload []byte) {
	q := l.pending[p.Cookie()]
	if q == nil {
		return
	}
	if p.Magic == wire.SimpleReplyMagic {
		delete(l.pending, p.Cookie())
		l.add(Magic, simpleReply)
		l.add(Extension, SimpleReplies)
		l.errno(p.Simple.Error)
		q.failed = p.Simple.Error != wire.OK
		l.done(q)
		return
	}
	magic, extension := structuredReply, StructuredReplies
	if p.Magic == wire.ExtendedReply {
		magic, extension = extendedReply, ExtendedHeaders
	}
	l.add(Magic, magic)
	l.add(Extension, extension)
	h := p.Chunk
	if known(h.Type.String()) {
		l.add(Chunk, h.Type.String())
	}
	l.add(ReplyFlag, split("NBD_REPLY_FLAG_", h.Flags)...)
	switch {
	case h.Type.IsError():
		q.failed = true
		if len(payload) >= 4 {
			l.errno(wire.Errno(binary.BigEndian.Uint32(payload)))
		}
	case h.Type == wire.ChunkBlockStatus, h.Type == wire.ChunkBlockStatusExt:
		l.status(q, h.Type, payload)
	}
	if h.Flags&wire.ReplyFlagDone != 0 {
		delete(l.pending, p.Cookie())
		l.done(q)
	}
}

// status hears extents, of which those count that are in the first bytes.
func (l *listener) status(q *request, t wire.ChunkType, payload []byte) {
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
	name := l.contexts[s.ContextID]
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

func (l *listener) errno(e wire.Errno) {
	if e != wire.OK && known(e.String()) {
		l.add(Error, e.String())
	}
}

// done hears the end of a reply.
func (l *listener) done(q *request) {
	if q.failed || q.bad {
		return
	}
	switch {
	case l.dialect == wire.GetLBAStatus && q.Type == wire.CmdGetLBAStatus:
		l.add(Extension, LBAStatus)
		return
	case l.dialect == wire.WriteZeroesRFC && q.Type == wire.CmdWriteZeroes:
		l.add(Extension, WriteZeroesRFC)
		return
	}
	l.items.Join(q.chunks)
	if known(q.Type.String()) {
		l.add(Command, q.Type.String())
	}
	l.add(CommandFlag, split("NBD_CMD_FLAG_", q.Flags)...)
}
