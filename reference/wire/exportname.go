package wire

import "bufio"

// ExportNameReplySize is the size of an [ExportNameReply] without the reserved zeroes, in bytes.
const ExportNameReplySize = 10

// An ExportNameReply is the server's answer to NBD_OPT_EXPORT_NAME, which has no
// reply header. Section "Newstyle negotiation".
type ExportNameReply struct {
	Size   uint64 // of the export, in bytes
	Flags  TransmissionFlags
	Zeroes bool // 124 reserved bytes follow: NBD_FLAG_C_NO_ZEROES was not negotiated
}

// Append appends the encoded answer to b.
func (e ExportNameReply) Append(b []byte) []byte {
	b = be.AppendUint64(b, e.Size)
	b = be.AppendUint16(b, uint16(e.Flags))
	if e.Zeroes {
		b = append(b, make([]byte, ReservedZeroes)...)
	}
	return b
}

// ParseExportNameReply parses the answer at the start of b, which has the
// reserved bytes if zeroes is true. They must be zero.
func ParseExportNameReply(b []byte, zeroes bool) (e ExportNameReply, n int, err error) {
	n = ExportNameReplySize
	if zeroes {
		n += ReservedZeroes
	}
	if err := reserved(b[min(ExportNameReplySize, len(b)):min(n, len(b))], "layout.export-name.reserved", "the answer to NBD_OPT_EXPORT_NAME"); err != nil {
		return e, 0, err
	}
	if len(b) < n {
		return e, 0, errShort
	}
	return ExportNameReply{Size: be.Uint64(b), Flags: TransmissionFlags(be.Uint16(b[8:])), Zeroes: zeroes}, n, nil
}

// ReadExportNameReply reads the answer to NBD_OPT_EXPORT_NAME.
func ReadExportNameReply(r *bufio.Reader, zeroes bool) (ExportNameReply, error) {
	size := ExportNameReplySize
	if zeroes {
		size += ReservedZeroes
	}
	return readFixed(r, size, func(b []byte) (ExportNameReply, int, error) { return ParseExportNameReply(b, zeroes) })
}
