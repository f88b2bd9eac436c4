package wire_test

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"

	"nbdconform/reference/wire"
)

// allocated is how many bytes f allocates.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

var small = wire.Limits{Option: 100, Reply: 200, Payload: 300}

// announcements read a payload of n bytes, which does not come.
var announcements = []struct {
	name  string
	limit uint64
	read  func(n uint64) (rest *bufio.Reader, err error)
}{
	{"NBD_OPT_GO", 100, func(n uint64) (*bufio.Reader, error) {
		r := readerOf(wire.OptionHeader{Option: wire.OptGo, Length: uint32(n)}.Append(nil))
		_, err := wire.ReadOptionRequest(r, small)
		return r, err
	}},
	{"NBD_OPT_LIST", 100, func(n uint64) (*bufio.Reader, error) {
		r := readerOf(nil)
		_, err := wire.ReadOptionData(r, wire.OptionHeader{Option: wire.OptList, Length: uint32(n)}, small)
		return r, err
	}},
	{"NBD_REP_SERVER", 200, func(n uint64) (*bufio.Reader, error) {
		r := readerOf(wire.OptionReplyHeader{Option: wire.OptList, Type: wire.RepServer, Length: uint32(n)}.Append(nil))
		_, err := wire.ReadOptionReply(r, small)
		return r, err
	}},
	{"request payload", 300, func(n uint64) (*bufio.Reader, error) {
		r := readerOf(nil)
		_, err := wire.ReadPayload(r, n, small)
		return r, err
	}},
	{"NBD_CMD_GET_LBA_STATUS", 300, func(n uint64) (*bufio.Reader, error) {
		r := readerOf(binary.BigEndian.AppendUint32(nil, uint32(n)))
		_, err := wire.ReadLBAData(r, small)
		return r, err
	}},
	{"NBD_REPLY_TYPE_OFFSET_DATA", 300, func(n uint64) (*bufio.Reader, error) {
		r := readerOf(nil)
		_, err := wire.ReadChunkPayload(r, wire.ChunkHeader{Type: wire.ChunkOffsetData, Length: n}, small)
		return r, err
	}},
}

func readerOf(b []byte) *bufio.Reader {
	return bufio.NewReader(bytes.NewReader(append(b, trailing...)))
}

func TestLengthsAreHeldAgainstTheLimitBeforeAnythingIsAllocated(t *testing.T) {
	for _, a := range announcements {
		for _, n := range []uint64{a.limit + 1, 1<<32 - 1} {
			var rest *bufio.Reader
			var err error
			used := allocated(func() { rest, err = a.read(n) })
			var long *wire.TooLongError
			if !errors.As(err, &long) {
				t.Fatalf("%s of %d bytes: error %v, want a TooLongError", a.name, n, err)
			}
			want := wire.TooLongError{What: a.name, Length: n, Limit: a.limit}
			if *long != want {
				t.Errorf("got %+v, want %+v", *long, want)
			}
			if got, _ := io.ReadAll(rest); !bytes.Equal(got, trailing) {
				t.Errorf("%s of %d bytes: left % x in the stream, want % x", a.name, n, got, trailing)
			}
			if used > 64<<10 {
				t.Errorf("%s of %d bytes: allocated %d", a.name, n, used)
			}
		}
	}
}

func TestLengthsWithinTheLimitAreRead(t *testing.T) {
	for _, a := range announcements {
		// The payload is cut short, which shows that it was looked for.
		if _, err := a.read(a.limit); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%s of %d bytes: error %v, want %v", a.name, a.limit, err, io.ErrUnexpectedEOF)
		}
	}
}

func TestExtendedLengthsBeyond32Bits(t *testing.T) {
	lim := wire.Limits{Payload: 1<<32 - 1}
	_, err := wire.ReadChunkPayload(readerOf(nil), wire.ChunkHeader{Type: wire.ChunkOffsetData, Length: 1<<32 + 4}, lim)
	var long *wire.TooLongError
	if !errors.As(err, &long) || long.Length != 1<<32+4 {
		t.Errorf("error %v, want a TooLongError: 2^32 + 4 is not 4", err)
	}
}

