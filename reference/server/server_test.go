package server

import (
	"bufio"
	"context"
	"io"
	"net"
	"testing"
	"time"

	"go.uber.org/goleak"

	"nbdconform/reference/export"
	"nbdconform/reference/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A peer is the client's end of a connection, with raw messages only.
type peer struct {
	t        *testing.T
	nc       net.Conn
	br       *bufio.Reader
	extended bool // headers were negotiated so
}

// serve starts a server on the loopback; it is closed with the test.
func serve(t testing.TB, cfg Config) (*Server, net.Listener) {
	t.Helper()
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(context.Background(), ln) }()
	t.Cleanup(func() {
		_ = s.Close()
		if err := <-served; err != ErrClosed {
			t.Errorf("Serve returned %v", err)
		}
	})
	return s, ln
}

func dial(t *testing.T, ln net.Listener) *peer {
	t.Helper()
	nc, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	_ = nc.SetDeadline(time.Now().Add(time.Minute))
	t.Cleanup(func() { _ = nc.Close() })
	return &peer{t: t, nc: nc, br: bufio.NewReader(nc)}
}

// greet does the first exchange.
func (p *peer) greet() *peer {
	p.t.Helper()
	g, err := wire.ReadGreeting(p.br)
	if err != nil || g.Flags != wire.FlagFixedNewstyle|wire.FlagNoZeroes {
		p.t.Fatalf("greeting %v, error %v", g, err)
	}
	p.send((wire.FlagCFixedNewstyle | wire.FlagCNoZeroes).Append(nil))
	return p
}

func (p *peer) send(b []byte) {
	p.t.Helper()
	if _, err := p.nc.Write(b); err != nil {
		p.t.Fatal(err)
	}
}

// option sends an option and returns all replies.
func (p *peer) option(o wire.Option, data []byte) (list []wire.OptionReply) {
	p.t.Helper()
	p.send(wire.OptionRequest{Option: o, Data: data}.Append(nil))
	for {
		r, err := wire.ReadOptionReply(p.br, wire.DefaultLimits)
		if err != nil {
			p.t.Fatalf("reading the reply to %v: %v", o, err)
		}
		if err := r.Validate(); err != nil || r.Option != o {
			p.t.Fatalf("reply %v to %v: %v", r, o, err)
		}
		if list = append(list, r); r.Type.IsFinal() {
			return list
		}
	}
}

// want fails unless the replies have these types.
func (p *peer) want(list []wire.OptionReply, types ...wire.ReplyType) {
	p.t.Helper()
	ok := len(list) == len(types)
	for i := 0; ok && i < len(types); i++ {
		ok = list[i].Type == types[i]
	}
	if !ok {
		p.t.Fatalf("got %v, want %v", list, types)
	}
}

// enter negotiates structured replies and base:allocation if asked to, and
// enters the transmission phase of the default export.
func (p *peer) enter(structured bool) *peer {
	p.t.Helper()
	p.greet()
	if structured {
		p.want(p.option(wire.OptStructuredReply, nil), wire.RepAck)
		p.want(p.option(wire.OptSetMetaContext, wire.MetaContextRequest{Queries: []string{"base:allocation"}}.Append(nil)),
			wire.RepMetaContext, wire.RepAck)
	}
	list := p.option(wire.OptGo, wire.InfoRequest{Infos: []wire.InfoType{wire.InfoBlockSize}}.Append(nil))
	if last := list[len(list)-1]; last.Type != wire.RepAck {
		p.t.Fatalf("NBD_OPT_GO: %v", last)
	}
	return p
}

// A reply is what was received for one request.
type reply struct {
	Err    wire.Errno
	Data   []byte
	Types  []wire.ChunkType
	Status [][]wire.Extent
	IDs    []uint32 // of the metadata contexts in Status
}

// do sends a request and reads its reply, however it is made up.
func (p *peer) do(q wire.Request, payload []byte) reply {
	p.t.Helper()
	header := q.Append(nil)
	if p.extended {
		header = q.AppendExtended(nil)
	}
	p.send(append(header, payload...))
	return p.reply(q)
}

func (p *peer) reply(q wire.Request) (r reply) {
	p.t.Helper()
	for {
		h, err := wire.ReadReply(p.br)
		if err != nil {
			p.t.Fatalf("reading the reply to %v: %v", q, err)
		}
		if h.Cookie() != q.Cookie {
			p.t.Fatalf("reply %+v to %v", h, q)
		}
		if p.extended && (h.Magic != wire.ExtendedReply || h.Chunk.Offset != q.Offset) {
			p.t.Fatalf("reply %+v to the extended request %v", h, q)
		}
		if h.Magic == wire.SimpleReplyMagic {
			if r.Err = h.Simple.Error; r.Err == wire.OK && q.Type == wire.CmdRead {
				r.Data = make([]byte, q.Length)
				if _, err := io.ReadFull(p.br, r.Data); err != nil {
					p.t.Fatal(err)
				}
			}
			return r
		}
		c, err := wire.ReadChunkPayload(p.br, h.Chunk, wire.DefaultLimits)
		if err != nil {
			p.t.Fatal(err)
		}
		p.chunk(q, c, &r)
		if c.Flags&wire.ReplyFlagDone != 0 {
			return r
		}
	}
}

func (p *peer) chunk(q wire.Request, c wire.Chunk, r *reply) {
	p.t.Helper()
	var err error
	r.Types = append(r.Types, c.Type)
	switch c.Type {
	case wire.ChunkNone:
	case wire.ChunkOffsetData:
		var d wire.OffsetData
		d, err = wire.ParseOffsetData(c.Payload)
		if r.Data == nil {
			r.Data = make([]byte, q.Length)
		}
		copy(r.Data[d.Offset-q.Offset:], d.Data)
	case wire.ChunkOffsetHole:
		_, err = wire.ParseOffsetHole(c.Payload)
		if r.Data == nil {
			r.Data = make([]byte, q.Length)
		}
	case wire.ChunkBlockStatus:
		var s wire.BlockStatus
		s, err = wire.ParseBlockStatus(c.Payload)
		r.Status = append(r.Status, s.Extents)
		r.IDs = append(r.IDs, s.ContextID)
	case wire.ChunkBlockStatusExt:
		var s wire.BlockStatus
		s, err = wire.ParseBlockStatusExt(c.Payload)
		r.Status = append(r.Status, s.Extents)
		r.IDs = append(r.IDs, s.ContextID)
	default:
		var e wire.ErrorChunk
		e, err = wire.ParseErrorChunk(c.Type, c.Payload)
		r.Err = e.Error
	}
	if err != nil {
		p.t.Fatal(err)
	}
}

// closed fails unless the server closes the connection without another byte.
func (p *peer) closed() {
	p.t.Helper()
	if b, err := io.ReadAll(p.br); err != nil || len(b) > 0 {
		p.t.Fatalf("got % x and %v where the connection should be closed", b, err)
	}
}

func oneExport(size uint64) Config {
	return Config{Exports: []Export{{Name: "disk", Description: "a disk", Disk: export.New(size)}}}
}
