package wire_test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"slices"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"nbdconform/reference/wire"
)

var trailing = []byte{0xde, 0xad, 0xbe, 0xef}

func diff(want, got any) string { return cmp.Diff(want, got, cmpopts.EquateEmpty()) }

func TestGoldenTextsParse(t *testing.T) {
	for _, m := range messages() {
		got, n, err := m.parse(m.bytes)
		if err != nil {
			t.Errorf("%s: %v", m.name(), err)
			continue
		}
		if n != len(m.bytes) {
			t.Errorf("%s: used %d bytes of %d", m.name(), n, len(m.bytes))
		}
		if d := diff(m.want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", m.name(), d)
		}
	}
}

func TestValuesAppendToTheGoldenTexts(t *testing.T) {
	prefix := []byte("in front")
	for _, m := range messages() {
		got, ok := bytes.CutPrefix(m.append(slices.Clone(prefix)), prefix)
		if !ok {
			t.Errorf("%s: changed what was in the slice", m.name())
		}
		if d := cmp.Diff(m.bytes, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", m.name(), d)
		}
	}
}

func TestCutMessagesDoNotParse(t *testing.T) {
	for _, m := range messages() {
		for n := range len(m.bytes) {
			got, used, err := m.parse(m.bytes[:n:n])
			switch {
			case m.reader != "" && (err != io.ErrUnexpectedEOF || used != 0):
				t.Errorf("%s cut to %d bytes: used %d, error %v, want 0 and %v", m.name(), n, used, err, io.ErrUnexpectedEOF)
			case m.reader == "" && m.whole != nil && m.whole(n):
				if err != nil {
					t.Errorf("%s cut to %d bytes is shorter and whole: %v", m.name(), n, err)
				}
			case m.reader == "":
				wantFormatError(t, m, n, got, err)
			}
		}
	}
}

func TestBytesBehindAMessage(t *testing.T) {
	for _, m := range messages() {
		if m.reader == "" {
			long := append(slices.Clone(m.bytes), 0)
			got, _, err := m.parse(long)
			if m.whole == nil || !m.whole(len(long)) {
				wantFormatError(t, m, len(long), got, err)
			} else if err != nil {
				t.Errorf("%s and a byte is longer and whole: %v", m.name(), err)
			}
			continue
		}
		got, n, err := m.parse(append(slices.Clone(m.bytes), trailing...))
		if err != nil || n != len(m.bytes) {
			t.Errorf("%s: used %d bytes, error %v, want %d and none", m.name(), n, err, len(m.bytes))
		}
		if d := diff(m.want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", m.name(), d)
		}
	}
}

func wantFormatError(t *testing.T, m message, n int, got any, err error) {
	t.Helper()
	var f *wire.FormatError
	if !errors.As(err, &f) {
		t.Errorf("%s with %d bytes of %d: got %+v, %v, want a FormatError", m.name(), n, len(m.bytes), got, err)
	}
}

func TestReadFromASlowPeer(t *testing.T) {
	for _, m := range messages() {
		if m.reader == "" {
			continue
		}
		stream := append(slices.Clone(m.bytes), trailing...)
		r := bufio.NewReader(iotest.OneByteReader(bytes.NewReader(stream)))
		got, err := m.read(r)
		if err != nil {
			t.Errorf("%s: %v", m.name(), err)
			continue
		}
		if d := diff(m.want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", m.name(), d)
		}
		if rest, _ := io.ReadAll(r); !bytes.Equal(rest, trailing) {
			t.Errorf("%s: left % x in the stream, want % x", m.name(), rest, trailing)
		}
	}
}

func TestReadFromAStreamThatEnds(t *testing.T) {
	for _, m := range messages() {
		if m.reader == "" {
			continue
		}
		for n := range len(m.bytes) {
			want := io.ErrUnexpectedEOF
			if n == 0 {
				want = io.EOF
			}
			_, err := m.read(bufio.NewReader(iotest.OneByteReader(bytes.NewReader(m.bytes[:n]))))
			if !errors.Is(err, want) {
				t.Errorf("%s ends behind %d bytes: error %v, want %v", m.name(), n, err, want)
			}
		}
	}
}

func TestReadPassesOnTheErrorOfTheStream(t *testing.T) {
	for _, m := range messages() {
		if m.reader == "" {
			continue
		}
		broken := errors.New("connection reset")
		for _, n := range []int{0, 1, len(m.bytes) - 1} {
			_, err := m.read(bufio.NewReader(io.MultiReader(bytes.NewReader(m.bytes[:n]), iotest.ErrReader(broken))))
			if !errors.Is(err, broken) {
				t.Errorf("%s breaks behind %d bytes: error %v, want %v", m.name(), n, err, broken)
			}
		}
	}
}

// A peer that said something else and waits for an answer must not be waited for.
func TestReadTakesNoMoreThanTheWrongByte(t *testing.T) {
	for _, m := range messages() {
		if m.reader == "" || m.parser == "ParseClientFlags" || m.parser == "ParseExportNameReply" || m.parser == "ParseLBAData" {
			continue // those have no magic
		}
		b := slices.Clone(m.bytes)
		b[3] ^= 0x80
		stream := bytes.NewReader(b)
		_, err := m.read(bufio.NewReader(iotest.OneByteReader(stream)))
		wantFormatError(t, m, 4, nil, err)
		if used := len(b) - stream.Len(); used != 4 {
			t.Errorf("%s: took %d bytes of the stream, the fourth was wrong", m.name(), used)
		}
	}
}

