package wire_test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"nbdconform/reference/wire"
)

// Each parser has a fuzz target of its name, seeded with the golden texts:
//
//	go test -run '^$' -fuzz '^FuzzParseRequest$' -fuzztime 30s ./reference/wire

func FuzzParseGreeting(f *testing.F) {
	fuzzFramed(f, wire.ParseGreeting, wire.Greeting.Append, wire.ReadGreeting)
}

func FuzzParseOldGreeting(f *testing.F) {
	fuzzFramed(f, wire.ParseOldGreeting, wire.OldGreeting.Append, wire.ReadOldGreeting)
}

func FuzzParseClientFlags(f *testing.F) {
	fuzzFramed(f, wire.ParseClientFlags, wire.ClientFlags.Append, wire.ReadClientFlags)
}

func FuzzParseExportNameReply(f *testing.F) {
	for _, m := range messages() {
		if m.parser == "ParseExportNameReply" {
			f.Add(m.bytes, m.want.(wire.ExportNameReply).Zeroes)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte, zeroes bool) {
		checkFramed(t, b, ParseExportNameReply(zeroes), wire.ExportNameReply.Append, ReadExportNameReply(zeroes))
	})
}

func FuzzParseOptionHeader(f *testing.F) {
	fuzzFramed(f, wire.ParseOptionHeader, wire.OptionHeader.Append, wire.ReadOptionHeader)
}

func FuzzParseOptionRequest(f *testing.F) {
	fuzzFramed(f, wire.ParseOptionRequest, wire.OptionRequest.Append, ReadOptionRequest)
}

func FuzzParseOptionReplyHeader(f *testing.F) {
	fuzzFramed(f, wire.ParseOptionReplyHeader, wire.OptionReplyHeader.Append, wire.ReadOptionReplyHeader)
}

func FuzzParseOptionReply(f *testing.F) {
	fuzzFramed(f, wire.ParseOptionReply, wire.OptionReply.Append, ReadOptionReply)
}

func FuzzParseRequest(f *testing.F) {
	fuzzFramed(f, wire.ParseRequest, wire.Request.Append, wire.ReadRequest)
}

func FuzzParseExtendedRequest(f *testing.F) {
	fuzzFramed(f, wire.ParseExtendedRequest, wire.Request.AppendExtended, wire.ReadExtendedRequest)
}

func FuzzParseSimpleReply(f *testing.F) {
	fuzzFramed(f, wire.ParseSimpleReply, wire.SimpleReply.Append, wire.ReadSimpleReply)
}

func FuzzParseChunkHeader(f *testing.F) {
	fuzzFramed(f, wire.ParseChunkHeader, wire.ChunkHeader.Append, nil)
}

func FuzzParseExtendedChunkHeader(f *testing.F) {
	fuzzFramed(f, wire.ParseExtendedChunkHeader, wire.ChunkHeader.AppendExtended, nil)
}

func FuzzParseReply(f *testing.F) {
	fuzzFramed(f, wire.ParseReply, func(p wire.Reply, b []byte) []byte {
		switch p.Magic {
		case wire.SimpleReplyMagic:
			return p.Simple.Append(b)
		case wire.StructuredMagic:
			return p.Chunk.Append(b)
		}
		return p.Chunk.AppendExtended(b)
	}, wire.ReadReply)
}

func FuzzParseInfoRequest(f *testing.F) {
	fuzzPayload(f, wire.ParseInfoRequest, wire.InfoRequest.Append)
}

func FuzzParseMetaContextRequest(f *testing.F) {
	fuzzPayload(f, wire.ParseMetaContextRequest, wire.MetaContextRequest.Append)
}

func FuzzParseServerReply(f *testing.F) {
	fuzzPayload(f, wire.ParseServerReply, wire.ServerReply.Append)
}

func FuzzParseInfo(f *testing.F) {
	fuzzPayload(f, wire.ParseInfo, wire.Info.Append)
}

func FuzzParseExportInfo(f *testing.F) {
	fuzzPayload(f, wire.ParseExportInfo, func(e wire.ExportInfo, b []byte) []byte { return append(b, e.Info().Payload...) })
}

func FuzzParseInitFlags(f *testing.F) {
	fuzzPayload(f, wire.ParseInitFlags, func(i wire.InitFlags, b []byte) []byte { return append(b, i.Info().Payload...) })
}

func FuzzParseSizeConstraints(f *testing.F) {
	fuzzPayload(f, wire.ParseSizeConstraints, func(s wire.SizeConstraints, b []byte) []byte { return append(b, s.Info().Payload...) })
}

func FuzzParseMetaContext(f *testing.F) {
	fuzzPayload(f, wire.ParseMetaContext, wire.MetaContext.Append)
}

func FuzzParseOffsetData(f *testing.F) {
	fuzzPayload(f, wire.ParseOffsetData, wire.OffsetData.Append)
}

func FuzzParseOffsetHole(f *testing.F) {
	fuzzPayload(f, wire.ParseOffsetHole, wire.OffsetHole.Append)
}

func FuzzParseBlockStatus(f *testing.F) {
	fuzzPayload(f, wire.ParseBlockStatus, wire.BlockStatus.Append)
}

func FuzzParseBlockStatusExt(f *testing.F) {
	fuzzPayload(f, wire.ParseBlockStatusExt, wire.BlockStatus.AppendExtended)
}

func FuzzParseStatusFilter(f *testing.F) {
	fuzzPayload(f, wire.ParseStatusFilter, wire.StatusFilter.Append)
}

