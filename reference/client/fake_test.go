package client

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"runtime"
	"testing"
	"time"

	"go.uber.org/goleak"

	"nbdconform/reference/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A fake is a server that does what a test tells it, message by message. Its
// methods end the script if the client does not play along.
type fake struct {
	t    testing.TB
	conn net.Conn
	r    *bufio.Reader

	extended bool // headers were negotiated so
}

// serve runs script at the other end of the connection that it returns, and
// hangs up when the script is at its end.
func serve(t testing.TB, script func(f *fake)) net.Conn {
	t.Helper()
	near, far := net.Pipe()
	serveOn(t, far, script)
	return near
}

func serveOn(t testing.TB, conn net.Conn, script func(f *fake)) {
	done := make(chan struct{})
	t.Cleanup(func() {
		select {
		case <-done:
		case <-time.After(20 * time.Second):
			t.Error("the fake server hangs")
			_ = conn.Close()
			<-done
		}
	})
	go func() {
		defer close(done)
		defer func() { _ = conn.Close() }()
		script(&fake{t: t, conn: conn, r: bufio.NewReader(conn)})
	}()
}

func (f *fake) must(err error) {
	if err != nil {
		f.t.Errorf("fake server: %v", err)
		runtime.Goexit()
	}
}

func (f *fake) send(b []byte) {
	_, err := f.conn.Write(b)
	f.must(err)
}

// trySend sends to a client that may have hung up for good reason.
func (f *fake) trySend(b []byte) { _, _ = f.conn.Write(b) }

func (f *fake) greet(flags wire.HandshakeFlags) wire.ClientFlags {
	f.send(wire.Greeting{Flags: flags}.Append(nil))
	got, err := wire.ReadClientFlags(f.r)
	f.must(err)
	return got
}

func (f *fake) option(want wire.Option) wire.OptionRequest {
	o, err := wire.ReadOptionRequest(f.r, wire.DefaultLimits)
	f.must(err)
	if o.Option != want {
		f.t.Errorf("fake server: %v comes where %v is due", o.Option, want)
		runtime.Goexit()
	}
	return o
}

func (f *fake) answer(o wire.Option, t wire.ReplyType, data []byte) {
	f.send(wire.OptionReply{Option: o, Type: t, Data: data}.Append(nil))
}

func (f *fake) info(o wire.Option, i wire.Info) { f.answer(o, wire.RepInfo, i.Append(nil)) }

// abort expects a soft disconnect in option haggling.
func (f *fake) abort() {
	f.option(wire.OptAbort)
	f.answer(wire.OptAbort, wire.RepAck, nil)
	f.gone()
}

func (f *fake) request() (wire.Request, []byte) {
	parse := wire.ReadRequest
	if f.extended {
		parse = wire.ReadExtendedRequest
	}
	q, err := parse(f.r)
	f.must(err)
	p, err := wire.ReadPayload(f.r, q.PayloadLength(f.extended), wire.DefaultLimits)
	f.must(err)
	return q, p
}

func (f *fake) simple(q wire.Request, e wire.Errno, data ...byte) {
	f.send(append(wire.SimpleReply{Error: e, Cookie: q.Cookie}.Append(nil), data...))
}

func (f *fake) chunk(q wire.Request, flags wire.ReplyFlags, t wire.ChunkType, payload []byte) {
	c := wire.Chunk{Flags: flags, Type: t, Cookie: q.Cookie, Payload: payload}
	if f.extended {
		c.Offset = q.Offset
		f.send(c.AppendExtended(nil))
		return
	}
	f.send(c.Append(nil))
}

func (f *fake) extents(q wire.Request, flags wire.ReplyFlags, id uint32, e ...wire.Extent) {
	f.chunk(q, flags, wire.ChunkBlockStatusExt, wire.BlockStatus{ContextID: id, Extents: e}.AppendExtended(nil))
}

func (f *fake) data(q wire.Request, flags wire.ReplyFlags, offset uint64, data []byte) {
	f.chunk(q, flags, wire.ChunkOffsetData, wire.OffsetData{Offset: offset, Data: data}.Append(nil))
}

