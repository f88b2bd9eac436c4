package wire

import (
	"bufio"
	"fmt"
)

// Sizes of a request header, in bytes.
const (
	RequestSize         = 28 // compact
	ExtendedRequestSize = 32
)

// A Request is the header of a transmission request, compact or extended.
// Section "Request message".
type Request struct {
	Flags  CommandFlags
	Type   Command
	Cookie uint64
	Offset uint64 // bytes
	Length uint64 // bytes; a compact header carries the lower 32 bits
}

// Append appends the compact header to b.
func (q Request) Append(b []byte) []byte {
	b = be.AppendUint32(b, RequestMagic)
	b = be.AppendUint16(b, uint16(q.Flags))
	b = be.AppendUint16(b, uint16(q.Type))
	b = be.AppendUint64(b, q.Cookie)
	b = be.AppendUint64(b, q.Offset)
	return be.AppendUint32(b, uint32(q.Length))
}

// AppendExtended appends the extended header to b.
func (q Request) AppendExtended(b []byte) []byte {
	b = be.AppendUint32(b, ExtendedRequest)
	b = be.AppendUint16(b, uint16(q.Flags))
	b = be.AppendUint16(b, uint16(q.Type))
	b = be.AppendUint64(b, q.Cookie)
	b = be.AppendUint64(b, q.Offset)
	return be.AppendUint64(b, q.Length)
}

// ParseRequest parses a compact header at the start of b.
func ParseRequest(b []byte) (q Request, n int, err error) {
	if err := magic32(b, RequestMagic, "layout.request.magic", "request"); err != nil {
		return q, 0, err
	}
	if len(b) < RequestSize {
		return q, 0, errShort
	}
	q = parseRequestFields(b)
	q.Length = uint64(be.Uint32(b[24:]))
	return q, RequestSize, nil
}

// ParseExtendedRequest parses an extended header at the start of b.
func ParseExtendedRequest(b []byte) (q Request, n int, err error) {
	if err := magic32(b, ExtendedRequest, "layout.request.magic", "extended request"); err != nil {
		return q, 0, err
	}
	if len(b) < ExtendedRequestSize {
		return q, 0, errShort
	}
	q = parseRequestFields(b)
	q.Length = be.Uint64(b[24:])
	return q, ExtendedRequestSize, nil
}

func parseRequestFields(b []byte) Request {
	return Request{
		Flags:  CommandFlags(be.Uint16(b[4:])),
		Type:   Command(be.Uint16(b[6:])),
		Cookie: be.Uint64(b[8:]),
		Offset: be.Uint64(b[16:]),
	}
}

// ReadRequest reads a compact header.
func ReadRequest(r *bufio.Reader) (Request, error) { return readFixed(r, RequestSize, ParseRequest) }

// ReadExtendedRequest reads an extended header.
func ReadExtendedRequest(r *bufio.Reader) (Request, error) {
	return readFixed(r, ExtendedRequestSize, ParseExtendedRequest)
}

// PayloadLength is how many bytes follow the header: with compact headers
// those of NBD_CMD_WRITE, with extended ones those announced by
// NBD_CMD_FLAG_PAYLOAD_LEN.
func (q Request) PayloadLength(extended bool) uint64 {
	if extended && q.Flags&CmdFlagPayloadLen != 0 || !extended && q.Type == CmdWrite {
		return q.Length
	}
	return 0
}

// ReadPayload reads the n bytes that follow a request, within lim.Payload.
func ReadPayload(r *bufio.Reader, n uint64, lim Limits) ([]byte, error) {
	return payload(r, "request payload", n, lim.Payload)
}

// commandFlags are the flags that the document allows with each command.
// NBD_CMD_FLAG_FUA is valid with all of them.
var commandFlags = [...]CommandFlags{
	CmdRead:        CmdFlagFUA | CmdFlagDF,
	CmdWrite:       CmdFlagFUA | CmdFlagPayloadLen,
	CmdDisc:        CmdFlagFUA,
	CmdFlush:       CmdFlagFUA,
	CmdTrim:        CmdFlagFUA,
	CmdCache:       CmdFlagFUA,
	CmdWriteZeroes: CmdFlagFUA | CmdFlagNoHole | CmdFlagFastZero,
	CmdBlockStatus: CmdFlagFUA | CmdFlagReqOne | CmdFlagPayloadLen,
	CmdResize:      CmdFlagFUA,
}

// AllowedFlags are the command flags that the document knows for c, whatever
// was negotiated; 0 for an unknown command.
func (c Command) AllowedFlags() CommandFlags {
	if int(c) >= len(commandFlags) {
		return 0
	}
	return commandFlags[c]
}

// Known reports whether the document, or an extension that it lists, defines the command.
func (c Command) Known() bool { return c <= CmdResize }

// Validate reports flags that the command does not have and, for
// NBD_CMD_DISC and NBD_CMD_FLUSH, a range where none belongs. It knows nothing
// of what was negotiated. Unknown commands are fine.
func (q Request) Validate() error {
	if !q.Type.Known() {
		return nil
	}
	if extra := q.Flags &^ q.Type.AllowedFlags(); extra != 0 {
		return malformed("cmdflag.documented", "%v does not take the flags %v", q.Type, extra)
	}
	if q.Offset == 0 && q.Length == 0 {
		return nil
	}
	switch q.Type {
	case CmdDisc:
		return malformed("cmd.disc.zero", "NBD_CMD_DISC has offset %d and length %d, both must be zero", q.Offset, q.Length)
	case CmdFlush:
		return malformed("cmd.flush.zero", "NBD_CMD_FLUSH has offset %d and length %d, both must be zero", q.Offset, q.Length)
	}
	return nil
}

func (q Request) String() string {
	return fmt.Sprintf("%v flags %v cookie %#x offset %d length %d", q.Type, q.Flags, q.Cookie, q.Offset, q.Length)
}
