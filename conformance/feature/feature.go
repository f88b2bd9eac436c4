// Package feature names what a server can have or lack, so that a spec can say
// what it needs, a target's profile what it promises, and a report what was found.
package feature

import (
	"slices"

	"nbdconform/reference/wire"
)

// A Feature is something that a server advertises by a flag or by how it
// answers an option.
type Feature string

// Features of the handshake, found by asking.
const (
	FixedNewstyle   Feature = "fixed-newstyle"
	NoZeroes        Feature = "no-zeroes"
	List            Feature = "list"             // NBD_OPT_LIST is answered by exports
	Info            Feature = "info"             // NBD_OPT_INFO and NBD_OPT_GO
	BlockSize       Feature = "block-size"       // NBD_INFO_BLOCK_SIZE is sent where it is requested
	StructuredReply Feature = "structured-reply" // NBD_OPT_STRUCTURED_REPLY
	MetaContext     Feature = "meta-context"     // NBD_OPT_LIST_META_CONTEXT and NBD_OPT_SET_META_CONTEXT
	BaseAllocation  Feature = "base-allocation"  // the metadata context of that name
	InitState       Feature = "init-state"       // NBD_INFO_INIT_STATE is sent where it is requested
	DirtyBitmap     Feature = "dirty-bitmap"     // metadata contexts qemu:dirty-bitmap:*
	AllocationDepth Feature = "allocation-depth" // the metadata context qemu:allocation-depth
	StartTLS        Feature = "starttls"         // NBD_OPT_STARTTLS is acknowledged
	ForcedTLS       Feature = "forced-tls"       // FORCEDTLS mode: nothing goes without
	TLSOnlyExport   Feature = "tls-only-export"  // SELECTIVETLS mode, with an export that does not go without
	ExtendedHeaders Feature = "extended-headers"
	// BlockStatusPayload is NBD_FLAG_BLOCK_STATUS_PAYLOAD, which shows only
	// with extended headers and a metadata context.
	BlockStatusPayload Feature = "block-status-payload"
)

// Features of an export, from its transmission flags.
const (
	ReadOnly    Feature = "read-only"
	Writable    Feature = "writable" // NBD_FLAG_READ_ONLY is clear
	Flush       Feature = "flush"
	FUA         Feature = "fua"
	Rotational  Feature = "rotational"
	Trim        Feature = "trim"
	WriteZeroes Feature = "write-zeroes"
	DF          Feature = "df"
	MultiConn   Feature = "multi-conn"
	Resize      Feature = "resize"
	Cache       Feature = "cache"
	FastZero    Feature = "fast-zero"

	// Of a target that speaks a dialect, and of no other.
	GetLBAStatus   Feature = "get-lba-status"   // NBD_FLAG_SEND_GET_LBA_STATUS
	WriteZeroesRFC Feature = "write-zeroes-rfc" // NBD_FLAG_SEND_WRITE_ZEROES as it was at first
)

// byFlag are the features that a transmission flag exposes, in bit order.
var byFlag = []struct {
	flag wire.TransmissionFlags
	name Feature
}{
	{wire.FlagReadOnly, ReadOnly},
	{wire.FlagSendFlush, Flush},
	{wire.FlagSendFUA, FUA},
	{wire.FlagRotational, Rotational},
	{wire.FlagSendTrim, Trim},
	{wire.FlagSendWriteZeroes, WriteZeroes},
	{wire.FlagSendDF, DF},
	{wire.FlagCanMultiConn, MultiConn},
	{wire.FlagSendResize, Resize},
	{wire.FlagSendCache, Cache},
	{wire.FlagSendFastZero, FastZero},
}

// drafts are the features that have the flag of another one in a dialect.
var drafts = map[wire.Dialect]struct{ today, then Feature }{
	wire.GetLBAStatus:   {DF, GetLBAStatus},
	wire.WriteZeroesRFC: {WriteZeroes, WriteZeroesRFC},
}

// Of lists the features that transmission flags expose in a dialect.
func Of(d wire.Dialect, flags wire.TransmissionFlags) Set {
	s := Set{}
	for _, f := range byFlag {
		if flags&f.flag != 0 {
			s[f.name] = true
		}
	}
	if flags&wire.FlagReadOnly == 0 {
		s[Writable] = true
	}
	if x, ok := drafts[d]; ok && s[x.today] {
		delete(s, x.today)
		s[x.then] = true
	}
	return s
}

// A Set is a set of features.
type Set map[Feature]bool

// SetOf makes a set of names.
func SetOf(names []string) Set {
	s := Set{}
	for _, n := range names {
		s[Feature(n)] = true
	}
	return s
}

// Add puts features into s.
func (s Set) Add(fs ...Feature) {
	for _, f := range fs {
		s[f] = true
	}
}

// AddAll puts the features of other into s.
func (s Set) AddAll(other Set) {
	for f := range other {
		s[f] = true
	}
}

// Names lists the features in alphabetical order.
func (s Set) Names() []string {
	names := make([]string, 0, len(s))
	for f, has := range s {
		if has {
			names = append(names, string(f))
		}
	}
	slices.Sort(names)
	return names
}
