package client

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nbdconform/reference/wire"
)

const fixed = wire.FlagFixedNewstyle | wire.FlagNoZeroes

func TestConnectNegotiatesEverything(t *testing.T) {
	constraints := wire.SizeConstraints{Minimum: 512, Preferred: 4096, MaxPayload: 1 << 20}
	conn := serve(t, func(f *fake) {
		if got := f.greet(fixed | 0x80); got != wire.FlagCFixedNewstyle|wire.FlagCNoZeroes {
			t.Errorf("client flags %v", got)
		}
		f.option(wire.OptStructuredReply)
		f.answer(wire.OptStructuredReply, wire.RepAck, nil)
		o := f.option(wire.OptSetMetaContext)
		m, err := wire.ParseMetaContextRequest(o.Data)
		f.must(err)
		if diff := cmp.Diff(wire.MetaContextRequest{Export: "e", Queries: []string{"base:allocation"}}, m); diff != "" {
			t.Error(diff)
		}
		f.answer(o.Option, wire.RepMetaContext, wire.MetaContext{ID: 3, Name: "base:allocation"}.Append(nil))
		f.answer(o.Option, wire.RepAck, nil)
		o = f.option(wire.OptGo)
		q, err := wire.ParseInfoRequest(o.Data)
		f.must(err)
		if diff := cmp.Diff(wire.InfoRequest{Export: "e", Infos: []wire.InfoType{wire.InfoBlockSize, wire.InfoName}}, q); diff != "" {
			t.Error(diff)
		}
		f.info(o.Option, constraints.Info())
		f.info(o.Option, wire.Info{Type: 77, Payload: []byte("?")})
		f.info(o.Option, wire.Info{Type: wire.InfoName, Payload: []byte("E")})
		f.info(o.Option, wire.ExportInfo{Size: 1 << 20, Flags: allFlags | 1<<14}.Info())
		f.answer(o.Option, wire.RepAck, nil)
		f.disc()
	})
	c, err := Connect(within10s(t), conn, Config{Export: "e", MetaContexts: []string{"base:allocation"}, Infos: []wire.InfoType{wire.InfoName}})
	if err != nil {
		t.Fatal(err)
	}
	want := Export{
		Name: "e", Size: 1 << 20, Flags: allFlags | 1<<14, Constraints: constraints, Advertised: true, Canonical: "E",
		Infos: []wire.Info{
			constraints.Info(),
			{Type: 77, Payload: []byte("?")},
			{Type: wire.InfoName, Payload: []byte("E")},
			wire.ExportInfo{Size: 1 << 20, Flags: allFlags | 1<<14}.Info(),
		},
	}
	if diff := cmp.Diff(want, c.Export()); diff != "" {
		t.Errorf("export (-want +got):\n%s", diff)
	}
	if !c.Structured() || !c.HasContext("base:allocation") || c.HasContext("x-a:b") {
		t.Errorf("structured %t, contexts %v", c.Structured(), c.Contexts())
	}
	if err := c.Disconnect(within10s(t)); err != nil {
		t.Error(err)
	}
	if err := c.Err(); !errors.Is(err, ErrDisconnected) {
		t.Error(err)
	}
}

