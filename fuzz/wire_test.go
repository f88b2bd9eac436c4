package fuzz

import (
	"bytes"
	"errors"
	"io"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"nbdconform/fuzz/gen"
	"nbdconform/reference/wire"
)

// A codec appends and parses one type of message.
type codec struct {
	name string
	// roundTrip makes a value and follows it to bytes and back.
	roundTrip func(t testing.TB, g *gen.Gen, kind gen.Kind)
	// encode makes a value and returns its bytes; decode parses any bytes.
	encode func(g *gen.Gen, kind gen.Kind) []byte
	decode func(t testing.TB, b []byte)
}

// framed is the codec of a message that knows its end. fits, if there is one,
// says whether a value survives: some fields are narrower on the wire.
func framed[T any](name string, app func(T, []byte) []byte, parse func([]byte) (T, int, error), fits func(T) bool) codec {
	behind := []byte("what comes next")
	return codec{
		name: name,
		roundTrip: func(t testing.TB, g *gen.Gen, kind gen.Kind) {
			v := gen.Make[T](g, kind)
			b := app(v, nil)
			got, n, err := parse(append(b, behind...))
			if err != nil || n != len(b) {
				t.Fatalf("%v %s %+v: used %d bytes of %d, error %v", kind, name, v, n, len(b), err)
			}
			if fits == nil || fits(v) {
				same(t, name, v, got)
			}
			if again := app(got, nil); !bytes.Equal(again, b) {
				t.Fatalf("%v %s %+v became\n% x\nthen %+v and\n% x", kind, name, v, b, got, again)
			}
		},
		encode: func(g *gen.Gen, kind gen.Kind) []byte { return app(gen.Make[T](g, kind), nil) },
		decode: func(t testing.TB, b []byte) {
			v, n, err := parse(b)
			if err == nil && (n <= 0 || n > len(b) || !bytes.Equal(app(v, nil), b[:n])) {
				t.Fatalf("%s % x parsed as %+v, which is % x", name, b, v, app(v, nil))
			}
			understood(t, name, err)
		},
	}
}

// payload is the codec of a message that ends where its header said. Values
// that do not fit have no encoding at all.
func payload[T any](name string, app func(T, []byte) []byte, parse func([]byte) (T, error), fits func(T) bool) codec {
	return codec{
		name: name,
		roundTrip: func(t testing.TB, g *gen.Gen, kind gen.Kind) {
			v := gen.Make[T](g, kind)
			if fits != nil && !fits(v) {
				return
			}
			got, err := parse(app(v, nil))
			if err != nil {
				t.Fatalf("%v %s %+v: %v", kind, name, v, err)
			}
			same(t, name, v, got)
		},
		encode: func(g *gen.Gen, kind gen.Kind) []byte { return app(gen.Make[T](g, kind), nil) },
		decode: func(t testing.TB, b []byte) {
			v, err := parse(b)
			if err == nil && !bytes.Equal(app(v, nil), b) {
				t.Fatalf("%s % x parsed as %+v, which is % x", name, b, v, app(v, nil))
			}
			understood(t, name, err)
		},
	}
}

func same(t testing.TB, name string, want, got any) {
	t.Helper()
	if reflect.DeepEqual(want, got) {
		return // far cheaper than to look for a difference
	}
	if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" {
		t.Fatalf("%s (-want +got):\n%s", name, d)
	}
}

// understood holds err against the two errors that a parser may return.
func understood(t testing.TB, name string, err error) {
	t.Helper()
	var format *wire.FormatError
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.As(err, &format) {
		t.Fatalf("%s: error %v", name, err)
	}
}

