package serverquirk

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"nbdconform/reference/export"
	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// elsewhere are allowed quirks of what this server has not got, or that show in
// time alone, or not at all; see late_test.go for some of them.
var elsewhere = []string{"slow", "dribble", InitStateMore.Name, LBAErrorJunk.Name, FUADropped.Name, CacheLazy.Name}

// TestAllowedQuirksShow talks to a good server and to one with each quirk that
// the document allows, and looks for a difference in what comes back: nothing
// else would notice one that does nothing. That the others show is what the
// kill matrix is about.
func TestAllowedQuirksShow(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes a while")
	}
	var good []string
	battery(t, Quirk{}, func(answer string) bool {
		good = append(good, answer)
		return true
	})
	for _, q := range All() {
		if !q.Allowed || slices.Contains(elsewhere, q.Name) || q.Profile != "" {
			continue
		}
		t.Run(q.Name, func(t *testing.T) {
			t.Parallel()
			n, differs := 0, false
			battery(t, q, func(answer string) bool {
				differs = answer != good[n]
				n++
				return !differs
			})
			if !differs {
				t.Error("nothing is different")
			}
		})
	}
}

func cat(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

func opt(o wire.Option, data []byte) []byte {
	return wire.OptionRequest{Option: o, Data: data}.Append(nil)
}

func info(o wire.Option, name string, infos ...wire.InfoType) []byte {
	return opt(o, wire.InfoRequest{Export: name, Infos: infos}.Append(nil))
}

func queries(o wire.Option, q ...string) []byte {
	return opt(o, wire.MetaContextRequest{Queries: q}.Append(nil))
}

// conversations are what a client says on one connection each.
func conversations() (list [][]byte) {
	start := (wire.FlagCFixedNewstyle | wire.FlagCNoZeroes).Append(nil)
	abort := opt(wire.OptAbort, nil)
	structured := opt(wire.OptStructuredReply, nil)
	both := queries(wire.OptSetMetaContext, export.BaseAllocation, export.Depth)
	enter := info(wire.OptGo, "", wire.InfoBlockSize)
	disc := wire.Request{Type: wire.CmdDisc, Cookie: 1 << 40}.Append(nil)
	bad := opt(wire.OptListMetaContext, []byte{0, 0, 0, 9, 0, 0, 0, 0})
	badSet := opt(wire.OptSetMetaContext, []byte{0, 0, 0, 9, 0, 0, 0, 0})
	list = append(list,
		wire.ClientFlags(1<<8).Append(nil),
		cat(wire.ClientFlags(0).Append(nil), opt(wire.OptExportName, nil), disc),
		cat(start, opt(wire.OptExportName, nil), disc),
		cat(start, opt(wire.OptExportName, []byte("nowhere")), disc),
		cat(start, opt(wire.OptList, nil), opt(wire.OptList, []byte("x")), opt(99, nil), opt(99, []byte("abc")), abort),
		cat(start, opt(wire.OptAbort, []byte("x"))),
		cat(start, bytes.Repeat(opt(99, nil), 40), abort),
		cat(start, opt(wire.OptStructuredReply, []byte("x")), opt(wire.OptStartTLS, nil), both, abort),
		cat(start, info(wire.OptInfo, "", 0, 1, 2, 3), info(wire.OptInfo, "", 77), info(wire.OptInfo, "nowhere"),
			info(wire.OptInfo, string(bytes.Repeat([]byte("x"), 300))), abort),
		cat(start, structured, info(wire.OptInfo, "", 3), info(wire.OptGo, ""), disc),
		cat(start, structured, queries(wire.OptListMetaContext), queries(wire.OptListMetaContext, "base:"),
			queries(wire.OptListMetaContext, export.BaseAllocation), queries(wire.OptListMetaContext, "acme:x"),
			queries(wire.OptListMetaContext, "base:nothing"), bad, badSet,
			queries(wire.OptSetMetaContext, "base:"), queries(wire.OptSetMetaContext, "base:nothing"),
			queries(wire.OptSetMetaContext, "acme:x"), queries(wire.OptSetMetaContext, "x-nbdconform:"),
			queries(wire.OptSetMetaContext), both, abort),
	)
	other := opt(wire.OptSetMetaContext, wire.MetaContextRequest{Export: "disk", Queries: []string{export.BaseAllocation}}.Append(nil))
	status := wire.Request{Type: wire.CmdBlockStatus, Length: 4096}.Append(nil)
	list = append(list,
		cat(start, structured, other, enter, status, disc),
		cat(start, info(wire.OptInfo, ""), opt(wire.OptList, nil), info(wire.OptGo, ""), disc),
		cat(start, structured, queries(wire.OptSetMetaContext, export.BaseAllocation, export.Depth, "acme:x"), abort),
		cat(start, structured, both, queries(wire.OptSetMetaContext), enter, status, disc),
		cat(start, structured, queries(wire.OptListMetaContext), enter, status, disc),
		cat(start, structured, both, opt(wire.OptExportName, nil), status, disc),
		cat(start, structured, both, enter, wire.Request{Type: wire.CmdBlockStatus, Offset: 1 << 32, Length: 4096}.Append(nil), disc),
		cat(start, structured, queries(wire.OptListMetaContext, "acme:"+strings.Repeat("x", 300)),
			queries(wire.OptSetMetaContext, export.BaseAllocation, export.BaseAllocation),
			queries(wire.OptSetMetaContext, "base:alloc"), queries(wire.OptSetMetaContext, export.BaseAllocation+"\x00"), abort))
	for _, haggle := range [][]byte{nil, cat(structured, both)} {
		list = append(list, cat(start, haggle, enter, ordinary(), disc), cat(start, haggle, enter, changes(), disc))
		for _, q := range unusual() {
			payload := make([]byte, q.PayloadLength(false))
			after := wire.Request{Type: wire.CmdRead, Cookie: 9, Length: 4096}.Append(nil)
			list = append(list, cat(start, haggle, enter, q.Append(nil), payload, after, disc))
		}
	}
	return append(list, extendedConversations(start, enter)...)
}

// extendedConversations are those with extended headers.
func extendedConversations(start, enter []byte) (list [][]byte) {
	abort, structured, extended := opt(wire.OptAbort, nil), opt(wire.OptStructuredReply, nil), opt(wire.OptExtendedHeaders, nil)
	both := queries(wire.OptSetMetaContext, export.BaseAllocation, export.Depth)
	ask := func(q wire.Request, payload ...byte) []byte { return append(q.AppendExtended(nil), payload...) }
	disc := ask(wire.Request{Type: wire.CmdDisc, Cookie: 1 << 40})
	read := ask(wire.Request{Type: wire.CmdRead, Cookie: 9, Offset: 4096, Length: 4096})
	list = append(list,
		cat(start, opt(wire.OptExtendedHeaders, []byte("x")), abort),
		cat(start, structured, extended, enter, read, disc),
		cat(start, extended, info(wire.OptGo, ""), read, disc),
		cat(start, extended, structured, enter, read, disc),
		cat(start, extended, both, queries(wire.OptListMetaContext), info(wire.OptInfo, "", 3), enter, disc),
	)
	filter := func(n uint64, ids ...uint32) []byte { return wire.StatusFilter{Length: n, ContextIDs: ids}.Append(nil) }
	const announced = wire.CmdFlagPayloadLen
	for _, c := range []struct {
		q       wire.Request
		payload []byte
	}{
		{wire.Request{Type: wire.CmdWrite, Flags: announced, Offset: 4096, Length: 512}, make([]byte, 512)},
		{wire.Request{Type: wire.CmdRead, Offset: 4096, Length: 65536}, nil},
		{wire.Request{Type: wire.CmdRead, Offset: 1 << 40, Length: 4096}, nil},
		{wire.Request{Type: wire.CmdRead, Flags: announced, Length: 512}, make([]byte, 512)},
		{wire.Request{Type: wire.CmdTrim, Length: 1 << 32}, nil},
		{wire.Request{Type: wire.CmdBlockStatus, Offset: 4096, Length: 65536}, nil},
		{wire.Request{Type: wire.CmdBlockStatus, Flags: announced, Length: 12}, filter(4096, 1)},
		{wire.Request{Type: wire.CmdBlockStatus, Flags: announced | wire.CmdFlagReqOne, Length: 12}, filter(4096, 1)},
		{wire.Request{Type: wire.CmdBlockStatus, Flags: announced, Length: 16}, filter(4096, 1, 7)},
		{wire.Request{Type: wire.CmdBlockStatus, Flags: announced, Length: 16}, filter(4096, 1, 1)},
		{wire.Request{Type: wire.CmdBlockStatus, Flags: announced, Length: 12}, filter(1<<40, 1)},
	} {
		for _, contexts := range [][]byte{nil, both} {
			list = append(list, cat(start, extended, contexts, enter, ask(c.q, c.payload...), read, disc))
		}
	}
	return list
}

// ordinary is what every client may ask for.
func ordinary() (b []byte) {
	for i, q := range []wire.Request{
		{Type: wire.CmdWrite, Offset: 4096, Length: 8192},
		{Type: wire.CmdRead, Length: 16384},
		{Type: wire.CmdRead, Length: 16384, Flags: wire.CmdFlagDF},
		{Type: wire.CmdRead, Length: 128 << 10, Flags: wire.CmdFlagDF},
		{Type: wire.CmdRead, Length: 4096, Offset: 4096, Flags: wire.CmdFlagFUA},
		{Type: wire.CmdBlockStatus, Length: 1 << 20},
		{Type: wire.CmdBlockStatus, Length: 1 << 20, Flags: wire.CmdFlagReqOne},
		{Type: wire.CmdWrite, Offset: 32768, Length: 4096, Flags: wire.CmdFlagFUA},
		{Type: wire.CmdWriteZeroes, Offset: 4096, Length: 4096},
		{Type: wire.CmdWriteZeroes, Offset: 32768, Length: 4096, Flags: wire.CmdFlagNoHole},
		{Type: wire.CmdWriteZeroes, Offset: 65536, Length: 128 << 10, Flags: wire.CmdFlagFastZero},
		{Type: wire.CmdWriteZeroes, Offset: 65536, Length: 4096, Flags: wire.CmdFlagFastZero | wire.CmdFlagNoHole},
		{Type: wire.CmdCache, Offset: 8192, Length: 4096},
		{Type: wire.CmdRead, Length: 64 << 10},
		{Type: wire.CmdBlockStatus, Length: 1 << 20},
		{Type: wire.CmdFlush},
		{Type: wire.CmdTrim, Offset: 4096, Length: 4096},
		{Type: wire.CmdBlockStatus, Length: 1 << 30},
	} {
		q.Cookie = 1<<33 + uint64(i)
		b = q.Append(b)
		b = append(b, bytes.Repeat([]byte("a\xff"), int(q.PayloadLength(false)/2))...)
	}
	return b
}

// changes are writes and zeroes within blocks, at high offsets and many of
// them, with reads in between.
func changes() (b []byte) {
	const high = 1<<22 + 8192
	list := []wire.Request{
		{Type: wire.CmdWrite, Offset: high, Length: 8192},
		{Type: wire.CmdRead, Offset: high, Length: 8192},
		{Type: wire.CmdWrite, Offset: high + 700, Length: 100},
		{Type: wire.CmdRead, Offset: high, Length: 8192},
		{Type: wire.CmdWriteZeroes, Offset: high + 200, Length: 100},
		{Type: wire.CmdRead, Offset: high, Length: 8192},
		{Type: wire.CmdTrim, Offset: high + 4096, Length: 512},
		{Type: wire.CmdRead, Offset: high, Length: 8192},
	}
	for at := uint64(0); at < 20*512; at += 512 {
		list = append(list, wire.Request{Type: wire.CmdWrite, Offset: at, Length: 512})
	}
	list = append(list, wire.Request{Type: wire.CmdRead, Length: 20 * 512})
	magic := wire.Request{}.Append([]byte("before "))
	for i, q := range list {
		q.Cookie = 1<<34 + uint64(i)
		n := int(q.PayloadLength(false))
		b = append(q.Append(b), bytes.Repeat(append(magic, byte(i)), n/len(magic)+1)[:n]...)
	}
	return b
}

// unusual is what gets an error, each on a connection of its own.
func unusual() []wire.Request {
	const end = 1 << 30
	list := []wire.Request{
		{Type: wire.CmdRead, Flags: 1 << 12, Length: 4096},
		{Type: wire.CmdRead, Flags: wire.CmdFlagReqOne, Length: 4096},
		{Type: wire.CmdWrite, Length: 4 << 20},
		{Type: wire.CmdWrite, Length: 100},
		{Type: wire.CmdTrim, Offset: ^uint64(4095), Length: 8192},
		{Type: wire.CmdTrim, Length: 40 << 20},
		{Type: wire.CmdCache, Flags: 1 << 12, Length: 4096},
		{Type: 77},
		{Type: wire.CmdResize},
		{Type: wire.CmdFlush, Length: 4096},
		{Type: wire.CmdWrite, Offset: end - 512, Length: 4096},
		{Type: wire.CmdRead, Offset: end - 512, Length: 4096},
	}
	for c := range wire.CmdResize {
		if c != wire.CmdDisc && c != wire.CmdFlush {
			list = append(list, wire.Request{Type: c}, wire.Request{Type: c, Offset: end, Length: 4096},
				wire.Request{Type: c, Offset: 512, Length: 512})
		}
	}
	return list
}

// battery has all conversations with a server of each kind, while yield
// returns true for what was answered.
func battery(t *testing.T, q Quirk, yield func(string) bool) {
	small := wire.SizeConstraints{Minimum: 4096, Preferred: 4096, MaxPayload: 1 << 20}
	for i, e := range []server.Export{
		{Name: "disk"},
		{Name: "disk", ReadOnly: true},
		{Name: "disk", Omit: wire.FlagSendFastZero},
		{Name: "disk", Constraints: small, RequireBlockSize: true},
	} {
		e.Disk, e.Description = export.New(1<<30), "a disk"
		cfg := server.Config{Exports: []server.Export{e}}
		q.Apply(&cfg)
		if cfg.ConnHooks == nil && cfg.Hooks.Reply == nil {
			h := *cfg.Hooks
			h.Reply = func(*server.Exchange) {} // keeps the order of replies
			cfg.Hooks = &h
		}
		s, err := server.New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		ln, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
		if err != nil {
			t.Fatal(err)
		}
		more := true
		for j, said := range conversations() {
			if more = yield(fmt.Sprintf("%d/%d: %s", i, j, converse(t, s, ln, said))); !more {
				break
			}
		}
		_ = ln.Close()
		_ = s.Close()
		if !more {
			return
		}
	}
}

// converse says something and returns what is answered, and how it ends.
func converse(t *testing.T, s *server.Server, ln net.Listener, said []byte) string {
	near, err := net.Dial("unix", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	far, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = s.ServeConn(context.Background(), far)
	}()
	go func() { _, _ = near.Write(said) }()
	var heard bytes.Buffer
	_, err = io.Copy(&heard, quiet{near})
	end := "closed"
	if errors.Is(err, os.ErrDeadlineExceeded) {
		end = "open"
	}
	_ = near.Close()
	<-done
	return fmt.Sprintf("%x %s", sha256.Sum256(heard.Bytes()), end)
}

// quiet reads until nothing comes for a while.
type quiet struct{ net.Conn }

func (q quiet) Read(b []byte) (int, error) {
	_ = q.SetReadDeadline(time.Now().Add(250 * time.Millisecond))
	return q.Conn.Read(b)
}
