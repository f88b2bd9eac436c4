package client

import (
	"errors"
	"fmt"
	"strings"

	"nbdconform/reference/wire"
)

// ErrDisconnected is what a [*SessionError] wraps once the client itself ended
// the session, with Disconnect, Close or Abort.
var ErrDisconnected = errors.New("the client disconnected")

// A SessionError ends the session. The connection is closed, or about to be.
type SessionError struct {
	Violation bool   // the server broke the protocol
	Clause    string // the id of the clause that it broke, where that has one
	Err       error
}

func (e *SessionError) Error() string {
	if e.Clause == "" {
		return e.Err.Error()
	}
	return e.Err.Error() + " (" + e.Clause + ")"
}

func (e *SessionError) Unwrap() error { return e.Err }

// violation is the session error for a clause that the server broke.
func violation(clause, format string, args ...any) *SessionError {
	return &SessionError{Violation: true, Clause: clause, Err: fmt.Errorf(format, args...)}
}

// sessionError makes err, from reading or parsing what the server sent, a
// session error. doing is a gerund.
func sessionError(doing string, err error) *SessionError {
	var s *SessionError
	if errors.As(err, &s) {
		return s
	}
	s = &SessionError{Err: fmt.Errorf("%s: %w", doing, err)}
	var f *wire.FormatError
	if errors.As(err, &f) {
		s.Violation = true // the clause is in f's text
		s.Err = fmt.Errorf("%s: %w", doing, &wire.FormatError{Detail: f.Detail})
		s.Clause = f.Clause
	}
	return s
}

// An OptionError is a server's refusal of an option.
type OptionError struct {
	Option  wire.Option
	Type    wire.ReplyType // has bit 31 set
	Message string         // for people; often empty
}

func (e *OptionError) Error() string {
	if e.Message == "" {
		return fmt.Sprintf("%v: the server answers %v", e.Option, e.Type)
	}
	return fmt.Sprintf("%v: the server answers %v: %s", e.Option, e.Type, e.Message)
}

// refused reports whether err is the refusal of an option with one of types.
func refused(err error, types ...wire.ReplyType) bool {
	var s *SessionError
	var o *OptionError
	if errors.As(err, &s) || !errors.As(err, &o) {
		return false
	}
	for _, t := range types {
		if o.Type == t {
			return true
		}
	}
	return false
}

// A RequestError is a server's refusal of a request. errors.Is finds its
// wire.Errno; a value that the document does not define counts as
// wire.EINVAL (section "Error values").
type RequestError struct {
	Request wire.Request // as sent: of a request that was split, the part that failed
	Errno   wire.Errno   // of the first error that came, as it came
	Message string       // for people; often empty
	// Offsets are the errors that came with an offset, in the order of arrival.
	Offsets []OffsetError
	// General says that an error came without an offset: nothing can be
	// assumed about what the request did.
	General bool
}

// An OffsetError is one NBD_REPLY_TYPE_ERROR_OFFSET.
type OffsetError struct {
	Errno   wire.Errno
	Message string
	Offset  uint64 // from the start of the export, bytes
}

func (e *RequestError) Error() string {
	s := fmt.Sprintf("%v at offset %d, length %d: the server answers %v", e.Request.Type, e.Request.Offset, e.Request.Length, e.Errno)
	if e.Message != "" && e.Message != e.Errno.String() {
		s += ": " + e.Message
	}
	if len(e.Offsets) > 0 && !strings.Contains(e.Message, fmt.Sprintf("at offset %d", e.Offsets[0].Offset)) {
		s += fmt.Sprintf(" (at offset %d)", e.Offsets[0].Offset)
	}
	return s
}

// Unwrap returns the error value.
func (e *RequestError) Unwrap() error {
	if !e.Errno.Known() {
		return wire.EINVAL
	}
	return e.Errno
}

// A UsageError is a request that the client may not send. Nothing was sent.
type UsageError struct {
	Clause string // the id of the clause that forbids it, where it has one
	Detail string
}

func (e *UsageError) Error() string {
	if e.Clause == "" {
		return e.Detail
	}
	return e.Detail + " (" + e.Clause + ")"
}

func usage(clause, format string, args ...any) error {
	return &UsageError{Clause: clause, Detail: fmt.Sprintf(format, args...)}
}

// usageOf makes a *wire.FormatError about the client's own message a usage error.
func usageOf(err error) error {
	var f *wire.FormatError
	if errors.As(err, &f) {
		return &UsageError{Clause: f.Clause, Detail: f.Detail}
	}
	return err
}
