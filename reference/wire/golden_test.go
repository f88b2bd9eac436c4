package wire_test

import (
	"bufio"
	"encoding/hex"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"

	"nbdconform/reference/wire"
)

// golden returns the bytes of testdata/golden/<file>.hex, a text of hex digits
// in which spaces mean nothing and # starts a comment.
func golden(file string) []byte {
	text, err := os.ReadFile(filepath.Join("testdata", "golden", file+".hex"))
	if err != nil {
		panic(err)
	}
	var digits strings.Builder
	for line := range strings.Lines(string(text)) {
		line, _, _ = strings.Cut(line, "#")
		digits.WriteString(strings.Join(strings.Fields(line), ""))
	}
	b, err := hex.DecodeString(digits.String())
	if err != nil {
		panic(file + ": " + err.Error())
	}
	return b
}

// A message is a golden text, or a part of one, and the value that it stands for.
type message struct {
	file   string
	parser string // name of the Parse function
	reader string // name of the Read function, "" for a payload
	bytes  []byte
	want   any
	append func([]byte) []byte // appends want
	parse  func([]byte) (any, int, error)
	read   func(*bufio.Reader) (any, error)

	// whole says of a payload that its first n bytes, or it and one more, are a
	// payload as well: those that end in free text or in a list do not say how
	// long they are. Nil: never.
	whole func(n int) bool
}

func (m message) name() string { return m.file + "/" + m.parser }

// framed is a message that knows its end.
func framed[T any](file string, b []byte, want T,
	parse func([]byte) (T, int, error), app func(T, []byte) []byte, read func(*bufio.Reader) (T, error),
) message {
	return message{
		file: file, bytes: b, want: want, parser: funcName(parse), reader: funcName(read),
		append: func(b []byte) []byte { return app(want, b) },
		parse: func(b []byte) (any, int, error) {
			v, n, err := parse(b)
			return v, n, err
		},
		read: func(r *bufio.Reader) (any, error) { return read(r) },
	}
}

// payload is a message that ends where its header said.
func payload[T any](file string, b []byte, want T,
	parse func([]byte) (T, error), app func(T, []byte) []byte, whole func(int) bool,
) message {
	return message{
		file: file, bytes: b, want: want, parser: funcName(parse), whole: whole,
		append: func(b []byte) []byte { return app(want, b) },
		parse: func(b []byte) (any, int, error) {
			v, err := parse(b)
			return v, len(b), err
		},
	}
}

// funcName is the name of the Parse or Read function that f is or was made by.
func funcName(f any) string {
	name := runtime.FuncForPC(reflect.ValueOf(f).Pointer()).Name()
	for part := range strings.SplitSeq(name, ".") {
		if strings.HasPrefix(part, "Parse") || strings.HasPrefix(part, "Read") {
			return part
		}
	}
	return name
}

func from(n int) func(int) bool { return func(have int) bool { return have >= n } }

func listOf(head, item, atLeast int) func(int) bool {
	return func(have int) bool { return have >= head+atLeast*item && (have-head)%item == 0 }
}

// option is a whole option, and its header alone.
func option(file string, opt wire.Option, data []byte) []message {
	b := golden(file)
	return []message{
		framed(file, b[:wire.OptionHeaderSize], wire.OptionHeader{Option: opt, Length: uint32(len(data))},
			wire.ParseOptionHeader, wire.OptionHeader.Append, wire.ReadOptionHeader),
		framed(file, b, wire.OptionRequest{Option: opt, Data: data},
			wire.ParseOptionRequest, wire.OptionRequest.Append, ReadOptionRequest),
	}
}

// optionData is an option whose data have a type of their own.
func optionData[T any](file string, opt wire.Option, want T, parse func([]byte) (T, error), app func(T, []byte) []byte) []message {
	data := golden(file)[wire.OptionHeaderSize:]
	return append(option(file, opt, data), payload(file, data, want, parse, app, nil))
}

// reply is a whole option reply, and its header alone.
func reply(file string, to wire.Option, typ wire.ReplyType, data []byte) []message {
	b := golden(file)
	h := wire.OptionReplyHeader{Option: to, Type: typ, Length: uint32(len(data))}
	return []message{
		framed(file, b[:wire.OptionReplyHeaderSize], h,
			wire.ParseOptionReplyHeader, wire.OptionReplyHeader.Append, wire.ReadOptionReplyHeader),
		framed(file, b, wire.OptionReply{Option: to, Type: typ, Data: data},
			wire.ParseOptionReply, wire.OptionReply.Append, ReadOptionReply),
	}
}

func replyData[T any](file string, to wire.Option, typ wire.ReplyType, want T,
	parse func([]byte) (T, error), app func(T, []byte) []byte, whole func(int) bool,
) []message {
	data := golden(file)[wire.OptionReplyHeaderSize:]
	return append(reply(file, to, typ, data), payload(file, data, want, parse, app, whole))
}

// info is a reply with NBD_REP_INFO, whose payload is text or has its own parser.
func info(file string, to wire.Option, typ wire.InfoType, text string) []message {
	return replyData(file, to, wire.RepInfo, wire.Info{Type: typ, Payload: []byte(text)},
		wire.ParseInfo, wire.Info.Append, from(2))
}