func TestTooLongErrorSaysWhatAndHowMuch(t *testing.T) {
	err := &wire.TooLongError{What: "NBD_OPT_GO", Length: 1 << 32, Limit: 1 << 20}
	want := "NBD_OPT_GO announces 4294967296 bytes, the limit is 1048576"
	if err.Error() != want {
		t.Errorf("got  %s\nwant %s", err, want)
	}
}

// number appends a 32-bit number to b.
func number(b []byte, n uint32) []byte { return binary.BigEndian.AppendUint32(b, n) }

func TestLyingCountsAndLengths(t *testing.T) {
	disk := append(number(nil, 4), "disk"...)
	query := append(number(nil, 5), "base:"...)
	for _, c := range []struct {
		name  string
		data  []byte
		parse func([]byte) error
		want  string
	}{
		{"a query of four billion", number(slices.Clone(disk), 1<<32-1), metaContexts, "announces 4294967295 queries and ends behind 0"},
		{"a query more than there is", slices.Concat(disk, number(nil, 2), query), metaContexts, "announces 2 queries and ends behind 1"},
		{"a query less than there is", slices.Concat(disk, number(nil, 1), query, query), metaContexts, "9 bytes behind its last query"},
		{"a query of 4 GiB", slices.Concat(disk, number(nil, 1), number(nil, 1<<32-1), []byte("base:")), metaContexts, "a query announces 4294967295 bytes, 5 are left"},
		{"a query of a byte too many", slices.Concat(disk, number(nil, 1), number(nil, 6), []byte("base:")), metaContexts, "a query announces 6 bytes, 5 are left"},
		{"a name of 4 GiB before queries", append(number(nil, 1<<32-1), "disk"...), metaContexts, "the export name announces 4294967295 bytes, 4 are left"},
		{"a name that takes the number of queries", append(number(nil, 4), "disk"...), metaContexts, "ends before the number of queries"},
		{"a name of 4 GiB in an information request", append(number(nil, 1<<32-1), "disk\x00\x00"...), infos, "announces 4294967295 bytes, 4 are left"},
		{"a name that takes the number of requests", append(number(nil, 5), "disk\x00\x00"...), infos, "announces 5 bytes, 4 are left"},
		{"more information requests than there are", append(number(nil, 0), 0xff, 0xff, 0, 1), infos, "announces 65535 types, 2 bytes are left"},
		{"fewer information requests than there are", append(number(nil, 0), 0, 0, 0, 1), infos, "announces 0 types, 2 bytes are left"},
		{"an export name of 4 GiB in a list", append(number(nil, 1<<32-1), "disk"...), servers, "announces 4294967295 bytes, 4 are left"},
		{"four billion extents", slices.Concat(number(nil, 42), number(nil, 1<<32-1), make([]byte, 16)), extents, "announces 4294967295 descriptors, 1 are there"},
		{"no extents where there is one", slices.Concat(number(nil, 42), number(nil, 0), make([]byte, 16)), extents, "announces 0 descriptors, 1 are there"},
		{"a message of 64 KiB", append(number(nil, 5), 0xff, 0xff, 'x'), failures, "announces a message of 65535 bytes, 1 are left"},
	} {
		var err error
		used := allocated(func() { err = c.parse(c.data) })
		var format *wire.FormatError
		if !errors.As(err, &format) || !strings.Contains(format.Detail, c.want) {
			t.Errorf("%s: error %v, want a FormatError with %q", c.name, err, c.want)
		}
		if used > 64<<10 {
			t.Errorf("%s: allocated %d bytes for %d", c.name, used, len(c.data))
		}
	}
}

func metaContexts(b []byte) error { _, err := wire.ParseMetaContextRequest(b); return err }
func infos(b []byte) error        { _, err := wire.ParseInfoRequest(b); return err }
func servers(b []byte) error      { _, err := wire.ParseServerReply(b); return err }
func extents(b []byte) error      { _, err := wire.ParseBlockStatusExt(b); return err }
func failures(b []byte) error     { _, err := wire.ParseErrorChunk(wire.ChunkError, b); return err }
