package server

import (
	"bytes"
	"context"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"nbdconform/reference/export"
	"nbdconform/reference/starttls/pki"
	"nbdconform/reference/wire"
)

func TestOptions(t *testing.T) {
	cfg := oneExport(1 << 20)
	cfg.Exports = append(cfg.Exports, Export{
		Name: "strict", Disk: export.New(1 << 20), RequireBlockSize: true,
		Constraints: wire.SizeConstraints{Minimum: 512, Preferred: 4096, MaxPayload: 1 << 20},
	})
	_, ln := serve(t, cfg)
	meta := func(export string, q ...string) []byte {
		return wire.MetaContextRequest{Export: export, Queries: q}.Append(nil)
	}
	info := func(name string, i ...wire.InfoType) []byte {
		return wire.InfoRequest{Export: name, Infos: i}.Append(nil)
	}
	p := dial(t, ln).greet()
	for _, c := range []struct {
		name   string
		option wire.Option
		data   []byte
		want   []wire.ReplyType
	}{
		{"list", wire.OptList, nil, []wire.ReplyType{wire.RepServer, wire.RepServer, wire.RepAck}},
		{"list with data", wire.OptList, []byte("x"), []wire.ReplyType{wire.RepErrInvalid}},
		{"list with very much data", wire.OptList, make([]byte, 1<<20), []wire.ReplyType{wire.RepErrInvalid}},
		{"info with very much data", wire.OptInfo, make([]byte, 1<<20), []wire.ReplyType{wire.RepErrTooBig}},
		{"unknown with very much data", 99, make([]byte, 1<<20), []wire.ReplyType{wire.RepErrUnsup}},
		{"starttls", wire.OptStartTLS, nil, []wire.ReplyType{wire.RepErrUnsup}},
		{"starttls with data", wire.OptStartTLS, []byte("x"), []wire.ReplyType{wire.RepErrInvalid}},
		{"peek export", wire.OptPeekExport, nil, []wire.ReplyType{wire.RepErrUnsup}},
		{"contexts without structured replies", wire.OptSetMetaContext, meta("", "base:allocation"), []wire.ReplyType{wire.RepErrInvalid}},
		{"info", wire.OptInfo, info("disk"), []wire.ReplyType{wire.RepInfo, wire.RepAck}},
		{"info, default export", wire.OptInfo, info(""), []wire.ReplyType{wire.RepInfo, wire.RepInfo, wire.RepAck}},
		{"info, all", wire.OptInfo, info("disk", 1, 2, 3, 0, 99), []wire.ReplyType{wire.RepInfo, wire.RepInfo, wire.RepInfo, wire.RepInfo, wire.RepAck}},
		{"info, nowhere", wire.OptInfo, info("nowhere"), []wire.ReplyType{wire.RepErrUnknown}},
		{"go, nowhere", wire.OptGo, info("nowhere"), []wire.ReplyType{wire.RepErrUnknown}},
		{"info, torn", wire.OptInfo, []byte{0, 0, 0, 200, 'd'}, []wire.ReplyType{wire.RepErrInvalid}},
		{"go without block size", wire.OptGo, info("strict"), []wire.ReplyType{wire.RepInfo, wire.RepErrBlockSizeReqd}},
		{"structured reply with data", wire.OptStructuredReply, []byte("x"), []wire.ReplyType{wire.RepErrInvalid}},
		{"structured reply", wire.OptStructuredReply, nil, []wire.ReplyType{wire.RepAck}},
		{"list contexts", wire.OptListMetaContext, meta(""), []wire.ReplyType{wire.RepMetaContext, wire.RepMetaContext, wire.RepAck}},
		{"list base", wire.OptListMetaContext, meta("", "base:"), []wire.ReplyType{wire.RepMetaContext, wire.RepAck}},
		{"list unknown", wire.OptListMetaContext, meta("", "base:no", "acme:x", "qemu:"), []wire.ReplyType{wire.RepAck}},
		{"list nowhere", wire.OptListMetaContext, meta("nowhere"), []wire.ReplyType{wire.RepErrUnknown}},
		{"list without colon", wire.OptListMetaContext, meta("", "base"), []wire.ReplyType{wire.RepErrInvalid}},
		{"list torn", wire.OptListMetaContext, meta("", "base:")[:10], []wire.ReplyType{wire.RepErrInvalid}},
		{"set wildcard", wire.OptSetMetaContext, meta("", "base:", "x-nbdconform:"), []wire.ReplyType{wire.RepAck}},
		{"set twice the same", wire.OptSetMetaContext, meta("", "base:allocation", "base:allocation"), []wire.ReplyType{wire.RepMetaContext, wire.RepAck}},
		{"set none", wire.OptSetMetaContext, meta(""), []wire.ReplyType{wire.RepAck}},
		{"abort with data", wire.OptAbort, []byte("bye"), []wire.ReplyType{wire.RepAck}},
	} {
		if !t.Run(c.name, func(t *testing.T) { p.want(p.option(c.option, c.data), c.want...) }) {
			return
		}
	}
	p.closed()
}

