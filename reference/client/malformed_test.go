package client

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"

	"nbdconform/reference/wire"
)

// Information and contexts that can't be, as a server may send them: the
// negotiation ends, and what they announce costs nothing.
func TestMalformedAnswers(t *testing.T) {
	export := wire.ExportInfo{Size: 4096, Flags: allFlags}.Info().Append(nil)
	type answer struct {
		t    wire.ReplyType
		data []byte
	}
	state := func(b ...byte) answer {
		return answer{wire.RepInfo, wire.Info{Type: wire.InfoInitState, Payload: b}.Append(nil)}
	}
	for name, tt := range map[string]struct {
		to   wire.Option
		says []answer
	}{
		"INIT_STATE without flags":       {wire.OptGo, []answer{state()}},
		"INIT_STATE with half its flags": {wire.OptGo, []answer{state(0)}},
		"INIT_STATE with too much":       {wire.OptGo, []answer{state(0, 1, 0)}},
		"INIT_STATE with far too much":   {wire.OptGo, []answer{state(make([]byte, 4096)...)}},
		"information without a type":     {wire.OptGo, []answer{{wire.RepInfo, nil}}},
		"information with half a type":   {wire.OptGo, []answer{{wire.RepInfo, []byte{0}}}},
		"a context without an id":        {wire.OptSetMetaContext, []answer{{wire.RepMetaContext, nil}}},
		"a context with half an id":      {wire.OptSetMetaContext, []answer{{wire.RepMetaContext, []byte{0, 0}}}},
		"a context without a name":       {wire.OptSetMetaContext, []answer{{wire.RepMetaContext, []byte{0, 0, 0, 1}}}},
		"a context without a namespace":  {wire.OptSetMetaContext, []answer{{wire.RepMetaContext, []byte("\x00\x00\x00\x01allocation")}}},
		"a context with a name too long": {wire.OptSetMetaContext, []answer{{wire.RepMetaContext, []byte("\x00\x00\x00\x01x:" + strings.Repeat("x", 4096))}}},
		"a context that is no text":      {wire.OptSetMetaContext, []answer{{wire.RepMetaContext, []byte("\x00\x00\x00\x01x:\x00")}}},
		"STRUCTURED_REPLY with data":     {wire.OptStructuredReply, []answer{{wire.RepAck, []byte{1}}}},
		"EXTENDED_HEADERS with data":     {wire.OptExtendedHeaders, []answer{{wire.RepAck, []byte{1}}}},
		"EXTENDED_HEADERS and a context": {wire.OptExtendedHeaders, []answer{{wire.RepMetaContext, []byte("\x00\x00\x00\x01x:y")}}},
	} {
		t.Run(name, func(t *testing.T) {
			conn := serve(t, func(f *fake) {
				f.greet(wire.FlagFixedNewstyle | wire.FlagNoZeroes)
				for {
					o, err := wire.ReadOptionRequest(f.r, wire.DefaultLimits)
					f.must(err)
					if o.Option == tt.to {
						if o.Option == wire.OptGo {
							f.answer(o.Option, wire.RepInfo, export)
						}
						for _, a := range tt.says {
							f.trySend(wire.OptionReply{Option: o.Option, Type: a.t, Data: a.data}.Append(nil))
						}
						f.trySend(wire.OptionReply{Option: o.Option, Type: wire.RepAck}.Append(nil))
						break
					}
					f.answer(o.Option, wire.RepAck, nil)
				}
				_, _ = f.r.ReadByte() // until it hangs up
			})
			cfg := Config{ExtendedHeaders: tt.to == wire.OptExtendedHeaders, MetaContexts: []string{"x:y"}, Infos: []wire.InfoType{wire.InfoInitState}}
			if c, err := Connect(within10s(t), conn, cfg); err == nil {
				_ = c.Close()
				t.Error("it is taken")
			} else if s, ok := errors.AsType[*SessionError](err); !ok || !s.Violation {
				t.Errorf("got %v, want a violation that ends the session", err)
			}
		})
	}
}

// The length of an extended reply has 64 bits. What it announces costs nothing,
// and ends the session.
func TestEndlessExtendedReplies(t *testing.T) {
	h := structured()
	h.extended = true
	for name, tt := range map[string]struct {
		do     func(context.Context, *Client) error
		header wire.ChunkHeader
		behind []byte
	}{
		"status":             {status4k, wire.ChunkHeader{Type: wire.ChunkBlockStatusExt, Length: 1<<64 - 1}, nil},
		"status, with count": {status4k, wire.ChunkHeader{Type: wire.ChunkBlockStatusExt, Length: 24}, []byte("\x00\x00\x00\x07\xff\xff\xff\xff" + strings.Repeat("\x00", 16))},
		"data":               {read4k, wire.ChunkHeader{Type: wire.ChunkOffsetData, Length: 1<<64 - 1}, make([]byte, 4096)},
		"hole":               {read4k, wire.ChunkHeader{Type: wire.ChunkOffsetHole, Length: 1 << 63}, make([]byte, 12)},
		"none":               {flush, wire.ChunkHeader{Type: wire.ChunkNone, Length: 1 << 40}, nil},
		"an error":           {flush, wire.ChunkHeader{Type: wire.ChunkError, Length: 1<<64 - 1}, []byte{0, 0, 0, 5, 0xff, 0xff}},
		"an unknown error":   {flush, wire.ChunkHeader{Type: 1<<15 + 9, Length: 1 << 62}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			c := enter(t, h, withContexts, func(f *fake) {
				q, _ := f.request()
				tt.header.Cookie, tt.header.Offset, tt.header.Flags = q.Cookie, q.Offset, wire.ReplyFlagDone
				f.trySend(append(tt.header.AppendExtended(nil), tt.behind...))
				_, _ = f.r.ReadByte()
			})
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			err := tt.do(within10s(t), c)
			<-c.Done()
			runtime.ReadMemStats(&after)
			if _, ok := errors.AsType[*SessionError](err); !ok {
				t.Errorf("got %v, want the end of the session", err)
			}
			if n := after.TotalAlloc - before.TotalAlloc; n > 1<<20 {
				t.Errorf("%d bytes", n)
			}
			_ = c.Close()
		})
	}
}