func FuzzParseLBAStatus(f *testing.F) {
	fuzzPayload(f, wire.ParseLBAStatus, wire.LBAStatus.Append)
}

func FuzzParseLBAData(f *testing.F) {
	fuzzFramed(f, wire.ParseLBAData, wire.LBAData.Append, ReadLBAData)
}

func FuzzParseErrorChunk(f *testing.F) {
	for _, m := range messages() {
		if m.parser == "ParseErrorChunk" {
			f.Add(m.bytes, uint16(wire.ChunkError))
			f.Add(m.bytes, uint16(wire.ChunkErrorOffset))
			f.Add(m.bytes, uint16(0xffff))
		}
	}
	f.Add(wire.ErrorOffset(wire.EIO, strings.Repeat("x", 65530), 0).Append(nil), uint16(wire.ChunkErrorOffset))
	f.Fuzz(func(t *testing.T, b []byte, typ uint16) {
		checkPayload(t, b, ParseErrorChunk(wire.ChunkType(typ)), wire.ErrorChunk.Append)
	})
}

func fuzzFramed[T any](f *testing.F, parse func([]byte) (T, int, error), app func(T, []byte) []byte, read func(*bufio.Reader) (T, error)) {
	seed(f, funcName(parse))
	f.Fuzz(func(t *testing.T, b []byte) { checkFramed(t, b, parse, app, read) })
}

func fuzzPayload[T any](f *testing.F, parse func([]byte) (T, error), app func(T, []byte) []byte) {
	seed(f, funcName(parse))
	f.Fuzz(func(t *testing.T, b []byte) { checkPayload(t, b, parse, app) })
}

func seed(f *testing.F, parser string) {
	for _, m := range messages() {
		if m.parser == parser {
			f.Add(m.bytes)
			f.Add(append(slices.Clone(m.bytes), trailing...))
			f.Add(m.bytes[:len(m.bytes)-1])
		}
	}
}

// checkFramed holds whatever b is against what all parsers of framed messages promise.
func checkFramed[T any](t *testing.T, b []byte, parse func([]byte) (T, int, error), app func(T, []byte) []byte, read func(*bufio.Reader) (T, error)) {
	v, n, err := parse(b)
	var format *wire.FormatError
	switch {
	case err == nil:
		if n <= 0 || n > len(b) {
			t.Fatalf("used %d bytes of %d", n, len(b))
		}
		if got := app(v, nil); !bytes.Equal(got, b[:n]) {
			t.Fatalf("%+v appends to\n% x\nand was parsed from\n% x", v, got, b[:n])
		}
	case errors.Is(err, io.ErrUnexpectedEOF):
		n = len(b) + 1 // b is a proper prefix of some message
	case errors.As(err, &format):
		if _, _, again := parse(append(slices.Clone(b), trailing...)); !errors.As(again, &format) {
			t.Fatalf("error %v, and %v with more bytes", err, again)
		}
	default:
		t.Fatalf("error %v is neither %v nor a FormatError", err, io.ErrUnexpectedEOF)
	}
	if err == nil || errors.Is(err, io.ErrUnexpectedEOF) {
		for _, cut := range []int{0, 1, 3, 7, n / 2, n - 2, n - 1} {
			if cut < 0 || cut >= n {
				continue
			}
			if _, used, err := parse(b[:cut:cut]); err != io.ErrUnexpectedEOF || used != 0 {
				t.Fatalf("cut to %d of %d bytes: used %d, error %v", cut, n, used, err)
			}
		}
	}
	if read == nil {
		return
	}
	r := bufio.NewReader(bytes.NewReader(b))
	got, readErr := read(r)
	var long *wire.TooLongError
	switch {
	case errors.As(readErr, &long):
		if long.Length <= long.Limit || err == nil && uint64(n) < long.Length {
			t.Fatalf("%v, but the parser used %d bytes", long, n)
		}
	case err == nil:
		if readErr != nil || diff(v, got) != "" || r.Buffered()+n < min(len(b), r.Size()) {
			t.Fatalf("parsed %+v, read %+v with error %v and %d bytes left", v, got, readErr, r.Buffered())
		}
	case errors.Is(err, io.ErrUnexpectedEOF):
		if want := err; !errors.Is(readErr, want) && (len(b) > 0 || readErr != io.EOF) {
			t.Fatalf("reading a part of a message: %v", readErr)
		}
	case !errors.As(readErr, &format):
		t.Fatalf("parsing: %v; reading: %v", err, readErr)
	}
}

// checkPayload holds whatever b is against what all parsers of payloads promise.
func checkPayload[T any](t *testing.T, b []byte, parse func([]byte) (T, error), app func(T, []byte) []byte) {
	v, err := parse(b)
	var format *wire.FormatError
	if err != nil {
		if !errors.As(err, &format) {
			t.Fatalf("error %v is no FormatError", err)
		}
		return
	}
	if got := app(v, nil); !bytes.Equal(got, b) {
		t.Fatalf("%+v appends to\n% x\nand was parsed from\n% x", v, got, b)
	}
}

func TestEveryParserHasAFuzzTarget(t *testing.T) {
	text, err := os.ReadFile("fuzz_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range readSource(t).funcs {
		if strings.HasPrefix(f, "Parse") && !strings.Contains(string(text), "\nfunc Fuzz"+f+"(f *testing.F)") {
			t.Errorf("%s has no target Fuzz%s", f, f)
		}
	}
}