func infoData[T interface{ Info() wire.Info }](file string, to wire.Option, want T, parse func([]byte) (T, error)) []message {
	tail := golden(file)[wire.OptionReplyHeaderSize+2:]
	return append(info(file, to, want.Info().Type, string(tail)), payload(file, tail, want, parse,
		func(v T, b []byte) []byte { return append(b, v.Info().Payload...) }, nil))
}

// request is a request header; data that follow it are left to the caller.
func request(file string, want wire.Request) []message {
	return []message{framed(file, golden(file)[:wire.RequestSize], want,
		wire.ParseRequest, wire.Request.Append, wire.ReadRequest)}
}

func extendedRequest(file string, want wire.Request) []message {
	return []message{framed(file, golden(file)[:wire.ExtendedRequestSize], want,
		wire.ParseExtendedRequest, wire.Request.AppendExtended, wire.ReadExtendedRequest)}
}

func simple(file string, want wire.SimpleReply) []message {
	b := golden(file)
	return []message{
		framed(file, b, want, wire.ParseSimpleReply, wire.SimpleReply.Append, wire.ReadSimpleReply),
		framed(file, b, wire.Reply{Magic: wire.SimpleReplyMagic, Simple: want}, wire.ParseReply,
			func(p wire.Reply, b []byte) []byte { return p.Simple.Append(b) }, wire.ReadReply),
	}
}

// chunkHeader is the header of a structured reply chunk.
func chunkHeader(file string, h wire.ChunkHeader) []message {
	b := golden(file)
	h.Length = uint64(len(b) - wire.ChunkSize)
	b = b[:wire.ChunkSize]
	return []message{
		framed(file, b, h, wire.ParseChunkHeader, wire.ChunkHeader.Append, readChunkHeader),
		framed(file, b, wire.Reply{Magic: wire.StructuredMagic, Chunk: h}, wire.ParseReply,
			func(p wire.Reply, b []byte) []byte { return p.Chunk.Append(b) }, wire.ReadReply),
	}
}

// extendedHeader is the header of an extended reply chunk.
func extendedHeader(file string, h wire.ChunkHeader) []message {
	b := golden(file)
	h.Length = uint64(len(b) - wire.ExtendedChunkSize)
	b = b[:wire.ExtendedChunkSize]
	return []message{
		framed(file, b, h, wire.ParseExtendedChunkHeader, wire.ChunkHeader.AppendExtended, readChunkHeader),
		framed(file, b, wire.Reply{Magic: wire.ExtendedReply, Chunk: h}, wire.ParseReply,
			func(p wire.Reply, b []byte) []byte { return p.Chunk.AppendExtended(b) }, wire.ReadReply),
	}
}

func chunk[T any](file string, h wire.ChunkHeader, want T,
	parse func([]byte) (T, error), app func(T, []byte) []byte, whole func(int) bool,
) []message {
	return append(chunkHeader(file, h), payload(file, golden(file)[wire.ChunkSize:], want, parse, app, whole))
}

func extendedChunk[T any](file string, h wire.ChunkHeader, want T,
	parse func([]byte) (T, error), app func(T, []byte) []byte, whole func(int) bool,
) []message {
	return append(extendedHeader(file, h), payload(file, golden(file)[wire.ExtendedChunkSize:], want, parse, app, whole))
}

// The functions below give those of wire that take more than bytes the shape
// that the table needs, and carry their names.

func ReadOptionRequest(r *bufio.Reader) (wire.OptionRequest, error) {
	return wire.ReadOptionRequest(r, wire.DefaultLimits)
}

func ReadOptionReply(r *bufio.Reader) (wire.OptionReply, error) {
	return wire.ReadOptionReply(r, wire.DefaultLimits)
}

func readChunkHeader(r *bufio.Reader) (wire.ChunkHeader, error) {
	p, err := wire.ReadReply(r)
	return p.Chunk, err
}

func ParseExportNameReply(zeroes bool) func([]byte) (wire.ExportNameReply, int, error) {
	return func(b []byte) (wire.ExportNameReply, int, error) { return wire.ParseExportNameReply(b, zeroes) }
}

func ReadExportNameReply(zeroes bool) func(*bufio.Reader) (wire.ExportNameReply, error) {
	return func(r *bufio.Reader) (wire.ExportNameReply, error) { return wire.ReadExportNameReply(r, zeroes) }
}

func ParseErrorChunk(t wire.ChunkType) func([]byte) (wire.ErrorChunk, error) {
	return func(b []byte) (wire.ErrorChunk, error) { return wire.ParseErrorChunk(t, b) }
}

// lbaStatus is what follows a reply to NBD_CMD_GET_LBA_STATUS, and the
// descriptors in it.
func lbaStatus(file string, want wire.LBAStatus) []message {
	b := golden(file)
	all := []message{framed(file, b, wire.LBAData(b[4:]), wire.ParseLBAData, wire.LBAData.Append, ReadLBAData)}
	if want != nil {
		all = append(all, payload(file, b[4:], want, wire.ParseLBAStatus, wire.LBAStatus.Append, listOf(0, wire.LBADescriptorSize, 0)))
	}
	return all
}

func ReadLBAData(r *bufio.Reader) (wire.LBAData, error) {
	return wire.ReadLBAData(r, wire.DefaultLimits)
}