// The limit of the server is part of what an export advertises.
func TestThePayloadLimitIsAdvertised(t *testing.T) {
	cfg := oneExport(1 << 20)
	cfg.PayloadLimit = 64 << 10
	s, _ := serve(t, cfg)
	if got, want := s.cfg.Exports[0].Constraints, (wire.SizeConstraints{Minimum: 1, Preferred: 4096, MaxPayload: 64 << 10}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	cfg.PayloadLimit = 512
	if _, err := New(cfg); err == nil {
		t.Error("a limit below the preferred block size is taken")
	}
}

// There is no TLS before fixed newstyle negotiation.
func TestOldHandshakesHaveNoTLS(t *testing.T) {
	for _, h := range []Handshake{Newstyle, Oldstyle} {
		cfg := oneExport(1 << 20)
		cfg.Handshake, cfg.TLS = h, TLS{Mode: SelectiveTLS, Server: pki.Shared().Server(false)}
		if _, err := New(cfg); err == nil {
			t.Errorf("handshake %d is taken", h)
		}
	}
}

func TestContextsAreVoidForAnotherName(t *testing.T) {
	_, ln := serve(t, oneExport(1<<20))
	for _, c := range []struct {
		selected [][]byte // data of NBD_OPT_SET_META_CONTEXT
		want     wire.Errno
	}{
		{[][]byte{wire.MetaContextRequest{Queries: []string{"base:allocation"}}.Append(nil)}, wire.OK},
		{[][]byte{wire.MetaContextRequest{Export: "disk", Queries: []string{"base:allocation"}}.Append(nil)}, wire.EINVAL},
		{[][]byte{wire.MetaContextRequest{Queries: []string{"base:allocation"}}.Append(nil), {1, 2, 3}}, wire.EINVAL},
	} {
		p := dial(t, ln).greet()
		p.option(wire.OptStructuredReply, nil)
		for _, data := range c.selected {
			p.option(wire.OptSetMetaContext, data)
		}
		p.option(wire.OptGo, wire.InfoRequest{}.Append(nil))
		if r := p.do(wire.Request{Type: wire.CmdBlockStatus, Length: 4096}, nil); r.Err != c.want {
			t.Errorf("got %v, want %v", r.Err, c.want)
		}
	}
}

func TestExportName(t *testing.T) {
	_, ln := serve(t, oneExport(1<<20))
	for _, flags := range []wire.ClientFlags{0, wire.FlagCNoZeroes} {
		p := dial(t, ln)
		_, _ = wire.ReadGreeting(p.br)
		p.send(flags.Append(nil))
		p.send(wire.OptionRequest{Option: wire.OptExportName, Data: []byte("disk")}.Append(nil))
		r, err := wire.ReadExportNameReply(p.br, flags == 0)
		if err != nil || r.Size != 1<<20 || r.Flags&wire.FlagSendDF != 0 {
			t.Fatalf("%+v: %v", r, err)
		}
		p.do(wire.Request{Type: wire.CmdRead, Length: 512}, nil)
	}
	p := dial(t, ln).greet()
	p.send(wire.OptionRequest{Option: wire.OptExportName, Data: []byte("nowhere")}.Append(nil))
	p.closed()
}

func TestUnknownClientFlagsEndTheSession(t *testing.T) {
	_, ln := serve(t, oneExport(1<<20))
	p := dial(t, ln)
	_, _ = wire.ReadGreeting(p.br)
	p.send(wire.ClientFlags(1 << 5).Append(nil))
	p.closed()
}

func TestEndlessDataEndsTheSession(t *testing.T) {
	_, ln := serve(t, oneExport(1<<20))
	p := dial(t, ln).greet()
	p.send(wire.OptionHeader{Option: 99, Length: 1<<32 - 1}.Append(nil))
	p.closed()
	p = dial(t, ln).enter(true)
	p.send(wire.Request{Type: wire.CmdWrite, Length: 1<<32 - 1}.Append(nil))
	p.closed()
}

func TestHandshakeTimeout(t *testing.T) {
	cfg := oneExport(1 << 20)
	cfg.HandshakeTimeout = 50 * time.Millisecond
	_, ln := serve(t, cfg)
	p := dial(t, ln)
	if b, err := io.ReadAll(p.br); err != nil || len(b) != wire.GreetingSize {
		t.Fatalf("% x, %v", b, err)
	}
	p = dial(t, ln).enter(true)
	time.Sleep(100 * time.Millisecond)
	p.do(wire.Request{Type: wire.CmdFlush}, nil)
}

func TestShutdown(t *testing.T) {
	s, ln := serve(t, oneExport(1<<20))
	negotiating, transmitting, idle := dial(t, ln).greet(), dial(t, ln).enter(true), dial(t, ln).enter(true)
	_ = idle
	negotiating.option(wire.OptList, nil)
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	result := make(chan error)
	go func() { result <- s.Shutdown(ctx) }()
	for !s.stopping.Load() {
		time.Sleep(time.Millisecond)
	}
	negotiating.want(negotiating.option(wire.OptList, nil), wire.RepErrShutdown)
	negotiating.want(negotiating.option(wire.OptAbort, nil), wire.RepAck)
	if r := transmitting.do(wire.Request{Type: wire.CmdRead, Length: 512}, nil); r.Err != wire.ESHUTDOWN {
		t.Errorf("read: %v", r.Err)
	}
	transmitting.send(wire.Request{Type: wire.CmdDisc}.Append(nil))
	transmitting.closed()
	if err := <-result; err != context.DeadlineExceeded { // idle is still there
		t.Errorf("Shutdown returned %v", err)
	}
}

func TestHalfOpenConnectionsAreCheap(t *testing.T) {
	s, err := New(oneExport(1 << 20))
	if err != nil {
		t.Fatal(err)
	}
	const n = 500
	before := footprint()
	var ends []net.Conn
	for range n {
		near, far := net.Pipe()
		ends = append(ends, near)
		go func() { _ = s.ServeConn(context.Background(), far) }()
		if _, err := io.ReadFull(near, make([]byte, wire.GreetingSize)); err != nil {
			t.Fatal(err)
		}
	}
	each := (footprint() - before) / n
	t.Logf("%d bytes each, with both ends of a pipe", each)
	if each > 16<<10 {
		t.Error("too much")
	}
	for _, c := range ends {
		_ = c.Close()
	}
	_ = s.Close()
}

func footprint() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}