func (f *fake) hole(q wire.Request, flags wire.ReplyFlags, offset uint64, size uint32) {
	f.chunk(q, flags, wire.ChunkOffsetHole, wire.OffsetHole{Offset: offset, Size: size}.Append(nil))
}

// gone expects that the client closes the connection without another byte.
func (f *fake) gone() {
	b, err := f.r.ReadByte()
	if !errors.Is(err, io.EOF) {
		f.t.Errorf("fake server: the client should have hung up, it sent %#x, %v", b, err)
	}
}

// disc expects a soft disconnect in transmission.
func (f *fake) disc() {
	q, _ := f.request()
	if q.Type != wire.CmdDisc {
		f.t.Errorf("fake server: %v comes where NBD_CMD_DISC is due", q)
	}
	_ = f.conn.Close()
}

// A hello is what a fake offers in a handshake.
type hello struct {
	simple      bool // no structured replies
	extended    bool // extended headers
	size        uint64
	flags       wire.TransmissionFlags
	constraints wire.SizeConstraints
	contexts    []wire.MetaContext
}

const allFlags = wire.FlagHasFlags | wire.FlagSendFlush | wire.FlagSendFUA | wire.FlagSendTrim |
	wire.FlagSendWriteZeroes | wire.FlagSendCache | wire.FlagSendFastZero

// enter does a whole handshake with NBD_OPT_GO.
func (f *fake) enter(h hello) {
	f.greet(wire.FlagFixedNewstyle | wire.FlagNoZeroes)
	for {
		o, err := wire.ReadOptionRequest(f.r, wire.DefaultLimits)
		f.must(err)
		switch {
		case o.Option == wire.OptStructuredReply && !h.simple:
			f.answer(o.Option, wire.RepAck, nil)
		case o.Option == wire.OptExtendedHeaders && h.extended:
			f.extended = true
			f.answer(o.Option, wire.RepAck, nil)
		case o.Option == wire.OptSetMetaContext && !h.simple:
			for _, m := range h.contexts {
				f.answer(o.Option, wire.RepMetaContext, m.Append(nil))
			}
			f.answer(o.Option, wire.RepAck, nil)
		case o.Option == wire.OptGo:
			f.info(o.Option, wire.ExportInfo{Size: h.size, Flags: h.flags}.Info())
			if h.constraints.Minimum != 0 {
				f.info(o.Option, h.constraints.Info())
			}
			f.answer(o.Option, wire.RepAck, nil)
			return
		default:
			f.answer(o.Option, wire.RepErrUnsup, nil)
		}
	}
}

// structured and simple are hellos that most tests can do with.
func structured() hello {
	return hello{size: 1 << 30, flags: allFlags | wire.FlagSendDF, contexts: []wire.MetaContext{{ID: 7, Name: "base:allocation"}, {ID: 9, Name: "x-a:b"}}}
}

func simple() hello { return hello{simple: true, size: 1 << 30, flags: allFlags} }

var withContexts = Config{MetaContexts: []string{"base:allocation", "x-a:b"}, Grace: time.Second}

// enter connects to a fake that has h on offer and goes on with script.
func enter(t testing.TB, h hello, cfg Config, script func(f *fake)) *Client {
	t.Helper()
	conn := serve(t, func(f *fake) {
		f.enter(h)
		script(f)
	})
	c, err := Connect(within10s(t), conn, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// within10s is a context for what takes no time at all if it works.
func within10s(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// sessionOver requires err to be a session error, about a violation of clause unless that is "-".
func sessionOver(t testing.TB, err error, clause string) {
	t.Helper()
	var s *SessionError
	if !errors.As(err, &s) {
		t.Fatalf("got %v, want a session error", err)
	}
	if s.Violation != (clause != "-") || s.Clause != clause && clause != "-" {
		t.Errorf("got violation %t of clause %q (%v), want clause %q", s.Violation, s.Clause, err, clause)
	}
}

func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*7 + i>>8 + 1)
	}
	return b
}
