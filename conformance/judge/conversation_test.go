package judge

import (
	"fmt"
	"io"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nbdconform/conformance/clause"
	"nbdconform/reference/wire"
)

// An event is what a judge is told once.
type event struct {
	side   clause.Side
	bytes  []byte
	closes bool
}

// A conversation is put together message by message.
type conversation struct {
	opts   Options
	events []event
}

func (c *conversation) client(b []byte) {
	c.events = append(c.events, event{side: clause.Client, bytes: b})
}

func (c *conversation) server(b []byte) {
	c.events = append(c.events, event{side: clause.Server, bytes: b})
}

func (c *conversation) clientCloses() {
	c.events = append(c.events, event{side: clause.Client, closes: true})
}

func (c *conversation) serverCloses() {
	c.events = append(c.events, event{side: clause.Server, closes: true})
}

// tell gives the conversation to a new judge, at most n bytes at a time.
func (c *conversation) tell(n int) *Judge {
	j := New(c.opts)
	for _, e := range c.events {
		feed, closed := j.FromClient, j.ClientClosed
		if e.side == clause.Server {
			feed, closed = j.FromServer, j.ServerClosed
		}
		if e.closes {
			closed(io.EOF)
		}
		for part := range slices.Chunk(e.bytes, n) {
			feed(part)
		}
	}
	return j
}

func (c *conversation) size() int {
	n := 0
	for _, e := range c.events {
		n += len(e.bytes)
	}
	return n
}

const (
	bothServer = wire.FlagFixedNewstyle | wire.FlagNoZeroes
	bothClient = wire.FlagCFixedNewstyle | wire.FlagCNoZeroes
	size       = 1 << 20
	all        = wire.FlagHasFlags | wire.FlagSendFlush | wire.FlagSendFUA | wire.FlagSendTrim | wire.FlagSendWriteZeroes | wire.FlagSendCache
	allDF      = all | wire.FlagSendDF | wire.FlagSendFastZero
)

func (c *conversation) greet(s wire.HandshakeFlags, f wire.ClientFlags) {
	c.server(wire.Greeting{Flags: s}.Append(nil))
	c.client(f.Append(nil))
}

func (c *conversation) hello() { c.greet(bothServer, bothClient) }

func (c *conversation) opt(o wire.Option, data string) {
	c.client(wire.OptionRequest{Option: o, Data: []byte(data)}.Append(nil))
}

func (c *conversation) rep(o wire.Option, t wire.ReplyType, data string) {
	c.server(wire.OptionReply{Option: o, Type: t, Data: []byte(data)}.Append(nil))
}

func (c *conversation) ack(o wire.Option) { c.rep(o, wire.RepAck, "") }

// abort ends haggling.
func (c *conversation) abort() {
	c.opt(wire.OptAbort, "")
	c.ack(wire.OptAbort)
	c.clientCloses()
}

func (c *conversation) structured() {
	c.opt(wire.OptStructuredReply, "")
	c.ack(wire.OptStructuredReply)
}

func (c *conversation) extended() {
	c.opt(wire.OptExtendedHeaders, "")
	c.ack(wire.OptExtendedHeaders)
}

func info(name string, infos ...wire.InfoType) string {
	return string(wire.InfoRequest{Export: name, Infos: infos}.Append(nil))
}

func (c *conversation) info(o wire.Option, i wire.Info) {
	c.rep(o, wire.RepInfo, string(i.Append(nil)))
}

func (c *conversation) export(o wire.Option, n uint64, f wire.TransmissionFlags) {
	c.info(o, wire.ExportInfo{Size: n, Flags: f}.Info())
}

// enter ends haggling by NBD_OPT_GO without size constraints.
func (c *conversation) enter(f wire.TransmissionFlags) {
	c.opt(wire.OptGo, info("disk"))
	c.export(wire.OptGo, size, f)
	c.ack(wire.OptGo)
}

// enterSized ends haggling by NBD_OPT_GO with size constraints.
func (c *conversation) enterSized(f wire.TransmissionFlags, n uint64, s wire.SizeConstraints) {
	c.opt(wire.OptGo, info("disk", wire.InfoBlockSize))
	c.export(wire.OptGo, n, f)
	c.info(wire.OptGo, s.Info())
	c.ack(wire.OptGo)
}

// plain is the way to simple replies, fragments that to structured ones.
func (c *conversation) plain(f wire.TransmissionFlags) { c.hello(); c.enter(f) }

func (c *conversation) fragments(f wire.TransmissionFlags) {
	c.hello()
	c.structured()
	c.enter(f)
}

func meta(export string, queries ...string) string {
	return string(wire.MetaContextRequest{Export: export, Queries: queries}.Append(nil))
}

func (c *conversation) context(o wire.Option, id uint32, name string) {
	c.rep(o, wire.RepMetaContext, string(wire.MetaContext{ID: id, Name: name}.Append(nil)))
}

// contexts selects base:allocation as 7 and qemu:dirty as 8, and enters.
func (c *conversation) contexts(f wire.TransmissionFlags) {
	c.hello()
	c.structured()
	c.opt(wire.OptSetMetaContext, meta("disk", "base:allocation", "qemu:dirty"))
	c.context(wire.OptSetMetaContext, 7, "base:allocation")
	c.context(wire.OptSetMetaContext, 8, "qemu:dirty")
	c.ack(wire.OptSetMetaContext)
	c.enter(f)
}