// TestBudgetBoundsARead announces more than the budget has at once.
func TestBudgetBounds(t *testing.T) {
	cfg := oneExport(64 << 20)
	cfg.InFlight = 1 << 20
	_, ln := serve(t, cfg)
	p := dial(t, ln).enter(true)
	var b []byte
	for i := range uint64(40) {
		b = wire.Request{Type: wire.CmdRead, Cookie: i, Offset: i << 20, Length: 700 << 10, Flags: wire.CmdFlagDF}.Append(b)
	}
	p.send(wire.Request{Type: wire.CmdDisc}.Append(b))
	all, err := io.ReadAll(p.br)
	if want := 40 * (wire.ChunkSize + 8 + 700<<10); err != nil || len(all) != want {
		t.Fatalf("%d bytes, %v, want %d", len(all), err, want)
	}
}

var clauseID = regexp.MustCompile(`"([a-z0-9-]+(?:\.[a-z0-9-]+)+)"`)

// TestClausesExist wants every clause that is enforced to be one.
func TestClausesExist(t *testing.T) {
	files, _ := filepath.Glob("../../conformance/clause/catalogue/*.yaml")
	var ids bytes.Buffer
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		ids.Write(b)
	}
	sources, _ := filepath.Glob("*.go")
	for _, f := range sources {
		if strings.HasSuffix(f, "_test.go") {
			continue
		}
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range clauseID.FindAllSubmatch(b, -1) {
			if !bytes.Contains(ids.Bytes(), []byte("- id: "+string(m[1])+"\n")) {
				t.Errorf("%s names %s, which is not in the catalogue", f, m[1])
			}
		}
	}
}
