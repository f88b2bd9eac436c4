package wire

// An Info is the data of NBD_REP_INFO: one piece of information about an export.
type Info struct {
	Type    InfoType
	Payload []byte // what follows the type
}

// Append appends the encoded data to b.
func (i Info) Append(b []byte) []byte {
	b = be.AppendUint16(b, uint16(i.Type))
	return append(b, i.Payload...)
}

// ParseInfo parses b, the whole data of the reply. Payload aliases b.
func ParseInfo(b []byte) (i Info, err error) {
	if len(b) < 2 {
		return i, malformed("layout.rep.info", "NBD_REP_INFO has %d bytes of data, at least 2 are due", len(b))
	}
	return Info{Type: InfoType(be.Uint16(b)), Payload: b[2:]}, nil
}

// Validate holds the payload against the rules for its type. Unknown types are fine.
func (i Info) Validate() error {
	switch i.Type {
	case InfoExport:
		e, err := ParseExportInfo(i.Payload)
		if err != nil {
			return err
		}
		return e.Flags.Validate()
	case InfoName:
		return server.text("NBD_INFO_NAME", string(i.Payload))
	case InfoDescription:
		return server.text("NBD_INFO_DESCRIPTION", string(i.Payload))
	case InfoBlockSize:
		return validate(ParseSizeConstraints(i.Payload))
	case InfoInitState:
		_, err := ParseInitFlags(i.Payload)
		return err
	}
	return nil
}

// An ExportInfo is the payload of NBD_INFO_EXPORT.
type ExportInfo struct {
	Size  uint64 // bytes
	Flags TransmissionFlags
}

// Info wraps e as NBD_INFO_EXPORT.
func (e ExportInfo) Info() Info {
	return Info{Type: InfoExport, Payload: be.AppendUint16(be.AppendUint64(nil, e.Size), uint16(e.Flags))}
}

// ParseExportInfo parses b, the whole payload of NBD_INFO_EXPORT.
func ParseExportInfo(b []byte) (e ExportInfo, err error) {
	if len(b) != 10 {
		return e, malformed("rep.info-export.length", "NBD_INFO_EXPORT has length %d, 12 is due", len(b)+2)
	}
	return ExportInfo{Size: be.Uint64(b), Flags: TransmissionFlags(be.Uint16(b[8:]))}, nil
}

// Validate reports flags that can't stand together. It knows nothing of what was negotiated.
func (f TransmissionFlags) Validate() error {
	switch {
	case f&FlagHasFlags == 0:
		return malformed("flag.transmission.has-flags", "transmission flags %v lack NBD_FLAG_HAS_FLAGS", f)
	case f&FlagSendFastZero != 0 && f&FlagSendWriteZeroes == 0:
		return malformed("flag.transmission.fast-zero.write-zeroes",
			"transmission flags %v have NBD_FLAG_SEND_FAST_ZERO without NBD_FLAG_SEND_WRITE_ZEROES", f)
	}
	return nil
}

// SizeConstraints are the payload of NBD_INFO_BLOCK_SIZE. Section "Size constraints".
type SizeConstraints struct {
	Minimum    uint32 // minimum block size, bytes
	Preferred  uint32 // preferred block size, bytes
	MaxPayload uint32 // maximum payload size, bytes; 0xffffffff: no limit
}

// DefaultSizeConstraints hold where nothing was said.
var DefaultSizeConstraints = SizeConstraints{Minimum: 1, Preferred: DefaultPreferred, MaxPayload: DefaultMaxPayload}

// Info wraps s as NBD_INFO_BLOCK_SIZE.
func (s SizeConstraints) Info() Info {
	b := be.AppendUint32(nil, s.Minimum)
	b = be.AppendUint32(b, s.Preferred)
	return Info{Type: InfoBlockSize, Payload: be.AppendUint32(b, s.MaxPayload)}
}

// ParseSizeConstraints parses b, the whole payload of NBD_INFO_BLOCK_SIZE.
func ParseSizeConstraints(b []byte) (s SizeConstraints, err error) {
	if len(b) != 12 {
		return s, malformed("rep.info-block-size.length", "NBD_INFO_BLOCK_SIZE has length %d, 14 is due", len(b)+2)
	}
	return SizeConstraints{Minimum: be.Uint32(b), Preferred: be.Uint32(b[4:]), MaxPayload: be.Uint32(b[8:])}, nil
}

// Validate holds the three sizes against section "Size constraints".
func (s SizeConstraints) Validate() error {
	switch {
	case !powerOf2(s.Minimum):
		return malformed("size.minimum.power-of-2", "minimum block size %d is not a power of 2", s.Minimum)
	case s.Minimum > MaxMinimumBlock:
		return malformed("size.minimum.max", "minimum block size %d is larger than %d", s.Minimum, MaxMinimumBlock)
	case !powerOf2(s.Preferred):
		return malformed("size.preferred.power-of-2", "preferred block size %d is not a power of 2", s.Preferred)
	case s.Preferred < max(s.Minimum, 512):
		return malformed("size.preferred.min",
			"preferred block size %d is smaller than %d", s.Preferred, max(s.Minimum, 512))
	case s.MaxPayload < s.Preferred:
		return malformed("size.max-payload.preferred",
			"maximum payload size %d is smaller than the preferred block size %d", s.MaxPayload, s.Preferred)
	}
	return nil
}

func powerOf2(n uint32) bool { return n != 0 && n&(n-1) == 0 }
