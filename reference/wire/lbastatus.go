package wire

import (
	"bufio"
	"fmt"
)

// Numbers of the GET_LBA_STATUS draft, dialect [GetLBAStatus]. They have no
// type, since by their types they mean NBD_CMD_BLOCK_STATUS and NBD_FLAG_SEND_DF.
const (
	CmdGetLBAStatus      = 7
	FlagSendGetLBAStatus = 1 << 7
)

// An LBAType is the type of information that NBD_CMD_GET_LBA_STATUS asks for.
// It takes the place of the command flags.
type LBAType uint16

// The types that the draft defines.
const (
	LBAAllocated LBAType = 0 // NBD_FLAG_GET_ALLOCATED
	LBADirty     LBAType = 1 // NBD_FLAG_GET_DIRTY
)

func (t LBAType) String() string {
	switch t {
	case LBAAllocated:
		return "NBD_FLAG_GET_ALLOCATED"
	case LBADirty:
		return "NBD_FLAG_GET_DIRTY"
	}
	return fmt.Sprintf("LBAType(%d)", uint16(t))
}

// States of an extent, for each type. They are values, not bits.
const (
	LBAStateAllocated   = 0 // NBD_STATE_ALLOCATED
	LBAStateZeroed      = 1 // NBD_STATE_ZEROED: allocated, and zeroes
	LBAStateDeallocated = 2 // NBD_STATE_DEALLOCATED: anything may be read

	LBAStateDirty = 0 // NBD_STATE_DIRTY
	LBAStateClean = 1 // NBD_STATE_CLEAN
)

// LBADescriptorSize is the size of an LBA status descriptor, in bytes.
const LBADescriptorSize = 14

// An LBADescriptor is the status of one extent.
type LBADescriptor struct {
	Offset uint64 // bytes
	Length uint32 // bytes
	Status uint16
}

func (d LBADescriptor) String() string {
	return fmt.Sprintf("%d+%d:%d", d.Offset, d.Length, d.Status)
}

// LBAStatus is the parameter data of a successful NBD_CMD_GET_LBA_STATUS.
type LBAStatus []LBADescriptor

// Append appends the encoded descriptors to b.
func (s LBAStatus) Append(b []byte) []byte {
	for _, d := range s {
		b = be.AppendUint64(b, d.Offset)
		b = be.AppendUint32(b, d.Length)
		b = be.AppendUint16(b, d.Status)
	}
	return b
}

// ParseLBAStatus parses b, the whole parameter data.
func ParseLBAStatus(b []byte) (LBAStatus, error) {
	if len(b)%LBADescriptorSize != 0 {
		return nil, malformed("get-lba-status.descriptors",
			"the parameter data has %d bytes, a multiple of %d is due", len(b), LBADescriptorSize)
	}
	s := make(LBAStatus, 0, len(b)/LBADescriptorSize)
	for ; len(b) > 0; b = b[LBADescriptorSize:] {
		s = append(s, LBADescriptor{Offset: be.Uint64(b), Length: be.Uint32(b[8:]), Status: be.Uint16(b[12:])})
	}
	return s, nil
}

// LBAData is what follows the simple reply to NBD_CMD_GET_LBA_STATUS: the
// length of the parameter data, in 32 bits, and the data. Behind an error the
// data may be invalid.
type LBAData []byte

// Append appends the length and the data to b.
func (d LBAData) Append(b []byte) []byte {
	return append(be.AppendUint32(b, uint32(len(d))), d...)
}

// ParseLBAData parses a length and as much data at the start of b, which the
// result aliases.
func ParseLBAData(b []byte) (d LBAData, n int, err error) {
	if len(b) < 4 || uint64(len(b)-4) < uint64(be.Uint32(b)) {
		return nil, 0, errShort
	}
	n = 4 + int(be.Uint32(b))
	return LBAData(b[4:n:n]), n, nil
}

// ReadLBAData reads a length and as much data, within lim.Payload.
func ReadLBAData(r *bufio.Reader, lim Limits) (LBAData, error) {
	b, err := peek(r, 4)
	if err != nil {
		return nil, err
	}
	n := be.Uint32(b)
	_, _ = r.Discard(4) // can't fail: the bytes were peeked at
	return payload(r, "NBD_CMD_GET_LBA_STATUS", uint64(n), lim.Payload)
}
