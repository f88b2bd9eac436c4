package fromcapture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"

	"nbdconform/fuzz/internal/script"
	"nbdconform/reference/wire"
)

// A talk is one conversation. It is a [capture.Watcher].
//
// What the client says is taken apart by the magic numbers that its messages
// begin with. The server is heard for what it makes of options, as that decides
// which operations belong where they stand.
type talk struct {
	*maker
	conn    int   // of the script; -1: it has none yet
	certain bool  // that it is NBD
	over    bool  // nothing more becomes of it
	from    *talk // that went over to TLS just before this one began

	client  []byte // not taken apart yet
	server  []byte // the same
	deaf    bool   // what else the server says is of no interest
	greeted bool
	heard   bool // the server spoke since the client did

	flagged  bool          // the client's flags came
	pending  []wire.Option // without a final reply
	extended bool          // extended headers were negotiated
	entered  bool
	parted   bool // the client said that it leaves
	inTLS    bool // NBD_OPT_STARTTLS was acknowledged
	wild     bool // raw bytes were said
	last     int  // index of the last operation; -1: none
	closed   int  // the same of the one that closes; -1: none
}

const nbdMagic = "NBDMAGIC"

// optionMagic is how an option begins.
const optionMagic = uint32(wire.OptionMagic >> 32)

// FromClient implements [capture.Watcher].
func (t *talk) FromClient(b []byte) {
	if t.over || t.closed >= 0 {
		return
	}
	if t.said += len(b); t.said > most {
		t.notef("what clients say beyond %d MiB is left out", most>>20)
		t.end()
		return
	}
	t.client = append(t.client, b...)
	t.take()
}

// take makes operations of the whole messages that came. Those of one segment
// are glued together.
func (t *talk) take() {
	if !t.certain || t.over {
		return
	}
	t.unheard()
	before := -1
	for len(t.client) > 0 {
		o, n := t.operation(t.client)
		if n == 0 {
			break
		}
		if !t.add(o) {
			return
		}
		if before >= 0 {
			t.ops[before].Glue = true
		}
		before = t.last
		t.client = t.client[n:]
	}
	if before < 0 {
		return
	}
	t.heard = false
	if len(t.client) > 0 {
		t.ops[before].Glue = true
	}
}

// unheard has the last operation not wait, if the client did not.
func (t *talk) unheard() {
	if t.last >= 0 && !t.heard && t.ops[t.last].Kind != script.Flags {
		t.ops[t.last].NoWait = !t.ops[t.last].Glue
	}
}

// add appends an operation. It returns false if there are too many connections
// for it.
func (t *talk) add(o script.Op) bool {
	if t.conn < 0 {
		if t.conn = t.free(); t.conn < 0 {
			t.notef("a script has %d connections: what was said on more at a time is left out", script.Connections)
			t.over = true
			return false
		}
	}
	o.Conn = t.conn
	t.ops, t.last = append(t.ops, o), len(t.ops)
	return true
}

// operation takes one message off b; 0 bytes of it if it is not whole.
func (t *talk) operation(b []byte) (script.Op, int) {
	if t.inTLS && b[0] != byte(optionMagic>>24) {
		t.notef("what was said within TLS is left out")
		t.client = nil
		t.end()
		return script.Op{}, 0
	}
	if !t.flagged {
		return t.flags(b)
	}
	if len(b) < 4 {
		return script.Op{}, 0
	}
	switch binary.BigEndian.Uint32(b) {
	case optionMagic:
		return t.option(b)
	case wire.RequestMagic:
		if !t.extended {
			return t.request(wire.ParseRequest(b))
		}
	case wire.ExtendedRequest:
		if t.extended {
			return t.request(wire.ParseExtendedRequest(b))
		}
	}
	return t.raw(b)
}

func (t *talk) raw(b []byte) (script.Op, int) {
	t.wild = true
	return script.Op{Kind: script.Raw, Data: bytes.Clone(b)}, len(b)
}

func (t *talk) flags(b []byte) (script.Op, int) {
	if len(b) < 4 {
		return script.Op{}, 0
	}
	t.flagged = true
	if !t.heard && t.adopt() {
		return t.operation(b)
	}
	f, n, err := wire.ParseClientFlags(b)
	if err != nil {
		return t.raw(b)
	}
	return script.Op{Kind: script.Flags, ClientFlags: f}, n
}

// adopt goes on where another conversation went over to TLS: captures of our
// own have the plain text as a connection of its own, in which the client
// speaks first.
func (t *talk) adopt() bool {
	o := t.from
	if o == nil || o.over || o.closed >= 0 {
		return false
	}
	o.over = true
	t.conn, t.last, t.heard, t.greeted = o.conn, o.last, true, true
	return true
}

func (t *talk) option(b []byte) (script.Op, int) {
	q, n, err := wire.ParseOptionRequest(b)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return script.Op{}, 0
	}
	if err != nil {
		return t.raw(b)
	}
	o := script.Op{Kind: script.Option, Option: q.Option}
	switch q.Option {
	case wire.OptExportName:
		o.Export = string(q.Data)
	case wire.OptInfo, wire.OptGo:
		if i, err := wire.ParseInfoRequest(q.Data); err == nil {
			o.Export, o.Infos = i.Export, i.Infos
		}
	case wire.OptListMetaContext, wire.OptSetMetaContext:
		if m, err := wire.ParseMetaContextRequest(q.Data); err == nil {
			o.Export, o.Queries = m.Export, m.Queries
		}
	}
	// "@0" stands for something in a script.
	if !bytes.Equal(o.OptionData(nil), q.Data) || len(o.Export) == 2 && o.Export[0] == '@' {
		o.Export, o.Infos, o.Queries, o.Data = "", nil, nil, append([]byte{}, q.Data...)
	}
	o.Anyway = t.wild || t.entered || t.leaving()
	t.pending = append(t.pending, q.Option)
	t.parted = q.Option == wire.OptAbort
	t.entered = t.entered || q.Option == wire.OptExportName
	return o, n
}