var codecs = []codec{
	framed("greeting", wire.Greeting.Append, wire.ParseGreeting, nil),
	framed("oldstyle greeting", wire.OldGreeting.Append, wire.ParseOldGreeting, nil),
	framed("client flags", wire.ClientFlags.Append, wire.ParseClientFlags, nil),
	framed("export name reply", exportName(false), parseExportName(false), func(e wire.ExportNameReply) bool { return !e.Zeroes }),
	framed("export name reply and zeroes", exportName(true), parseExportName(true), func(e wire.ExportNameReply) bool { return e.Zeroes }),
	framed("option header", wire.OptionHeader.Append, wire.ParseOptionHeader, nil),
	framed("option", wire.OptionRequest.Append, wire.ParseOptionRequest, nil),
	payload("information request", wire.InfoRequest.Append, wire.ParseInfoRequest, nil),
	payload("metadata context request", wire.MetaContextRequest.Append, wire.ParseMetaContextRequest, nil),
	framed("option reply header", wire.OptionReplyHeader.Append, wire.ParseOptionReplyHeader, nil),
	framed("option reply", wire.OptionReply.Append, wire.ParseOptionReply, nil),
	payload("export in a list", wire.ServerReply.Append, wire.ParseServerReply, nil),
	payload("metadata context", wire.MetaContext.Append, wire.ParseMetaContext, nil),
	payload("information", wire.Info.Append, wire.ParseInfo, nil),
	payload("export information", appendInfo[wire.ExportInfo], wire.ParseExportInfo, nil),
	payload("size constraints", appendInfo[wire.SizeConstraints], wire.ParseSizeConstraints, nil),
	framed("request", wire.Request.Append, wire.ParseRequest, func(q wire.Request) bool { return q.Length < 1<<32 }),
	framed("extended request", wire.Request.AppendExtended, wire.ParseExtendedRequest, nil),
	payload("block status filter", wire.StatusFilter.Append, wire.ParseStatusFilter, nil),
	framed("simple reply", wire.SimpleReply.Append, wire.ParseSimpleReply, nil),
	framed("chunk header", wire.ChunkHeader.Append, wire.ParseChunkHeader,
		func(h wire.ChunkHeader) bool { return h.Offset == 0 && h.Length < 1<<32 }),
	framed("extended chunk header", wire.ChunkHeader.AppendExtended, wire.ParseExtendedChunkHeader, nil),
	payload("data", wire.OffsetData.Append, wire.ParseOffsetData, func(d wire.OffsetData) bool { return len(d.Data) > 0 }),
	payload("hole", wire.OffsetHole.Append, wire.ParseOffsetHole, nil),
	payload("block status", wire.BlockStatus.Append, wire.ParseBlockStatus, narrow),
	payload("extended block status", wire.BlockStatus.AppendExtended, wire.ParseBlockStatusExt,
		func(s wire.BlockStatus) bool { return len(s.Extents) > 0 }),
	payload("error chunk", wire.ErrorChunk.Append, parseError(wire.ChunkError), nil),
	payload("error chunk with an offset", wire.ErrorChunk.Append, parseError(wire.ChunkErrorOffset),
		func(e wire.ErrorChunk) bool { return len(e.Rest) >= 8 }),
	payload("error chunk of an unknown type", wire.ErrorChunk.Append, parseError(0xffff), nil),
}

func exportName(zeroes bool) func(wire.ExportNameReply, []byte) []byte {
	return func(e wire.ExportNameReply, b []byte) []byte {
		e.Zeroes = zeroes
		return e.Append(b)
	}
}

func parseExportName(zeroes bool) func([]byte) (wire.ExportNameReply, int, error) {
	return func(b []byte) (wire.ExportNameReply, int, error) { return wire.ParseExportNameReply(b, zeroes) }
}

func parseError(typ wire.ChunkType) func([]byte) (wire.ErrorChunk, error) {
	return func(b []byte) (wire.ErrorChunk, error) { return wire.ParseErrorChunk(typ, b) }
}

func appendInfo[T interface{ Info() wire.Info }](v T, b []byte) []byte {
	return append(b, v.Info().Payload...)
}

// narrow says whether all numbers fit into the 32 bits of the older block status.
func narrow(s wire.BlockStatus) bool {
	for _, e := range s.Extents {
		if e.Length|e.Status >= 1<<32 {
			return false
		}
	}
	return len(s.Extents) > 0
}

// addSeeds gives the fuzzer one seed for each codec and kind.
func addSeeds(f *testing.F) {
	for i := range codecs {
		for kind := range uint8(3) {
			f.Add([]byte("seed"), uint8(i), kind)
			f.Add(bytes.Repeat([]byte{0xff, 0, 0x80, 0x7f, 0x55}, 100), uint8(i), kind)
		}
	}
}

// FuzzRoundTrip makes values and holds them against what their bytes parse as.
func FuzzRoundTrip(f *testing.F) {
	addSeeds(f)
	f.Fuzz(func(t *testing.T, seed []byte, which, kind uint8) {
		codecs[int(which)%len(codecs)].roundTrip(t, gen.FromBytes(seed), gen.KindOf(kind))
	})
}

// FuzzDamaged makes messages, damages them and holds whatever still parses
// against its bytes.
func FuzzDamaged(f *testing.F) {
	addSeeds(f)
	f.Fuzz(func(t *testing.T, seed []byte, which, kind uint8) {
		c, g := codecs[int(which)%len(codecs)], gen.FromBytes(seed)
		c.decode(t, g.Corrupt(c.encode(g, gen.KindOf(kind))))
	})
}

// Runs with every go test, where the targets above have their seeds alone.
func TestManyValuesSurviveTheRoundTrip(t *testing.T) {
	for _, c := range codecs {
		t.Run(c.name, func(t *testing.T) {
			for seed := range int64(50) {
				for kind := range uint8(3) {
					g := gen.New(seed)
					c.roundTrip(t, g, gen.KindOf(kind))
					c.decode(t, g.Corrupt(c.encode(g, gen.KindOf(kind))))
				}
			}
		})
	}
}

// BenchmarkParse measures one execution of each of the two targets above: a
// message that is made, damaged, and parsed.
func BenchmarkParse(b *testing.B) {
	n, before := 0, cpu()
	for b.Loop() {
		c, g := codecs[n%len(codecs)], gen.New(int64(n))
		kind := gen.KindOf(uint8(n % 3))
		c.roundTrip(b, g, kind)
		c.decode(b, g.Corrupt(c.encode(g, kind)))
		n++
	}
	perCPU(b, before, "executions")
}
