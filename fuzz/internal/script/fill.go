package script

import (
	"encoding/binary"

	"nbdconform/reference/wire"
)

// A Fill says what a payload consists of.
type Fill uint8

// The fills that are not patterns. All others are bytes that differ from
// offset to offset and from fill to fill, and are never zero.
const (
	Zeroes   Fill = 0   // zeroes
	Requests Fill = 254 // requests to flush, as a server sees them that takes a payload for requests
	Magics   Fill = 255 // a pattern with the magic numbers of the protocol in it
)

// Append appends n bytes to b: what belongs at an offset of the export.
func (f Fill) Append(b []byte, offset, n uint64) []byte {
	at := len(b)
	b = append(b, make([]byte, n)...)
	p := b[at:]
	switch f {
	case Zeroes:
	case Requests:
		q := wire.Request{Type: wire.CmdFlush, Cookie: 0x666f6f6c}.Append(nil)
		for len(p) > 0 {
			p = p[copy(p, q):]
		}
	default:
		for i := range p {
			p[i] = f.At(offset + uint64(i))
		}
		if f == Magics {
			magics(p)
		}
	}
	return b
}

// At is the byte of a pattern at an offset of the export.
func (f Fill) At(offset uint64) byte {
	b := byte(offset*167) + byte(offset>>8)*59 + byte(offset>>16)*13 + byte(f)*31
	if b == 0 {
		return 0xa5
	}
	return b
}

func magics(p []byte) {
	at := 100
	for _, m := range []uint32{wire.RequestMagic, wire.SimpleReplyMagic, wire.StructuredMagic, wire.ExtendedRequest} {
		if at+4 <= len(p) {
			binary.BigEndian.PutUint32(p[at:], m)
		}
		at += 100
	}
}