func TestReservedBytesMustBeZero(t *testing.T) {
	for _, m := range messages() {
		if len(m.bytes) < wire.ReservedZeroes {
			continue
		}
		b := slices.Clone(m.bytes)
		b[len(b)-1] = 1
		got, _, err := m.parse(b)
		wantFormatError(t, m, len(b), got, err)
	}
}

func TestPayloadsOfRequests(t *testing.T) {
	for _, file := range []string{"request-write", "request-extended-write"} {
		extended := file == "request-extended-write"
		read := wire.ReadRequest
		if extended {
			read = wire.ReadExtendedRequest
		}
		r := bufio.NewReader(bytes.NewReader(golden(file)))
		q, err := read(r)
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		got, err := wire.ReadPayload(r, q.PayloadLength(extended), wire.DefaultLimits)
		if err != nil || string(got) != "abc" {
			t.Errorf("%s: payload %q, error %v, want %q", file, got, err, "abc")
		}
	}
}

func TestPayloadLength(t *testing.T) {
	write := wire.Request{Type: wire.CmdWrite, Length: 5}
	announced := wire.Request{Type: wire.CmdRead, Flags: wire.CmdFlagPayloadLen, Length: 7}
	for _, c := range []struct {
		name     string
		request  wire.Request
		extended bool
		want     uint64
	}{
		{"a compact write has its length", write, false, 5},
		{"a compact read has none, whatever its flags", announced, false, 0},
		{"an extended write without the flag has none", write, true, 0},
		{"any extended command with the flag has its length", announced, true, 7},
	} {
		if got := c.request.PayloadLength(c.extended); got != c.want {
			t.Errorf("%s: got %d, want %d", c.name, got, c.want)
		}
	}
}

func TestDataOfOptions(t *testing.T) {
	for _, m := range messages() {
		want, ok := m.want.(wire.OptionRequest)
		if !ok {
			continue
		}
		r := bufio.NewReader(iotest.OneByteReader(bytes.NewReader(m.bytes)))
		h, err := wire.ReadOptionHeader(r)
		if err != nil {
			t.Fatalf("%s: %v", m.file, err)
		}
		data, err := wire.ReadOptionData(r, h, wire.DefaultLimits)
		if err != nil || !bytes.Equal(data, want.Data) {
			t.Errorf("%s: data % x, error %v, want % x", m.file, data, err, want.Data)
		}
	}
}

func TestPayloadsOfChunks(t *testing.T) {
	for _, m := range messages() {
		if m.parser != "ParseReply" || m.want.(wire.Reply).Magic == wire.SimpleReplyMagic {
			continue
		}
		whole := golden(m.file)
		r := bufio.NewReader(iotest.OneByteReader(bytes.NewReader(whole)))
		p, err := wire.ReadReply(r)
		if err != nil {
			t.Fatalf("%s: %v", m.file, err)
		}
		c, err := wire.ReadChunkPayload(r, p.Chunk, wire.DefaultLimits)
		if err != nil {
			t.Fatalf("%s: %v", m.file, err)
		}
		if d := cmp.Diff(p.Chunk, c.Header()); d != "" {
			t.Errorf("%s: header (-read +of the chunk):\n%s", m.file, d)
		}
		got := c.Append(nil)
		if p.Magic == wire.ExtendedReply {
			got = c.AppendExtended(nil)
		}
		if d := cmp.Diff(whole, got); d != "" {
			t.Errorf("%s: chunk (-want +got):\n%s", m.file, d)
		}
		if p.Cookie() != c.Cookie {
			t.Errorf("%s: reply has cookie %#x, chunk %#x", m.file, p.Cookie(), c.Cookie)
		}
	}
}

func TestErrorOffset(t *testing.T) {
	e, err := wire.ParseErrorChunk(wire.ChunkErrorOffset, golden("chunk-error-offset")[wire.ChunkSize:])
	if err != nil {
		t.Fatal(err)
	}
	if got, ok := e.Offset(); !ok || got != 4096 {
		t.Errorf("offset %d, %t, want 4096", got, ok)
	}
	e, _ = wire.ParseErrorChunk(wire.ChunkError, golden("chunk-error")[wire.ChunkSize:])
	if got, ok := e.Offset(); ok {
		t.Errorf("a chunk without an offset has %d", got)
	}
}

// 65530 and 6 are 0 in 16 bits.
func TestLongErrorMessages(t *testing.T) {
	for _, n := range []int{4097, 65529, 65530, 65535} {
		want := wire.ErrorOffset(wire.EIO, string(make([]byte, n)), 1<<40)
		got, err := wire.ParseErrorChunk(wire.ChunkErrorOffset, want.Append(nil))
		if err != nil {
			t.Errorf("message of %d bytes: %v", n, err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("message of %d bytes (-want +got):\n%s", n, d)
		}
	}
}
