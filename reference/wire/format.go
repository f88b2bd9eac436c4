package wire

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// A FormatError says that bytes can't be the message that they should be.
type FormatError struct {
	Clause string // id of the clause that rules them out, or "" where only the layout does
	Detail string // what was expected and what came
}

func (e *FormatError) Error() string {
	if e.Clause == "" {
		return e.Detail
	}
	return e.Detail + " (" + e.Clause + ")"
}

func malformed(clause, format string, args ...any) error {
	return &FormatError{Clause: clause, Detail: fmt.Sprintf(format, args...)}
}

// Limits bound what a Read function allocates for a peer, in bytes. A message
// that announces more fails with a *[TooLongError] before anything of its
// payload is read.
type Limits struct {
	Option  uint32 // data of one option
	Reply   uint32 // data of one option reply
	Payload uint32 // payload of one request or one reply chunk
}

// DefaultLimits take every message that a portable peer sends.
var DefaultLimits = Limits{
	Option:  1 << 20,
	Reply:   1 << 20,
	Payload: DefaultMaxPayload + 1<<12,
}

// A TooLongError says that a message announced more than the [Limits] allow.
// The payload is still to be read from the connection.
type TooLongError struct {
	What          string // which message
	Length, Limit uint64 // bytes
}

func (e *TooLongError) Error() string {
	return fmt.Sprintf("%s announces %d bytes, the limit is %d", e.What, e.Length, e.Limit)
}

// ValidateString holds s against the document's rules for strings (section
// "Conventions"): UTF-8, no NUL, at most 4096 bytes. what names it in the error.
// The rules are clauses for each side; as it isn't known whose string s is, the
// error names none. ValidateClientString and ValidateServerString do.
func ValidateString(what, s string) error { return speaker("").text(what, s) }

// ValidateClientString is [ValidateString] for a string that a client sends.
func ValidateClientString(what, s string) error { return client.text(what, s) }

// ValidateServerString is [ValidateString] for a string that a server sends.
func ValidateServerString(what, s string) error { return server.text(what, s) }

// A speaker is the end of the clause ids for who sends a string.
type speaker string

const (
	client speaker = ".client"
	server speaker = ".server"
)

func (p speaker) text(what, s string) error {
	var clause string
	switch {
	case len(s) > MaxString:
		clause, s = "string.max-length", fmt.Sprintf("is %d bytes long, at most %d are allowed", len(s), MaxString)
	case strings.IndexByte(s, 0) >= 0:
		clause, s = "string.no-nul", fmt.Sprintf("contains a NUL at byte %d: %q", strings.IndexByte(s, 0), s)
	case !utf8.ValidString(s):
		clause, s = "string.utf8", fmt.Sprintf("is not UTF-8: %q", s)
	default:
		return nil
	}
	if clause += string(p); p == "" {
		clause = ""
	}
	return malformed(clause, "%s %s", what, s)
}

// peek returns the next n bytes without consuming them: io.EOF where the
// stream ends before the first, io.ErrUnexpectedEOF where it ends within.
func peek(r *bufio.Reader, n int) ([]byte, error) {
	b, err := r.Peek(n)
	if errors.Is(err, io.EOF) && len(b) > 0 {
		err = io.ErrUnexpectedEOF
	}
	return b, err
}

// payload reads n bytes into a new slice after checking n against limit.
func payload(r io.Reader, what string, n uint64, limit uint32) ([]byte, error) {
	if n > uint64(limit) {
		return nil, &TooLongError{What: what, Length: n, Limit: uint64(limit)}
	}
	if n == 0 {
		return nil, nil
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(r, b); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, fmt.Errorf("reading %d bytes of %s: %w", n, what, err)
	}
	return b, nil
}

// validate goes on from a Parse function to the value's Validate method.
func validate[T interface{ Validate() error }](v T, err error) error {
	if err != nil {
		return err
	}
	return v.Validate()
}

// take splits a string of announced length off b.
func take(b []byte, n uint32, clause, what string) (s string, rest []byte, err error) {
	if uint64(n) > uint64(len(b)) {
		return "", nil, malformed(clause, "%s announces %d bytes, %d are left", what, n, len(b))
	}
	return string(b[:n]), b[n:], nil
}

var be = binary.BigEndian

// errShort is what Parse functions return for a proper prefix of a message.
var errShort = io.ErrUnexpectedEOF

// magic64 checks the magic number at offset at of b. A wrong byte is an error
// at once, even where the number is not complete.
func magic64(b []byte, at int, want uint64, clause, what string) error {
	return magic(b, at, 8, want, clause, what)
}

func magic32(b []byte, want uint32, clause, what string) error {
	return magic(b, 0, 4, uint64(want), clause, what)
}

// magic allocates on its way to an error only: it runs for every message.
func magic(b []byte, at, size int, want uint64, clause, what string) error {
	b = b[min(at, len(b)):min(at+size, len(b))]
	for i, c := range b {
		if c != byte(want>>(8*(size-1-i))) {
			return malformed(clause, "%s has magic 0x%x where 0x%0*x is due", what, string(b), 2*size, want)
		}
	}
	if len(b) < size {
		return errShort
	}
	return nil
}

// reserved checks bytes that the document calls zeroes.
func reserved(b []byte, clause, behind string) error {
	for i, c := range b {
		if c != 0 {
			return malformed(clause, "reserved byte %d behind %s is %#x, not zero", i, behind, c)
		}
	}
	return nil
}

// readFixed reads one message of at most size bytes, which must fit into the
// buffer of r. It asks for more only while what has come could be the start of
// a message: a peer that said something else and waits is refused, not waited for.
func readFixed[T any](r *bufio.Reader, size int, parse func([]byte) (T, int, error)) (T, error) {
	for want := 1; ; {
		_, err := peek(r, want)
		if err == nil {
			want = max(want, min(size, r.Buffered()))
		}
		b, _ := r.Peek(min(want, r.Buffered()))
		if len(b) == 0 {
			var zero T
			return zero, err
		}
		v, n, perr := parse(b)
		if perr == nil {
			_, _ = r.Discard(n) // can't fail: the bytes were peeked at
			return v, nil
		}
		if !errors.Is(perr, errShort) {
			return v, perr
		}
		if err != nil {
			return v, err // the reason why there is no more
		}
		want = len(b) + 1
	}
}
