package wire

import "slices"

// An InfoRequest is the data of NBD_OPT_INFO and NBD_OPT_GO.
type InfoRequest struct {
	Export string // "" is the default export
	Infos  []InfoType
}

// Append appends the encoded data to b.
func (q InfoRequest) Append(b []byte) []byte {
	b = be.AppendUint32(b, uint32(len(q.Export)))
	b = append(b, q.Export...)
	b = be.AppendUint16(b, uint16(len(q.Infos)))
	for _, t := range q.Infos {
		b = be.AppendUint16(b, uint16(t))
	}
	return b
}

// ParseInfoRequest parses b, the whole data of the option.
func ParseInfoRequest(b []byte) (q InfoRequest, err error) {
	if len(b) < 6 {
		return q, malformed("layout.opt.info", "information request has %d bytes of data, at least 6 are due", len(b))
	}
	n := uint64(be.Uint32(b))
	if n > uint64(len(b)-6) {
		return q, malformed("opt.info.name-length", "the export name of an information request announces %d bytes, %d are left", n, len(b)-6)
	}
	q.Export, b = string(b[4:4+n]), b[4+n:]
	count := int(be.Uint16(b))
	if b = b[2:]; len(b) != 2*count {
		return q, malformed("layout.opt.info", "information request announces %d types, %d bytes are left", count, len(b))
	}
	for ; len(b) > 0; b = b[2:] {
		q.Infos = append(q.Infos, InfoType(be.Uint16(b)))
	}
	return q, nil
}

// Validate reports a name that is no string and information asked for twice.
func (q InfoRequest) Validate() error {
	seen := make(map[InfoType]bool, len(q.Infos))
	for _, t := range q.Infos {
		if seen[t] {
			return malformed("opt.info.requests-unique", "%v is requested more than once", t)
		}
		seen[t] = true
	}
	return client.text("export name", q.Export)
}

// Wants reports whether t is among the requested information.
func (q InfoRequest) Wants(t InfoType) bool { return slices.Contains(q.Infos, t) }
