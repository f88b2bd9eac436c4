package wire

import (
	"bufio"
	"fmt"
)

// OptionHeaderSize is the size of an option without its data, in bytes.
const OptionHeaderSize = 16

// An OptionHeader opens an option. Section "Newstyle negotiation".
type OptionHeader struct {
	Option Option
	Length uint32 // of the data that follows, in bytes
}

// Append appends the encoded header to b.
func (h OptionHeader) Append(b []byte) []byte {
	b = be.AppendUint64(b, OptionMagic)
	b = be.AppendUint32(b, uint32(h.Option))
	return be.AppendUint32(b, h.Length)
}

// ParseOptionHeader parses an option header at the start of b.
func ParseOptionHeader(b []byte) (h OptionHeader, n int, err error) {
	if err := magic64(b, 0, OptionMagic, "layout.option.magic", "option"); err != nil {
		return h, 0, err
	}
	if len(b) < OptionHeaderSize {
		return h, 0, errShort
	}
	return OptionHeader{Option: Option(be.Uint32(b[8:])), Length: be.Uint32(b[12:])}, OptionHeaderSize, nil
}

// ReadOptionHeader reads an option header.
func ReadOptionHeader(r *bufio.Reader) (OptionHeader, error) {
	return readFixed(r, OptionHeaderSize, ParseOptionHeader)
}

// An OptionRequest is an option with its data.
type OptionRequest struct {
	Option Option
	Data   []byte
}

// Append appends the encoded option to b.
func (o OptionRequest) Append(b []byte) []byte {
	b = OptionHeader{Option: o.Option, Length: uint32(len(o.Data))}.Append(b)
	return append(b, o.Data...)
}

// ParseOptionRequest parses an option at the start of b. Data aliases b.
func ParseOptionRequest(b []byte) (o OptionRequest, n int, err error) {
	h, n, err := ParseOptionHeader(b)
	if err != nil {
		return o, 0, err
	}
	if uint64(len(b)-n) < uint64(h.Length) {
		return o, 0, errShort
	}
	end := n + int(h.Length)
	return OptionRequest{Option: h.Option, Data: b[n:end:end]}, end, nil
}

// ReadOptionRequest reads an option whose data is within lim.Option.
func ReadOptionRequest(r *bufio.Reader, lim Limits) (OptionRequest, error) {
	h, err := ReadOptionHeader(r)
	if err != nil {
		return OptionRequest{}, err
	}
	data, err := ReadOptionData(r, h, lim)
	return OptionRequest{Option: h.Option, Data: data}, err
}

// ReadOptionData reads the data that h announces, within lim.Option.
func ReadOptionData(r *bufio.Reader, h OptionHeader, lim Limits) ([]byte, error) {
	return payload(r, h.Option.String(), uint64(h.Length), lim.Option)
}

// Validate holds the data against the rules for its option. Unknown options are
// fine, and so is data behind NBD_OPT_ABORT, which a server should overlook.
func (o OptionRequest) Validate() error {
	switch o.Option {
	case OptExportName:
		return client.text("export name", string(o.Data))
	case OptList:
		return o.empty("opt.list.no-data")
	case OptStartTLS:
		return o.empty("opt.starttls.no-data")
	case OptStructuredReply:
		return o.empty("opt.structured-reply.no-data")
	case OptExtendedHeaders:
		return o.empty("opt.extended-headers.no-data")
	case OptInfo, OptGo:
		return validate(ParseInfoRequest(o.Data))
	case OptListMetaContext:
		return validate(ParseMetaContextRequest(o.Data))
	case OptSetMetaContext:
		q, err := ParseMetaContextRequest(o.Data)
		if err != nil {
			return err
		}
		return q.validate("opt.set-meta.query-syntax")
	}
	return nil
}

func (o OptionRequest) empty(clause string) error {
	if len(o.Data) == 0 {
		return nil
	}
	return malformed(clause, "%v carries %d bytes", o.Option, len(o.Data))
}

