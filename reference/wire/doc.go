// Package wire turns the messages of the NBD protocol into values and back.
//
// Every message has a Go type with an Append method and a Parse function over
// []byte. Append encodes whatever the value holds, nonsense included: it
// validates nothing and can't fail. Numbers that have fewer bits on the wire
// than in Go are cut.
//
// There are two kinds of Parse functions. Those of framed messages, which know
// their own end, return how many bytes they used. They fail with
// io.ErrUnexpectedEOF where more bytes could complete the message and with a
// *[FormatError] where none could. Those of a payload, whose end only its
// header knows, take all of it and fail with a *FormatError alone. Both accept
// whatever has the shape of the message and keep types and flags that they
// don't know. Validate, where a type has it, holds a value against those rules
// of the document that need no other message; the strict client and the server
// call it.
//
// Messages that open with a header of known size come in two steps, header
// and payload, so that nobody has to hold a payload in memory to look at its
// header. The Read functions take them from a *bufio.Reader, whose buffer must
// hold the largest header (152 bytes; the default size does), and allocate
// nothing for a payload before its announced length passed the [Limits]. They
// return io.EOF between messages, io.ErrUnexpectedEOF within one, and report
// bytes that can't become the message without waiting for the rest of it.
//
// All numbers are big-endian on the wire. Slices and strings: a []byte field
// of a parsed value aliases the input; a string field is a copy.
//
// The package performs no other I/O, keeps no state and imports the standard
// library only. Names are those of the protocol document, in Go's spelling.
package wire

//go:generate go tool stringer -linecomment -type=Option,ReplyType,InfoType,Command,ChunkType,Errno -output=names_string.go
