package client

import (
	"time"

	"nbdconform/reference/wire"
)

// A Config says how to negotiate and how to behave. The zero value asks for the
// default export with everything that the client supports but extended headers.
type Config struct {
	Export string // name of the export that Connect chooses; "" is the default export

	TLS TLS // the zero value does without

	// Oldstyle puts up with a server that speaks oldstyle negotiation, where
	// the server alone decides on the export. Otherwise it is an error.
	Oldstyle bool

	// Dialect is a draft that the server is known to speak, in place of what
	// has its numbers now. A server can't be asked.
	Dialect wire.Dialect

	SimpleReplies bool // do not ask for structured replies
	// ExtendedHeaders asks for extended headers, and falls back to what the
	// client does without where the server does not have them.
	ExtendedHeaders bool
	Zeroes          bool // do not set NBD_FLAG_C_NO_ZEROES
	// AnyBlockSize leaves NBD_INFO_BLOCK_SIZE out of NBD_OPT_GO: the client
	// makes no promise to keep to the server's size constraints. If they are
	// advertised all the same, it keeps to them.
	AnyBlockSize bool
	// MetaContexts are the queries of the NBD_OPT_SET_META_CONTEXT that Connect
	// sends. Without structured replies and extended headers none is sent.
	MetaContexts []string
	Infos        []wire.InfoType // information to request besides NBD_INFO_BLOCK_SIZE

	// Limits bound what the server can make the client allocate for one
	// message. The zero value is wire.DefaultLimits.
	Limits wire.Limits
	// MaxRequest is the largest payload of a single read or write, in bytes;
	// longer ones are split. 0 is 2^25. The server's maximum payload size holds
	// in any case, and the minimum block size is never split.
	MaxRequest uint32
	// MaxInFlight is how many requests can be without their final reply at
	// once; more wait their turn. 0 is 1024.
	MaxInFlight int
	// Grace is how long the client waits where the document wants it to and the
	// server could make it wait forever: for the end of the connection after a
	// disconnect, for pending replies after NBD_ESHUTDOWN, for room to send the
	// rest of a request whose context ended. 0 is five seconds.
	Grace time.Duration

	Hooks *Hooks // nil: the client behaves
}

func (c Config) withDefaults() Config {
	if c.Limits == (wire.Limits{}) {
		c.Limits = wire.DefaultLimits
	}
	if c.MaxRequest == 0 {
		c.MaxRequest = wire.DefaultMaxPayload
	}
	if c.MaxInFlight <= 0 {
		c.MaxInFlight = 1024
	}
	if c.Grace <= 0 {
		c.Grace = 5 * time.Second
	}
	return c
}

// Bounds against a server that answers without end, beside Config.Limits.
const (
	maxOptionReplies = 1 << 16 // replies to one option
	maxOptionBytes   = 1 << 24 // data of all replies to one option together
	maxSpans         = 1 << 16 // gaps between the content chunks of one reply
	maxErrorChunks   = 1 << 12 // error chunks in one reply
)