func (c *conversation) ask(q wire.Request) {
	b := q.Append(nil)
	if q.Type == wire.CmdWrite {
		b = append(b, make([]byte, q.Length)...)
	}
	c.client(b)
}

func (c *conversation) simple(cookie uint64, e wire.Errno, data int) {
	c.server(append(wire.SimpleReply{Error: e, Cookie: cookie}.Append(nil), make([]byte, data)...))
}

func (c *conversation) chunk(t wire.ChunkType, f wire.ReplyFlags, cookie uint64, payload []byte) {
	c.server(wire.Chunk{Flags: f, Type: t, Cookie: cookie, Payload: payload}.Append(nil))
}

func (c *conversation) none(cookie uint64) { c.chunk(wire.ChunkNone, done, cookie, nil) }

func (c *conversation) data(f wire.ReplyFlags, cookie, offset uint64, n int) {
	c.chunk(wire.ChunkOffsetData, f, cookie, wire.OffsetData{Offset: offset, Data: make([]byte, n)}.Append(nil))
}

func (c *conversation) hole(f wire.ReplyFlags, cookie, offset uint64, n uint32) {
	c.chunk(wire.ChunkOffsetHole, f, cookie, wire.OffsetHole{Offset: offset, Size: n}.Append(nil))
}

func (c *conversation) fails(f wire.ReplyFlags, cookie uint64, e wire.Errno) {
	c.chunk(wire.ChunkError, f, cookie, wire.ErrorChunk{Error: e, Message: "no"}.Append(nil))
}

func (c *conversation) failsAt(f wire.ReplyFlags, cookie uint64, e wire.Errno, offset uint64) {
	c.chunk(wire.ChunkErrorOffset, f, cookie, wire.ErrorOffset(e, "no", offset).Append(nil))
}

func (c *conversation) status(f wire.ReplyFlags, cookie uint64, id uint32, extents ...wire.Extent) {
	c.chunk(wire.ChunkBlockStatus, f, cookie, wire.BlockStatus{ContextID: id, Extents: extents}.Append(nil))
}

func (c *conversation) disc() {
	c.ask(wire.Request{Type: wire.CmdDisc, Cookie: 0xd15c})
	c.serverCloses()
	c.clientCloses()
}

const done = wire.ReplyFlagDone

func read(n uint64) wire.Request  { return wire.Request{Type: wire.CmdRead, Cookie: 1, Length: n} }
func write(n uint64) wire.Request { return wire.Request{Type: wire.CmdWrite, Cookie: 1, Length: n} }
func extent(n, status uint64) wire.Extent {
	return wire.Extent{Length: n, Status: status}
}

// A trip is a conversation that breaks one clause if bad is true, and none if not.
type trip struct {
	name string
	want []string // who breaks what
	talk func(c *conversation, bad bool)
}

func pick[T any](bad bool, yes, no T) T {
	if bad {
		return yes
	}
	return no
}

func verdicts(j *Judge) []string {
	var out []string
	for _, v := range j.Violations() {
		out = append(out, fmt.Sprintf("%s %s", v.Side, v.Clause))
	}
	return out
}

var trips = slices.Concat(handshakeTrips, optionTrips, infoTrips, metaTrips, requestTrips, replyTrips, chunkTrips, readTrips, statusTrips, errorTrips, closeTrips, shutdownTrips, extendedTrips, resizeTrips, initStateTrips, lbaTrips)

func TestEachClause(t *testing.T) {
	for _, trip := range trips {
		t.Run(trip.name, func(t *testing.T) {
			for _, bad := range []bool{true, false} {
				c := &conversation{}
				trip.talk(c, bad)
				want := pick(bad, trip.want, nil)
				whole := c.tell(1 << 30)
				if diff := cmp.Diff(want, verdicts(whole)); diff != "" {
					t.Errorf("bad=%v, (-want +got):\n%s\n%v", bad, diff, whole.Transcript())
				}
				if lost, ok := whole.Lost(); ok && !bad {
					t.Errorf("lost by %q", lost)
				}
				bytes := c.tell(pick(c.size() < 1<<16, 1, 1021))
				if diff := cmp.Diff(whole.Violations(), bytes.Violations()); diff != "" {
					t.Errorf("bad=%v, one byte at a time (-whole +bytes):\n%s", bad, diff)
				}
				if diff := cmp.Diff(whole.Transcript().String(), bytes.Transcript().String()); diff != "" {
					t.Errorf("bad=%v, one byte at a time (-whole +bytes):\n%s", bad, diff)
				}
				if diff := cmp.Diff(whole.Exercised(), bytes.Exercised()); diff != "" {
					t.Errorf("bad=%v, one byte at a time (-whole +bytes):\n%s", bad, diff)
				}
				for _, v := range whole.Violations() {
					if !slices.Contains(whole.Exercised(), v.Clause) {
						t.Errorf("%s is broken and not exercised", v.Clause)
					}
				}
			}
		})
	}
}

func TestEachCheckTrips(t *testing.T) {
	tripped := map[clause.ID]bool{}
	for _, trip := range trips {
		c := &conversation{}
		trip.talk(c, true)
		for _, v := range c.tell(1 << 30).Violations() {
			tripped[v.Clause] = true
		}
	}
	for _, id := range Checks() {
		if !tripped[id] {
			t.Errorf("no test breaks %s", id)
		}
	}
}