// leaving reports whether an option is pending behind which none may follow.
func (t *talk) leaving() bool {
	if len(t.pending) == 0 {
		return false
	}
	switch t.pending[len(t.pending)-1] {
	case wire.OptGo, wire.OptExportName, wire.OptStartTLS:
		return true
	}
	return false
}

func (t *talk) request(q wire.Request, n int, err error) (script.Op, int) {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return script.Op{}, 0
	}
	o := script.Op{Kind: script.Request, Request: q, Anyway: t.wild || t.parted || !t.entered}
	o.Bare = t.extended && q.Type == wire.CmdWrite && q.Flags&wire.CmdFlagPayloadLen == 0
	if err == nil && o.HasPayload(t.extended) {
		if q.Length > most {
			return t.raw(t.client)
		}
		end := n + int(q.Length)
		if len(t.client) < end {
			return script.Op{}, 0
		}
		o.Fill, o.Data = filled(q.Offset, t.client[n:end])
		n = end
	}
	if err != nil {
		return t.raw(t.client)
	}
	if t.extended && q.Type == wire.CmdWrite {
		o.Request.Flags &^= wire.CmdFlagPayloadLen // goes without saying
	}
	t.parted = t.parted || q.Type == wire.CmdDisc
	return o, n
}

// filled finds the fill that a payload is of, or returns a copy of it.
func filled(offset uint64, payload []byte) (script.Fill, []byte) {
	if len(payload) == 0 {
		return 0, nil
	}
	for f := range 256 {
		f := script.Fill(f)
		head := min(len(payload), 16)
		if bytes.Equal(f.Append(nil, offset, uint64(head)), payload[:head]) &&
			bytes.Equal(f.Append(nil, offset, uint64(len(payload))), payload) {
			return f, nil
		}
	}
	return 0, bytes.Clone(payload)
}

// FromServer implements [capture.Watcher].
func (t *talk) FromServer(b []byte) {
	if t.over {
		return
	}
	if t.closed >= 0 && !t.parted { // the client only ended its direction
		t.ops[t.closed].Kind = script.Half
	}
	t.heard = true
	if t.deaf {
		return
	}
	t.server = append(t.server, b...)
	if !t.certain {
		if len(t.server) < len(nbdMagic) {
			return
		}
		if t.certain = bytes.HasPrefix(t.server, []byte(nbdMagic)); !t.certain {
			t.over = true // it is something else
			return
		}
		t.take()
	}
	for !t.deaf && t.hear() {
	}
	if t.deaf {
		t.server = nil
	}
}

// longestReply is how long a reply to an option may be that is waited for, in bytes.
const longestReply = 1 << 20

// hear takes one message of the server's. It returns false if there is none.
func (t *talk) hear() bool {
	if !t.greeted && !bytes.HasPrefix(t.server, []byte(nbdMagic)[:min(len(t.server), len(nbdMagic))]) {
		t.greeted = true // it goes on within TLS
	}
	if !t.greeted {
		_, n, err := wire.ParseGreeting(t.server)
		t.greeted = err == nil
		return t.heed(n, err)
	}
	r, n, err := wire.ParseOptionReply(t.server)
	if !t.heed(n, err) || !r.Type.IsFinal() {
		return err == nil
	}
	if len(t.pending) > 0 {
		t.pending = t.pending[1:]
	}
	if r.Type != wire.RepAck {
		return true
	}
	switch r.Option {
	case wire.OptGo:
		t.entered, t.deaf = true, true
	case wire.OptExtendedHeaders:
		t.extended = true
	case wire.OptStartTLS:
		t.inTLS, t.extended, t.maker.secured = true, false, t
	}
	return true
}

// heed moves on behind a message.
func (t *talk) heed(n int, err error) bool {
	t.server = t.server[n:]
	if err != nil {
		t.deaf = !errors.Is(err, io.ErrUnexpectedEOF) || len(t.server) > longestReply
	}
	return err == nil
}

// ClientClosed implements [capture.Watcher].
func (t *talk) ClientClosed(error) {
	if t.over || t.conn < 0 || t.closed >= 0 || t.inTLS && len(t.client) == 0 {
		return // what was secured may go on elsewhere
	}
	t.close()
}

// close says what is left, and that the client closes.
func (t *talk) close() {
	if len(t.client) > 0 && t.certain {
		o, _ := t.raw(t.client)
		t.client = nil
		if !t.add(o) {
			return
		}
	}
	if t.last < 0 || t.parted && t.ops[t.last].Kind == script.Request {
		return // behind NBD_CMD_DISC the server hangs up
	}
	t.unheard()
	t.heard = true
	if t.add(script.Op{Kind: script.Close}) {
		t.closed = t.last
	}
}

// ServerClosed implements [capture.Watcher].
func (t *talk) ServerClosed(error) {
	if t.closed >= 0 || t.parted {
		t.over = true
	}
}

// Lost implements [capture.Watcher].
func (t *talk) Lost(why string) {
	t.notef("a connection is not there to its end: %s", why)
	t.end()
}

// end is called when nothing more comes.
func (t *talk) end() {
	if t.over {
		return
	}
	if t.closed < 0 {
		t.close()
	}
	t.over = true
}