func TestConnectFallsBack(t *testing.T) {
	for _, tt := range []struct {
		name       string
		flags      wire.HandshakeFlags
		cfg        Config
		zeroes     bool
		haggle     func(f *fake)
		structured bool
	}{
		{name: "not fixed", flags: wire.FlagNoZeroes},
		{name: "not fixed, zeroes", zeroes: true},
		{name: "NO_ZEROES declined", flags: wire.FlagNoZeroes, cfg: Config{Zeroes: true}, zeroes: true},
		{name: "nothing but EXPORT_NAME", flags: fixed, haggle: func(f *fake) {
			f.option(wire.OptStructuredReply)
			f.answer(wire.OptStructuredReply, wire.RepErrUnsup, []byte("what?"))
			f.option(wire.OptGo)
			f.answer(wire.OptGo, wire.RepErrUnsup, nil)
		}},
		{name: "structured replies without GO", flags: fixed, structured: true, haggle: func(f *fake) {
			f.option(wire.OptStructuredReply)
			f.answer(wire.OptStructuredReply, wire.RepAck, nil)
			f.option(wire.OptSetMetaContext)
			f.answer(wire.OptSetMetaContext, wire.RepErrUnsup, nil)
			f.option(wire.OptGo)
			f.answer(wire.OptGo, wire.RepErrUnsup, nil)
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			conn := serve(t, func(f *fake) {
				f.greet(tt.flags)
				if tt.haggle != nil {
					tt.haggle(f)
				}
				o := f.option(wire.OptExportName)
				if string(o.Data) != "e" {
					t.Errorf("export %q", o.Data)
				}
				f.send(wire.ExportNameReply{Size: 4096, Flags: wire.FlagHasFlags, Zeroes: tt.zeroes}.Append(nil))
				q, _ := f.request()
				if tt.structured {
					f.data(q, wire.ReplyFlagDone, q.Offset, pattern(int(q.Length)))
				} else {
					f.simple(q, wire.OK, pattern(int(q.Length))...)
				}
				f.disc()
			})
			tt.cfg.Export, tt.cfg.MetaContexts = "e", []string{"base:allocation"}
			c, err := Connect(within10s(t), conn, tt.cfg)
			if err != nil {
				t.Fatal(err)
			}
			if c.Size() != 4096 || c.Structured() != tt.structured || c.Constraints() != wire.DefaultSizeConstraints {
				t.Errorf("size %d, structured %t, constraints %v", c.Size(), c.Structured(), c.Constraints())
			}
			buf := make([]byte, 512)
			if err := c.ReadAt(within10s(t), buf, 1, 0); err != nil {
				t.Error(err)
			}
			if diff := cmp.Diff(pattern(512), buf); diff != "" {
				t.Error(diff)
			}
			if err := c.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestNegotiationLooksAround(t *testing.T) {
	conn := serve(t, func(f *fake) {
		f.greet(fixed)
		f.option(wire.OptStructuredReply)
		f.answer(wire.OptStructuredReply, wire.RepAck, nil)
		f.option(wire.OptList)
		f.answer(wire.OptList, wire.RepServer, wire.ServerReply{Name: "a", Details: "first"}.Append(nil))
		f.answer(wire.OptList, wire.RepServer, wire.ServerReply{}.Append(nil))
		f.answer(wire.OptList, wire.RepAck, nil)
		f.option(wire.OptList)
		f.answer(wire.OptList, wire.RepErrPolicy, []byte("no"))
		f.option(wire.OptInfo)
		f.info(wire.OptInfo, wire.ExportInfo{Size: 5, Flags: wire.FlagHasFlags}.Info())
		f.answer(wire.OptInfo, wire.RepAck, nil)
		f.option(wire.OptInfo)
		f.answer(wire.OptInfo, 1<<31+99, nil)
		f.option(wire.OptListMetaContext)
		f.answer(wire.OptListMetaContext, wire.RepMetaContext, wire.MetaContext{ID: 5, Name: "x-a:"}.Append(nil))
		f.answer(wire.OptListMetaContext, wire.RepMetaContext, wire.MetaContext{ID: 5, Name: "base:allocation"}.Append(nil))
		f.answer(wire.OptListMetaContext, wire.RepAck, nil)
		f.option(wire.OptListMetaContext)
		f.answer(wire.OptListMetaContext, wire.RepMetaContext, wire.MetaContext{Name: "x-a:"}.Append(nil))
		f.answer(wire.OptListMetaContext, wire.RepErrTooBig, nil)
		f.abort()
	})
	ctx := within10s(t)
	n, err := Negotiate(ctx, conn, Config{})
	if err != nil {
		t.Fatal(err)
	}
	exports, err := n.List(ctx)
	if diff := cmp.Diff([]wire.ServerReply{{Name: "a", Details: "first"}, {}}, exports); diff != "" || err != nil {
		t.Error(diff, err)
	}
	var refusal *OptionError
	if _, err := n.List(ctx); !errors.As(err, &refusal) || refusal.Type != wire.RepErrPolicy || refusal.Message != "no" {
		t.Errorf("got %v, want a refusal", err)
	}
	if e, err := n.Info(ctx, "e"); err != nil || e.Size != 5 {
		t.Error(e, err)
	}
	if _, err := n.Info(ctx, "e"); !errors.As(err, &refusal) || refusal.Type != 1<<31+99 {
		t.Errorf("got %v, want a refusal of unknown type", err)
	}
	names, err := n.ListMetaContext(ctx, "e")
	if diff := cmp.Diff([]string{"x-a:", "base:allocation"}, names); diff != "" || err != nil {
		t.Error(diff, err)
	}
	if names, err := n.ListMetaContext(ctx, "e", "x-a:"); len(names) > 0 || !errors.As(err, &refusal) {
		t.Errorf("got %v, %v, want a refusal alone", names, err)
	}
	var misuse *UsageError
	if _, err := n.SetMetaContext(ctx, "e", "no namespace"); !errors.As(err, &misuse) {
		t.Errorf("got %v, want a usage error", err)
	}
	if _, err := n.Info(ctx, strings.Repeat("x", 4097)); !errors.As(err, &misuse) {
		t.Errorf("got %v, want a usage error", err)
	}
	if _, err := n.Info(ctx, "", wire.InfoName, wire.InfoName); !errors.As(err, &misuse) {
		t.Errorf("got %v, want a usage error", err)
	}
	if err := n.Abort(ctx); err != nil {
		t.Error(err)
	}
	if _, err := n.List(ctx); !errors.Is(err, ErrDisconnected) {
		t.Errorf("got %v, want %v", err, ErrDisconnected)
	}
}

func TestAbortWithoutReply(t *testing.T) {
	conn := serve(t, func(f *fake) {
		f.greet(fixed)
		f.option(wire.OptAbort)
	})
	n, err := Negotiate(within10s(t), conn, Config{SimpleReplies: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := n.Abort(within10s(t)); err != nil {
		t.Error(err)
	}
}

func TestContextsOfAnotherExportDoNotCount(t *testing.T) {
	conn := serve(t, func(f *fake) { f.enter(structured()); f.disc() })
	n, err := Negotiate(within10s(t), conn, Config{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := n.SetMetaContext(within10s(t), "other", "base:allocation"); err != nil {
		t.Fatal(err)
	}
	c, err := n.Go(within10s(t), "e")
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Contexts()) > 0 {
		t.Errorf("contexts %v", c.Contexts())
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

// A refusal leads to a soft disconnect, and so does NBD_REP_ERR_SHUTDOWN.
func TestConnectRefused(t *testing.T) {
	for _, e := range []wire.ReplyType{wire.RepErrUnknown, wire.RepErrTLSReqd, wire.RepErrShutdown, wire.RepErrPolicy, 1<<31 + 1000} {
		t.Run(e.String(), func(t *testing.T) {
			conn := serve(t, func(f *fake) {
				f.greet(fixed)
				f.option(wire.OptGo)
				f.answer(wire.OptGo, e, []byte("sorry"))
				f.abort()
			})
			_, err := Connect(within10s(t), conn, Config{SimpleReplies: true})
			var refusal *OptionError
			if !errors.As(err, &refusal) || refusal.Type != e || refusal.Message != "sorry" {
				t.Errorf("got %v, want a refusal with %v", err, e)
			}
		})
	}
}

func TestHandshakeViolations(t *testing.T) {
	export := wire.ExportInfo{Size: 1, Flags: wire.FlagHasFlags}.Info()
	goWith := func(replies ...wire.OptionReply) func(*fake) {
		return func(f *fake) {
			f.greet(fixed)
			f.option(wire.OptGo)
			for _, p := range replies {
				f.trySend(p.Append(nil))
			}
			f.gone()
		}
	}
	reply := func(t wire.ReplyType, data []byte) wire.OptionReply {
		return wire.OptionReply{Option: wire.OptGo, Type: t, Data: data}
	}
	info := func(i wire.Info) wire.OptionReply { return reply(wire.RepInfo, i.Append(nil)) }
	ack := reply(wire.RepAck, nil)
	blocks := func(s wire.SizeConstraints) func(*fake) { return goWith(info(export), info(s.Info()), ack) }
	for _, tt := range []struct {
		name   string
		script func(f *fake)
		clause string
		text   string
	}{
		{"silence", func(f *fake) {}, "-", "reading the greeting"},
		{"half a greeting", func(f *fake) { f.send(wire.Greeting{}.Append(nil)[:9]) }, "-", "unexpected EOF"},
		{"HTTP", func(f *fake) { f.trySend([]byte("HTTP/1.1 400 Bad Request\r\n\r\n")); f.gone() }, "", "magic"},
		{"oldstyle", func(f *fake) { f.trySend(wire.OldGreeting{Size: 1}.Append(nil)); f.gone() }, "-", "oldstyle"},
		{"hangs up after the flags", func(f *fake) { f.greet(fixed) }, "-", "NBD_OPT_GO"},
		{"hangs up over NBD_OPT_EXPORT_NAME", func(f *fake) { f.greet(0); f.option(wire.OptExportName) }, "-", "NBD_OPT_EXPORT_NAME"},
		{"short answer to NBD_OPT_EXPORT_NAME", func(f *fake) {
			f.greet(0)
			f.option(wire.OptExportName)
			f.send(wire.ExportNameReply{Flags: wire.FlagHasFlags}.Append(nil))
		}, "-", "unexpected EOF"},
		{"NBD_OPT_EXPORT_NAME without HAS_FLAGS", func(f *fake) {
			f.greet(wire.FlagNoZeroes)
			f.option(wire.OptExportName)
			f.send(wire.ExportNameReply{}.Append(nil))
			f.gone()
		}, "flag.transmission.has-flags", ""},
		{"bad reply magic", func(f *fake) { f.greet(fixed); f.option(wire.OptGo); f.trySend(make([]byte, 20)); f.gone() }, "", "magic"},
		{"reply to another option", goWith(wire.OptionReply{Option: wire.OptInfo, Type: wire.RepAck}), "", "NBD_OPT_INFO"},
		{"unexpected reply type", goWith(reply(wire.RepServer, wire.ServerReply{}.Append(nil))), "", "none of them"},
		{"unknown reply type", goWith(reply(99, nil)), "", "none of them"},
		{"acknowledgement with data", goWith(reply(wire.RepAck, []byte{1})), "layout.rep.ack", ""},
		{"reply too long", goWith(wire.OptionReply{Option: wire.OptGo, Type: wire.RepInfo, Data: make([]byte, 2<<20)}), "-", "the limit is"},
		{"no NBD_INFO_EXPORT", goWith(ack), "opt.info.export-before-ack", ""},
		{"NBD_INFO_EXPORT of wrong length", goWith(reply(wire.RepInfo, make([]byte, 11))), "rep.info-export.length", ""},
		{"no HAS_FLAGS", goWith(info(wire.ExportInfo{}.Info()), ack), "flag.transmission.has-flags", ""},
		{"SEND_DF without structured replies", goWith(info(wire.ExportInfo{Flags: wire.FlagHasFlags | wire.FlagSendDF}.Info()), ack), "flag.transmission.send-df.structured", ""},
		{"minimum no power of 2", blocks(wire.SizeConstraints{Minimum: 3, Preferred: 4096, MaxPayload: 4096}), "size.minimum.power-of-2", ""},
		{"minimum 0", blocks(wire.SizeConstraints{Minimum: 0, Preferred: 4096, MaxPayload: 4096}), "size.minimum.power-of-2", ""},
		{"preferred below minimum", blocks(wire.SizeConstraints{Minimum: 8192, Preferred: 4096, MaxPayload: 1 << 20}), "size.preferred.min", ""},
		{"maximum below preferred", blocks(wire.SizeConstraints{Minimum: 1, Preferred: 4096, MaxPayload: 512}), "size.max-payload.preferred", ""},
		{"block sizes wanted although asked for", goWith(reply(wire.RepErrBlockSizeReqd, nil)), "opt.info.block-size-reqd.requested", ""},
		{"error text with a NUL", goWith(reply(wire.RepErrUnknown, []byte("a\x00"))), "string.no-nul.server", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Connect(within10s(t), serve(t, tt.script), Config{SimpleReplies: true})
			var s *SessionError
			if !errors.As(err, &s) {
				t.Fatalf("got %v, want a session error", err)
			}
			if s.Violation != (tt.clause != "-") {
				t.Errorf("violation %t of %q: %v", s.Violation, s.Clause, err)
			}
			if tt.clause != "-" && tt.clause != "" && s.Clause != tt.clause {
				t.Errorf("got clause %q (%v), want %q", s.Clause, err, tt.clause)
			}
			if !strings.Contains(err.Error(), tt.text) {
				t.Errorf("got %q, want %q in it", err, tt.text)
			}
		})
	}
}

func TestSelectedContextsHaveToBeUnique(t *testing.T) {
	for clause, second := range map[string]wire.MetaContext{
		"opt.set-meta.unique-ids": {ID: 7, Name: "x-a:b"},
		"opt.set-meta.reply":      {ID: 8, Name: "base:allocation"},
	} {
		h := structured()
		h.contexts[1] = second
		conn := serve(t, func(f *fake) {
			f.greet(fixed)
			f.option(wire.OptStructuredReply)
			f.answer(wire.OptStructuredReply, wire.RepAck, nil)
			f.option(wire.OptSetMetaContext)
			for _, m := range h.contexts {
				f.answer(wire.OptSetMetaContext, wire.RepMetaContext, m.Append(nil))
			}
			f.answer(wire.OptSetMetaContext, wire.RepAck, nil)
			f.gone()
		})
		_, err := Connect(within10s(t), conn, withContexts)
		sessionOver(t, err, clause)
	}
}

func TestRepliesWithoutEnd(t *testing.T) {
	conn := serve(t, func(f *fake) {
		f.greet(fixed)
		f.option(wire.OptList)
		b := wire.OptionReply{Option: wire.OptList, Type: wire.RepServer, Data: wire.ServerReply{Name: "x"}.Append(nil)}.Append(nil)
		for {
			if _, err := f.conn.Write(b); err != nil {
				return
			}
		}
	})
	n, err := Negotiate(within10s(t), conn, Config{SimpleReplies: true})
	if err != nil {
		t.Fatal(err)
	}
	_, err = n.List(within10s(t))
	sessionOver(t, err, "-")
}

func TestNegotiationContextEnds(t *testing.T) {
	for step := range 4 {
		t.Run(fmt.Sprint("before step ", step), func(t *testing.T) {
			conn := serve(t, func(f *fake) {
				if step == 0 {
					f.gone()
					return
				}
				f.greet(fixed)
				f.option(wire.OptStructuredReply)
				if step == 1 {
					f.gone()
					return
				}
				f.answer(wire.OptStructuredReply, wire.RepAck, nil)
				f.option(wire.OptGo)
				if step == 3 {
					f.send(wire.OptionReply{Option: wire.OptGo, Type: wire.RepInfo, Data: make([]byte, 12)}.Append(nil)[:21])
				}
				f.gone()
			})
			ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
			defer cancel()
			_, err := Connect(ctx, conn, Config{})
			if sessionOver(t, err, "-"); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v, want %v in it", err, context.DeadlineExceeded)
			}
		})
	}
}
