// Package wire turns the messages of the NBD protocol into values and back.
//
// Every message has a Go type with an Append method and a Parse function over
// []byte. Append encodes whatever the value holds, nonsense included: it
// validates nothing and can't fail. Parse accepts whatever has the shape of
// the message, keeps types and flags that it does not know, and fails with
// io.ErrUnexpectedEOF where more bytes could complete the message and with a
// *[FormatError] where none could. Validate, where a type has it, holds a
// value against the document; the strict client and the server call it.
//
// Messages that open with a header of known size come in two steps, header
// and payload, so that nobody has to hold a payload in memory to look at its
// header. The Read functions do both steps from a *bufio.Reader, and allocate
// nothing for a payload before its announced length passed the [Limits].
//
// All numbers are big-endian on the wire. Slices and strings: a []byte field
// of a parsed value aliases the input; a string field is a copy.
//
// The package performs no other I/O, keeps no state and imports the standard
// library only. Names are those of the protocol document, in Go's spelling.
package wire

//go:generate go run golang.org/x/tools/cmd/stringer -linecomment -type=Option,ReplyType,InfoType,Command,ChunkType,Errno -output=names_string.go
