package wire

import "bufio"

// GreetingSize is the size of a [Greeting], in bytes.
const GreetingSize = 18

// A Greeting is the server's first message in newstyle negotiation.
// Section "Newstyle negotiation".
type Greeting struct {
	Flags HandshakeFlags
}

// Append appends the encoded greeting to b.
func (g Greeting) Append(b []byte) []byte {
	b = be.AppendUint64(b, InitPasswd)
	b = be.AppendUint64(b, OptionMagic)
	return be.AppendUint16(b, uint16(g.Flags))
}

// Validate reports flags that the document does not define.
func (g Greeting) Validate() error {
	if extra := g.Flags &^ knownHandshakeFlags; extra != 0 {
		return malformed("flag.handshake.unknown", "handshake flags %v have undefined bits %#x", g.Flags, uint16(extra))
	}
	return nil
}

// OldGreetingSize is the size of an [OldGreeting], in bytes.
const OldGreetingSize = 28 + ReservedZeroes

// An OldGreeting is the whole of the oldstyle handshake.
// Section "Oldstyle negotiation".
type OldGreeting struct {
	Size  uint64 // of the export, in bytes
	Flags uint32 // the lower 16 bits are transmission flags
}

// Append appends the encoded greeting to b.
func (g OldGreeting) Append(b []byte) []byte {
	b = be.AppendUint64(b, InitPasswd)
	b = be.AppendUint64(b, CliservMagic)
	b = be.AppendUint64(b, g.Size)
	b = be.AppendUint32(b, g.Flags)
	return append(b, make([]byte, ReservedZeroes)...)
}

// ParseGreeting parses a newstyle greeting at the start of b.
func ParseGreeting(b []byte) (g Greeting, n int, err error) {
	if err := magic64(b, 0, InitPasswd, "layout.greeting", "greeting"); err != nil {
		return g, 0, err
	}
	if err := magic64(b, 8, OptionMagic, "layout.greeting", "greeting"); err != nil {
		return g, 0, err
	}
	if len(b) < GreetingSize {
		return g, 0, errShort
	}
	return Greeting{Flags: HandshakeFlags(be.Uint16(b[16:]))}, GreetingSize, nil
}

// ParseOldGreeting parses an oldstyle greeting at the start of b. The reserved
// bytes behind it must be zero.
func ParseOldGreeting(b []byte) (g OldGreeting, n int, err error) {
	if err := magic64(b, 0, InitPasswd, "", "oldstyle greeting"); err != nil {
		return g, 0, err
	}
	if err := magic64(b, 8, CliservMagic, "", "oldstyle greeting"); err != nil {
		return g, 0, err
	}
	if err := reserved(b[min(28, len(b)):min(OldGreetingSize, len(b))], "", "the oldstyle greeting"); err != nil {
		return g, 0, err
	}
	if len(b) < OldGreetingSize {
		return g, 0, errShort
	}
	return OldGreeting{Size: be.Uint64(b[16:]), Flags: be.Uint32(b[24:])}, OldGreetingSize, nil
}

// ReadGreeting reads a newstyle greeting.
func ReadGreeting(r *bufio.Reader) (Greeting, error) {
	return readFixed(r, GreetingSize, ParseGreeting)
}

// ReadOldGreeting reads an oldstyle greeting.
func ReadOldGreeting(r *bufio.Reader) (OldGreeting, error) {
	return readFixed(r, OldGreetingSize, ParseOldGreeting)
}

// ClientFlagsSize is the size of the client's flags on the wire, in bytes.
const ClientFlagsSize = 4

// Append appends the encoded flags to b.
func (f ClientFlags) Append(b []byte) []byte { return be.AppendUint32(b, uint32(f)) }

// ParseClientFlags parses the client's flags at the start of b.
func ParseClientFlags(b []byte) (f ClientFlags, n int, err error) {
	if len(b) < ClientFlagsSize {
		return 0, 0, errShort
	}
	return ClientFlags(be.Uint32(b)), ClientFlagsSize, nil
}

// ReadClientFlags reads the client's flags.
func ReadClientFlags(r *bufio.Reader) (ClientFlags, error) {
	return readFixed(r, ClientFlagsSize, ParseClientFlags)
}

// Validate holds the client's flags against what the server offered. The
// document lets a client set NBD_FLAG_C_FIXED_NEWSTYLE unasked; a server that
// did not offer it must drop such a client all the same, so it is reported.
func (f ClientFlags) Validate(offered HandshakeFlags) error {
	if extra := f &^ (FlagCFixedNewstyle | FlagCNoZeroes); extra != 0 {
		return malformed("flag.client.unknown", "client flags %v have undefined bits %#x", f, uint32(extra))
	}
	if f&FlagCNoZeroes != 0 && offered&FlagNoZeroes == 0 {
		return malformed("flag.client.no-zeroes", "client flags %v have NBD_FLAG_C_NO_ZEROES, the server offered %v", f, offered)
	}
	if f&FlagCFixedNewstyle != 0 && offered&FlagFixedNewstyle == 0 {
		return malformed("flag.client.unoffered.drop", "client flags %v have NBD_FLAG_C_FIXED_NEWSTYLE, the server offered %v", f, offered)
	}
	return nil
}
