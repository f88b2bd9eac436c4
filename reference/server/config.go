package server

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"nbdconform/reference/export"
	"nbdconform/reference/wire"
)

// A Config says what a server serves, and how. The zero value of each field
// but Exports is a reasonable default.
type Config struct {
	Exports   []Export // in the order of NBD_OPT_LIST
	NoDefault bool     // the empty name does not select the first export

	HandshakeTimeout time.Duration // from the greeting to the transmission phase; 0: one minute, negative: none
	OptionLimit      uint32        // data of an option that is read into memory, bytes; 0: 64 KiB
	PayloadLimit     uint32        // the largest maximum payload size of an export, bytes; more is not advertised either; 0: 32 MiB
	DiscardLimit     uint32        // refused data that is read to stay in sync, beyond which the session ends, bytes; 0: 64 MiB
	InFlight         int           // payload of the requests that a connection works on, bytes; 0: 64 MiB
	AllInFlight      int           // the same of all connections, beyond which requests fail with NBD_ENOMEM, bytes; 0: 2 GiB
	Workers          int           // requests that a connection works on at once; 0: 16
	MaxExtents       int           // descriptors per block status chunk; 0: 16384
	MaxConnections   int           // connections beyond it are closed at once; 0: no limit

	// Handshake is how old the negotiation is; the zero value is up to date.
	// TLS needs that.
	Handshake Handshake

	// Dialect is a draft that the server speaks in place of what has its
	// numbers now; the zero value is the protocol of the specification.
	Dialect wire.Dialect

	TLS TLS
	// StartTLS is the error that refuses NBD_OPT_STARTTLS without TLS:
	// NBD_REP_ERR_UNSUP (0 stands for it) or NBD_REP_ERR_POLICY.
	StartTLS wire.ReplyType

	// NoStructuredReplies refuses NBD_OPT_STRUCTURED_REPLY and the options that
	// need it, as servers do that don't know it. It needs NoExtendedHeaders.
	NoStructuredReplies bool
	// NoExtendedHeaders refuses NBD_OPT_EXTENDED_HEADERS, as servers do that
	// don't know it.
	NoExtendedHeaders bool
	// SimpleSuccess sends a simple reply for success where the specification
	// leaves the choice between that and a chunk: it saves clients a system call.
	// Errors have a text, and so are sent in a chunk.
	SimpleSuccess bool
	// UnannouncedWrites accepts data after every NBD_CMD_WRITE with extended
	// headers, also without NBD_CMD_FLAG_PAYLOAD_LEN, which "MUST use the flag".
	// By the specification there is no payload then. QEMU's client sends such
	// writes.
	UnannouncedWrites bool

	Hooks     *Hooks       // of all connections; nil: none
	ConnHooks func() Hooks // makes the hooks of one connection, and replaces Hooks; nil: none

	Log *slog.Logger // nil: nothing is logged
}

// An Export is a disk with a name, and what clients are told about it.
type Export struct {
	Name        string // canonical; "" is a name like others
	Description string
	Disk        export.Export

	ReadOnly   bool
	Rotational bool
	Resizable  bool // offers NBD_CMD_RESIZE; the disk has to be an [export.Resizer]
	Hidden     bool // not in NBD_OPT_LIST
	TLSOnly    bool // needs TLS in SELECTIVETLS mode too

	// InitState answers requests for NBD_INFO_INIT_STATE, which is a proposal
	// and in no document, with the state of the disk at that moment.
	InitState bool

	// Omit has the transmission flags of features that are not offered; their
	// commands and command flags are refused.
	Omit wire.TransmissionFlags

	// Constraints are enforced, and advertised where asked for and where they
	// are not the defaults. The zero value stands for the defaults.
	Constraints wire.SizeConstraints
	// RequireBlockSize refuses clients that don't ask for NBD_INFO_BLOCK_SIZE,
	// if the constraints are not the defaults.
	RequireBlockSize bool

	// Gate is asked before each request is done, and may take its time: the
	// requests of an export that has one are not done while others are read.
	// nil: none.
	Gate export.Gate

	// Contexts are the metadata contexts that can be selected; nil: those
	// that the disk has. An empty slice: none.
	Contexts []string
}

// withDefaults sets defaults for fields that are zero, and rejects what can't be
// served.
func (c Config) withDefaults() (Config, error) {
	def(&c.HandshakeTimeout, time.Minute)
	def(&c.OptionLimit, 64<<10)
	def(&c.PayloadLimit, wire.DefaultMaxPayload)
	def(&c.DiscardLimit, 2*wire.DefaultMaxPayload)
	def(&c.InFlight, 2*wire.DefaultMaxPayload)
	def(&c.AllInFlight, 2<<30)
	def(&c.Workers, 16)
	def(&c.MaxExtents, 16<<10)
	def(&c.StartTLS, wire.RepErrUnsup)

	if int(c.Dialect) >= len(wire.Dialects()) {
		return c, fmt.Errorf("unknown dialect %v", c.Dialect)
	}
	if !c.Dialect.Chunks() {
		c.NoStructuredReplies, c.NoExtendedHeaders = true, true
	}
	c.Exports = append([]Export(nil), c.Exports...)
	names := make(map[string]bool)
	for i := range c.Exports {
		e := &c.Exports[i]
		if e.Disk == nil {
			return c, fmt.Errorf("export %q has no disk", e.Name)
		}
		if _, ok := e.Disk.(export.Resizer); e.Resizable && !ok {
			return c, fmt.Errorf("the disk of export %q can't be resized", e.Name)
		}
		if names[e.Name] {
			return c, fmt.Errorf("export %q is there twice", e.Name)
		}
		names[e.Name] = true
		if e.Constraints == (wire.SizeConstraints{}) {
			e.Constraints = wire.DefaultSizeConstraints
		}
		// More would be refused, so it is not advertised.
		e.Constraints.MaxPayload = min(e.Constraints.MaxPayload, c.PayloadLimit)
		if e.Contexts == nil {
			e.Contexts = export.ContextsOf(e.Disk)
		}
		if err := errors.Join(wire.ValidateString("export name", e.Name),
			wire.ValidateString("description", e.Description), e.Constraints.Validate()); err != nil {
			return c, fmt.Errorf("export %q: %w", e.Name, err)
		}
	}
	if c.NoStructuredReplies && !c.NoExtendedHeaders {
		return c, errors.New("extended headers come with structured replies: switch off both")
	}
	if c.Handshake == Oldstyle && c.find("") == nil {
		return c, errors.New("oldstyle negotiation takes a default export")
	}
	if c.Handshake != FixedNewstyle && c.TLS.Mode != NoTLS {
		return c, fmt.Errorf("%v takes fixed newstyle negotiation: there is no TLS before it", c.TLS.Mode)
	}
	return c, c.TLS.validate(c.Exports)
}

func def[T comparable](p *T, value T) {
	var zero T
	if *p == zero {
		*p = value
	}
}

// find returns the export that a client calls name, or nil. The empty name is the
// default export, the first one.
func (c *Config) find(name string) *Export {
	for i := range c.Exports {
		if c.Exports[i].Name == name {
			return &c.Exports[i]
		}
	}
	if name == "" && !c.NoDefault && len(c.Exports) > 0 {
		return &c.Exports[0]
	}
	return nil
}
