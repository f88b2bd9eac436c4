package wire

import "fmt"

// An Extent is a run of bytes with one status in a metadata context.
type Extent struct {
	Length uint64 // bytes; NBD_REPLY_TYPE_BLOCK_STATUS carries the lower 32 bits
	Status uint64 // flags, as the context defines them; likewise
}

func (e Extent) String() string { return fmt.Sprintf("%d:%#x", e.Length, e.Status) }

// BlockStatus is the payload of NBD_REPLY_TYPE_BLOCK_STATUS and, with
// AppendExtended, of NBD_REPLY_TYPE_BLOCK_STATUS_EXT.
type BlockStatus struct {
	ContextID uint32
	Extents   []Extent
}

// Append appends the payload of NBD_REPLY_TYPE_BLOCK_STATUS to b. It cuts
// lengths and statuses to 32 bits.
func (s BlockStatus) Append(b []byte) []byte {
	b = be.AppendUint32(b, s.ContextID)
	for _, e := range s.Extents {
		b = be.AppendUint32(b, uint32(e.Length))
		b = be.AppendUint32(b, uint32(e.Status))
	}
	return b
}

// AppendExtended appends the payload of NBD_REPLY_TYPE_BLOCK_STATUS_EXT to b.
func (s BlockStatus) AppendExtended(b []byte) []byte {
	b = be.AppendUint32(b, s.ContextID)
	b = be.AppendUint32(b, uint32(len(s.Extents)))
	for _, e := range s.Extents {
		b = be.AppendUint64(b, e.Length)
		b = be.AppendUint64(b, e.Status)
	}
	return b
}

// ParseBlockStatus parses b, the whole payload of NBD_REPLY_TYPE_BLOCK_STATUS.
func ParseBlockStatus(b []byte) (s BlockStatus, err error) {
	if len(b) < 12 || (len(b)-4)%8 != 0 {
		return s, malformed("chunk.block-status.length",
			"NBD_REPLY_TYPE_BLOCK_STATUS has length %d, 4 and a positive multiple of 8 is due", len(b))
	}
	s = BlockStatus{ContextID: be.Uint32(b), Extents: make([]Extent, 0, len(b)/8)}
	for b = b[4:]; len(b) > 0; b = b[8:] {
		s.Extents = append(s.Extents, Extent{Length: uint64(be.Uint32(b)), Status: uint64(be.Uint32(b[4:]))})
	}
	return s, nil
}

// ParseBlockStatusExt parses b, the whole payload of NBD_REPLY_TYPE_BLOCK_STATUS_EXT.
func ParseBlockStatusExt(b []byte) (s BlockStatus, err error) {
	if len(b) < 24 || (len(b)-8)%16 != 0 {
		return s, malformed("chunk.block-status-ext.length",
			"NBD_REPLY_TYPE_BLOCK_STATUS_EXT has length %d, 8 and a positive multiple of 16 is due", len(b))
	}
	if n := be.Uint32(b[4:]); uint64(n) != uint64(len(b)-8)/16 {
		return s, malformed("chunk.block-status-ext.count",
			"NBD_REPLY_TYPE_BLOCK_STATUS_EXT announces %d descriptors, %d are there", n, (len(b)-8)/16)
	}
	s = BlockStatus{ContextID: be.Uint32(b), Extents: make([]Extent, 0, len(b)/16)}
	for b = b[8:]; len(b) > 0; b = b[16:] {
		s.Extents = append(s.Extents, Extent{Length: be.Uint64(b), Status: be.Uint64(b[8:])})
	}
	return s, nil
}

// Validate reports a list without extents and extents of length zero.
func (s BlockStatus) Validate() error {
	if len(s.Extents) == 0 {
		return malformed("chunk.block-status.at-least-one", "block status of context %d has no extent", s.ContextID)
	}
	for i, e := range s.Extents {
		if e.Length == 0 {
			return malformed("chunk.block-status.extent-nonzero", "extent %d of context %d has length 0", i, s.ContextID)
		}
	}
	return nil
}

// A StatusFilter is the payload of an NBD_CMD_BLOCK_STATUS request with
// NBD_CMD_FLAG_PAYLOAD_LEN: the metadata contexts to answer for.
type StatusFilter struct {
	Length     uint64 // effect length, bytes
	ContextIDs []uint32
}

// Append appends the encoded payload to b.
func (f StatusFilter) Append(b []byte) []byte {
	b = be.AppendUint64(b, f.Length)
	for _, id := range f.ContextIDs {
		b = be.AppendUint32(b, id)
	}
	return b
}

// ParseStatusFilter parses b, the whole payload of the request.
func ParseStatusFilter(b []byte) (f StatusFilter, err error) {
	if len(b) < 8 || len(b)%4 != 0 {
		return f, malformed("cmd.block-status.payload.length",
			"the payload of NBD_CMD_BLOCK_STATUS has %d bytes, 8 and a multiple of 4 is due", len(b))
	}
	f.Length = be.Uint64(b)
	for b = b[8:]; len(b) > 0; b = b[4:] {
		f.ContextIDs = append(f.ContextIDs, be.Uint32(b))
	}
	return f, nil
}
