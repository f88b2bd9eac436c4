package serverquirk

import (
	"bytes"
	"fmt"
	"slices"

	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

// InfoUnrequested sends information that was not requested.
var InfoUnrequested = register(Quirk{
	Name: "info-unrequested", Allowed: true,
	Doc: "sends information of an unknown type, and the name, without a request for them",
	Hooks: onInfo(func(x *server.OptionExchange) {
		x.Insert(wire.RepInfo, wire.Info{Type: 0x7fff, Payload: []byte("hello")}.Append(nil))
		named := false
		x.Infos(wire.InfoName, func(*wire.Info) { named = true })
		if !named {
			x.Insert(wire.RepInfo, wire.Info{Type: wire.InfoName, Payload: []byte(x.Export.Name)}.Append(nil))
		}
	}),
})

// InfoReversed tells the most important thing last.
var InfoReversed = register(Quirk{
	Name: "info-reversed", Allowed: true,
	Doc:   "sends information in the reverse order",
	Hooks: onInfo(func(x *server.OptionExchange) { slices.Reverse(x.Replies[:len(x.Replies)-1]) }),
})

// InfoMinimal tells no more than it must.
var InfoMinimal = register(Quirk{
	Name: "info-minimal", Allowed: true,
	Doc: "sends neither name nor description",
	Hooks: onInfo(func(x *server.OptionExchange) {
		x.Drop(func(r wire.OptionReply) bool {
			i, err := wire.ParseInfo(r.Data)
			return r.Type == wire.RepInfo && err == nil && (i.Type == wire.InfoName || i.Type == wire.InfoDescription)
		})
	}),
})

// DefaultExportMissing has no default export.
var DefaultExportMissing = register(Quirk{
	Name: "default-export-missing", Allowed: true,
	Doc:    "has no default export",
	Config: func(c *server.Config) { c.NoDefault = true },
})

// AnyNameServed has an export of every name.
var AnyNameServed = register(Quirk{
	Name: "any-name-served", Allowed: true,
	Doc: "takes every name that it does not know for its first export",
	Hooks: server.Hooks{Option: func(s *server.Session, o *wire.OptionRequest) {
		first := s.Exports()[0].Name
		switch o.Option {
		case wire.OptExportName:
			if !known(s, string(o.Data)) {
				o.Data = []byte(first)
			}
		case wire.OptInfo, wire.OptGo:
			if q, err := wire.ParseInfoRequest(o.Data); err == nil && !known(s, q.Export) {
				q.Export = first
				o.Data = q.Append(nil)
			}
		case wire.OptListMetaContext, wire.OptSetMetaContext:
			if q, err := wire.ParseMetaContextRequest(o.Data); err == nil && !known(s, q.Export) {
				q.Export = first
				o.Data = q.Append(nil)
			}
		}
	}},
})

// BlockSizeInsisted refuses clients that do not ask for its size constraints.
var BlockSizeInsisted = register(Quirk{
	Name: "block-size-insisted", Allowed: true, Permitted: []string{"size.refuse.export-name", "size.refuse.go"},
	Doc:    "enforces a minimum block size of 4096, and refuses clients that do not ask for NBD_INFO_BLOCK_SIZE",
	Config: insist,
})

// GoReversed tells the same as before, the other way round.
var GoReversed = register(Quirk{
	Name: "go-reversed", Allowed: true, Permitted: []string{"opt.info.repeat-order"},
	Doc: "sends information in the reverse order in reply to NBD_OPT_GO alone",
	Hooks: onOption(wire.OptGo, func(x *server.OptionExchange) {
		if !x.Failed() {
			slices.Reverse(x.Replies[:len(x.Replies)-1])
		}
	}),
})

// InfoCounts tells something new whenever something else came in between.
var InfoCounts = register(Quirk{
	Name: "info-counts", Allowed: true, Permitted: []string{"opt.info.repeat-differ"},
	Doc: "sends information of an unknown type about how many options came that were not the same request for information as the one before",
	New: func() server.Hooks {
		n := 0
		var last []byte
		return server.Hooks{OptionReply: func(x *server.OptionExchange) {
			if !x.Is(wire.OptInfo, wire.OptGo) {
				n++
				last = nil
				return
			}
			if last == nil || !bytes.Equal(last, x.Request.Data) {
				n++
				last = append([]byte{}, x.Request.Data...)
			}
			if !x.Failed() {
				x.Insert(wire.RepInfo, wire.Info{Type: 0x7ffe, Payload: fmt.Appendf(nil, "the state after %d options", n)}.Append(nil))
			}
		}}
	},
})

// GoRefusedLater grants what was asked about last, and nothing else.
var GoRefusedLater = register(Quirk{
	Name: "go-refused-later", Allowed: true, Permitted: []string{"opt.info.repeat-fail"},
	Doc: "answers NBD_REP_ERR_POLICY to NBD_OPT_GO where NBD_OPT_INFO about the export succeeded and NBD_OPT_LIST came in between",
	New: func() server.Hooks {
		informed, listed := false, false
		return server.Hooks{OptionReply: func(x *server.OptionExchange) {
			switch {
			case x.Is(wire.OptInfo):
				informed, listed = informed || !x.Failed(), false
			case x.Is(wire.OptList):
				listed = true
			case x.Is(wire.OptGo) && informed && listed && !x.Failed():
				x.Fail(wire.RepErrPolicy, "too late")
			}
		}}
	},
})

// constrained makes an allowed quirk of size constraints.
func constrained(name, doc string, s wire.SizeConstraints, clauses ...string) Quirk {
	return Quirk{
		Name: name, Allowed: true, Permitted: clauses, Doc: doc,
		Config: func(c *server.Config) {
			c.Exports[0].Constraints = s
			c.PayloadLimit = max(s.MaxPayload, wire.DefaultMaxPayload) // what is advertised is honoured
		},
	}
}

// Size constraints that are unusual.
var (
	MaxPayloadOdd = register(constrained("max-payload-odd", "advertises a maximum payload size of 5000000 bytes",
		wire.SizeConstraints{Minimum: 1, Preferred: 4096, MaxPayload: 5000000}, "size.max-payload.any"))
	PreferredHuge = register(constrained("preferred-huge", "advertises a preferred block size of 2^30 bytes, which is more than the export has",
		wire.SizeConstraints{Minimum: 1, Preferred: 1 << 30, MaxPayload: 1<<32 - 1}, "size.preferred.over-export", "size.preferred.export-size"))
	Minimum512 = register(constrained("minimum-512", "has a minimum block size of 512 bytes",
		wire.SizeConstraints{Minimum: 512, Preferred: 4096, MaxPayload: wire.DefaultMaxPayload}, "interop.default-512"))
)

// ExtendedBlockSizeInsisted wants clients of extended headers to know how far they may go.
var ExtendedBlockSizeInsisted = register(Quirk{
	Name: "extended-block-size-insisted", Allowed: true, Permitted: []string{"opt.extended-headers.block-size-reqd"},
	Doc: "answers NBD_REP_ERR_BLOCK_SIZE_REQD to NBD_OPT_GO after extended headers unless it asks for NBD_INFO_BLOCK_SIZE",
	Hooks: onOptionExtended(wire.OptGo, func(x *server.OptionExchange) {
		if !x.Failed() && !asksForBlockSize(x) {
			x.Fail(wire.RepErrBlockSizeReqd, "ask for the sizes")
			x.Insert(wire.RepInfo, wire.DefaultSizeConstraints.Info().Append(nil))
		}
	}),
})

// InitStateMore knows more than others.
var InitStateMore = register(Quirk{
	Name: "init-state-more", Allowed: true,
	Doc: "sets unknown flags of NBD_INFO_INIT_STATE",
	Hooks: onInfo(func(x *server.OptionExchange) {
		x.Infos(wire.InfoInitState, func(i *wire.Info) { i.Payload[0] |= 0x80 })
	}),
})