func (o OptionRequest) String() string {
	return fmt.Sprintf("%v length %d", o.Option, len(o.Data))
}

// OptionReplyHeaderSize is the size of an option reply without its data, in bytes.
const OptionReplyHeaderSize = 20

// An OptionReplyHeader opens an option reply. Section "Fixed newstyle negotiation".
type OptionReplyHeader struct {
	Option Option
	Type   ReplyType
	Length uint32 // of the data that follows, in bytes
}

// Append appends the encoded header to b.
func (h OptionReplyHeader) Append(b []byte) []byte {
	b = be.AppendUint64(b, OptionReplyMagic)
	b = be.AppendUint32(b, uint32(h.Option))
	b = be.AppendUint32(b, uint32(h.Type))
	return be.AppendUint32(b, h.Length)
}

// ParseOptionReplyHeader parses an option reply header at the start of b.
func ParseOptionReplyHeader(b []byte) (h OptionReplyHeader, n int, err error) {
	if err := magic64(b, 0, OptionReplyMagic, "layout.option-reply.magic", "option reply"); err != nil {
		return h, 0, err
	}
	if len(b) < OptionReplyHeaderSize {
		return h, 0, errShort
	}
	return OptionReplyHeader{
		Option: Option(be.Uint32(b[8:])), Type: ReplyType(be.Uint32(b[12:])), Length: be.Uint32(b[16:]),
	}, OptionReplyHeaderSize, nil
}

// ReadOptionReplyHeader reads an option reply header.
func ReadOptionReplyHeader(r *bufio.Reader) (OptionReplyHeader, error) {
	return readFixed(r, OptionReplyHeaderSize, ParseOptionReplyHeader)
}

// An OptionReply is one reply to an option, with its data.
type OptionReply struct {
	Option Option
	Type   ReplyType
	Data   []byte
}

// Append appends the encoded reply to b.
func (p OptionReply) Append(b []byte) []byte {
	b = OptionReplyHeader{Option: p.Option, Type: p.Type, Length: uint32(len(p.Data))}.Append(b)
	return append(b, p.Data...)
}

// ParseOptionReply parses an option reply at the start of b. Data aliases b.
func ParseOptionReply(b []byte) (p OptionReply, n int, err error) {
	h, n, err := ParseOptionReplyHeader(b)
	if err != nil {
		return p, 0, err
	}
	if uint64(len(b)-n) < uint64(h.Length) {
		return p, 0, errShort
	}
	end := n + int(h.Length)
	return OptionReply{Option: h.Option, Type: h.Type, Data: b[n:end:end]}, end, nil
}

// ReadOptionReply reads an option reply whose data is within lim.Reply.
func ReadOptionReply(r *bufio.Reader, lim Limits) (OptionReply, error) {
	h, err := ReadOptionReplyHeader(r)
	if err != nil {
		return OptionReply{}, err
	}
	data, err := payload(r, h.Type.String(), uint64(h.Length), lim.Reply)
	return OptionReply{Option: h.Option, Type: h.Type, Data: data}, err
}

// Validate holds the reply against the rules for its type: NBD_REP_ACK has no
// data, the data of the others has its layout, and the text of an error is a string.
func (p OptionReply) Validate() error {
	switch {
	case p.Type == RepAck && len(p.Data) > 0:
		return malformed("layout.rep.ack", "NBD_REP_ACK carries %d bytes", len(p.Data))
	case p.Type.IsError():
		return server.text("the text of "+p.Type.String(), string(p.Data))
	case p.Type == RepServer:
		return validate(ParseServerReply(p.Data))
	case p.Type == RepMetaContext:
		return validate(ParseMetaContext(p.Data))
	case p.Type == RepInfo:
		return validate(ParseInfo(p.Data))
	}
	return nil
}

func (p OptionReply) String() string {
	if p.Type.IsError() && len(p.Data) > 0 {
		return fmt.Sprintf("%v to %v: %q", p.Type, p.Option, p.Data)
	}
	return fmt.Sprintf("%v to %v length %d", p.Type, p.Option, len(p.Data))
}
