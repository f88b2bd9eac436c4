package wire

// A ServerReply is the data of NBD_REP_SERVER: one export in a list.
type ServerReply struct {
	Name    string
	Details string // for people; often empty
}

// Append appends the encoded data to b.
func (s ServerReply) Append(b []byte) []byte {
	b = be.AppendUint32(b, uint32(len(s.Name)))
	b = append(b, s.Name...)
	return append(b, s.Details...)
}

// ParseServerReply parses b, the whole data of the reply.
func ParseServerReply(b []byte) (s ServerReply, err error) {
	if len(b) < 4 {
		return s, malformed("rep.server.name-length", "NBD_REP_SERVER has %d bytes of data, at least 4 are due", len(b))
	}
	name, rest, err := take(b[4:], be.Uint32(b), "rep.server.name-length", "the export name of NBD_REP_SERVER")
	return ServerReply{Name: name, Details: string(rest)}, err
}

// Validate reports a name or details that are no strings.
func (s ServerReply) Validate() error {
	if err := server.text("export name", s.Name); err != nil {
		return err
	}
	return server.text("export details", s.Details)
}
