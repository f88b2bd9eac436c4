package usage

import (
	"fmt"
	"strings"

	"nbdconform/reference/export"
	"nbdconform/reference/wire"
)

// The names of extensions. Those of TLS can't be told from a transcript: who
// set the conversation up knows.
const (
	Oldstyle          = "oldstyle negotiation"
	Newstyle          = "newstyle negotiation"
	FixedNewstyle     = "fixed newstyle negotiation"
	SimpleReplies     = "simple replies"
	StructuredReplies = "structured replies"
	ExtendedHeaders   = "extended headers"
	X509              = "TLS with X.509 certificates"
	PSK               = "TLS with pre-shared keys"
	Anonymous         = "TLS without authentication"
	LBAStatus         = "dialect GET_LBA_STATUS of 2016"
	WriteZeroesRFC    = "dialect WRITE_ZEROES of 2016"
)

var extensions = []string{
	Oldstyle, Newstyle, FixedNewstyle, SimpleReplies, StructuredReplies, ExtendedHeaders,
	X509, PSK, Anonymous, LBAStatus, WriteZeroesRFC,
}

// The magic numbers that open messages.
const (
	requestMagic    = "NBD_REQUEST_MAGIC"
	extendedRequest = "NBD_EXTENDED_REQUEST_MAGIC"
	simpleReply     = "NBD_SIMPLE_REPLY_MAGIC"
	structuredReply = "NBD_STRUCTURED_REPLY_MAGIC"
	extendedReply   = "NBD_EXTENDED_REPLY_MAGIC"
)

// contexts are the metadata contexts, those with names of the server's own by
// what their names begin with.
var contexts = []string{export.BaseAllocation, export.AllocationDepth, export.DirtyBitmap}

// All lists every item there is: what package wire has names for, and the
// extensions that the numbers make up.
func All() []Item {
	var list []Item
	add := func(k Kind, names ...string) {
		for _, n := range names {
			list = append(list, Item{k, n})
		}
	}
	add(Extension, extensions...)
	add(Magic, requestMagic, extendedRequest, simpleReply, structuredReply, extendedReply)
	add(HandshakeFlag, flags("NBD_FLAG_", 16, func(n uint64) fmt.Stringer { return wire.HandshakeFlags(n) })...)
	add(ClientFlag, flags("NBD_FLAG_C_", 32, func(n uint64) fmt.Stringer { return wire.ClientFlags(n) })...)
	add(Option, numbers(0, 64, func(n uint64) fmt.Stringer { return wire.Option(n) })...)
	add(Reply, numbers(0, 64, func(n uint64) fmt.Stringer { return wire.ReplyType(n) })...)
	add(Reply, numbers(1<<31, 64, func(n uint64) fmt.Stringer { return wire.ReplyType(n) })...)
	add(Info, numbers(0, 64, func(n uint64) fmt.Stringer { return wire.InfoType(n) })...)
	add(TransmissionFlag, flags("NBD_FLAG_", 16, func(n uint64) fmt.Stringer { return wire.TransmissionFlags(n) })...)
	add(Command, numbers(0, 64, func(n uint64) fmt.Stringer { return wire.Command(n) })...)
	add(CommandFlag, flags("NBD_CMD_FLAG_", 16, func(n uint64) fmt.Stringer { return wire.CommandFlags(n) })...)
	add(Chunk, numbers(0, 64, func(n uint64) fmt.Stringer { return wire.ChunkType(n) })...)
	add(Chunk, numbers(1<<15, 64, func(n uint64) fmt.Stringer { return wire.ChunkType(n) })...)
	add(ReplyFlag, flags("NBD_REPLY_FLAG_", 16, func(n uint64) fmt.Stringer { return wire.ReplyFlags(n) })...)
	add(Context, contexts...)
	add(StateFlag, flags("NBD_STATE_", 32, func(n uint64) fmt.Stringer { return wire.StateFlags(n) })...)
	add(InitFlag, flags("NBD_INIT_", 16, func(n uint64) fmt.Stringer { return wire.InitFlags(n) })...)
	add(Error, numbers(1, 200, func(n uint64) fmt.Stringer { return wire.Errno(n) })...)
	return list
}

// numbers are the names of those of n values from first on that have one.
func numbers(first uint64, n int, name func(uint64) fmt.Stringer) []string {
	var names []string
	for i := range uint64(n) {
		if s := name(first + i).String(); known(s) {
			names = append(names, s)
		}
	}
	return names
}

// flags are the full names of those of n bits that have one.
func flags(prefix string, n int, name func(uint64) fmt.Stringer) []string {
	var names []string
	for i := range n {
		if s := name(1 << i).String(); known(s) {
			names = append(names, prefix+s)
		}
	}
	return names
}

// split are the full names of the bits that are set in a value with that text.
func split(prefix string, value fmt.Stringer) []string {
	var names []string
	for s := range strings.SplitSeq(value.String(), "|") {
		if s != "" && s != "0" && known(s) {
			names = append(names, prefix+s)
		}
	}
	return names
}

// known reports whether a value has a name. Those without print their number.
func known(s string) bool { return !strings.Contains(s, "(") && !strings.HasPrefix(s, "0x") }
