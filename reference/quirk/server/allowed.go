package serverquirk

import (
	"slices"
	"strings"
	"time"

	"nbdconform/reference/export"
	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

// RepliesReversed answers a request behind the one that comes after it.
var RepliesReversed = register(Quirk{
	Name: "replies-reversed", Allowed: true,
	Doc: "holds every other reply back until the next one was sent, for 20 ms at most",
	New: func() server.Hooks {
		n := 0
		return server.Hooks{Reply: func(x *server.Exchange) {
			if n++; n%2 == 1 && !x.Is(wire.CmdDisc) {
				x.Hold = 20 * time.Millisecond
			}
		}}
	},
})

// ChunksDescending sends the chunks of a read from the end to the start.
var ChunksDescending = register(Quirk{
	Name: "chunks-descending", Allowed: true, Permitted: []string{"trans.structured.order", "cmd.read.any-order"},
	Doc: "sends the chunks of a read in descending order of offsets",
	Hooks: onRead(1, func(x *server.Exchange) {
		slices.Reverse(x.Replies)
		x.Done()
	}),
})

// ChunksTiny sends reads in chunks of 512 bytes.
var ChunksTiny = register(Quirk{
	Name: "chunks-tiny", Allowed: true, Permitted: []string{"trans.structured.several", "chunk.offset-data.repeat", "cmd.read.split"},
	Doc: "splits reads of up to 1 MiB in chunks of 512 bytes",
	Hooks: onRead(513, func(x *server.Exchange) {
		if x.Request.Length > 1<<20 || x.Request.Flags&wire.CmdFlagDF != 0 {
			return
		}
		data, off := x.Content(), x.Request.Offset
		var list []server.Message
		for len(data) > 0 {
			n := min(512-off%512, uint64(len(data)))
			list = append(list, x.DataChunk(off, data[:n]))
			data, off = data[n:], off+n
		}
		x.Chunks(list...)
	}),
})

// NoneAtTheEnd ends every read by NBD_REPLY_TYPE_NONE.
var NoneAtTheEnd = register(Quirk{
	Name: "none-at-the-end", Allowed: true, Permitted: []string{"cmdflag.df.other-chunks"},
	Doc: "ends every structured reply by NBD_REPLY_TYPE_NONE",
	Hooks: server.Hooks{Reply: func(x *server.Exchange) {
		n := len(x.Replies)
		if n > 0 && x.Replies[n-1].Structured && x.Replies[n-1].Chunk.Type != wire.ChunkNone {
			x.Replies = append(x.Replies, x.Chunk(wire.ChunkNone, nil))
			x.Done()
		}
	}},
})

// HolesAsData sends holes as data.
var HolesAsData = register(Quirk{
	Name: "holes-as-data", Allowed: true,
	Doc: "sends every read as one chunk of data",
	Hooks: onRead(1, func(x *server.Exchange) {
		x.Chunks(x.DataChunk(x.Request.Offset, x.Content()))
	}),
})

// ErrorTextsLong explains errors at the greatest length that is allowed.
var ErrorTextsLong = register(Quirk{
	Name: "error-texts-long", Allowed: true, Permitted: []string{"rep.error.message"},
	Doc: "sends errors with texts of 256 bytes",
	Hooks: server.Hooks{
		OptionReply: func(x *server.OptionExchange) {
			if x.Failed() {
				x.Replies[len(x.Replies)-1].Data = []byte(strings.Repeat("\u00e9", 128))
			}
		},
		Reply: func(x *server.Exchange) {
			x.EachError(func(e *wire.ErrorChunk) { e.Message = strings.Repeat("\u00e9", 128) })
		},
	},
})

// ErrorTextsEmpty does not explain errors.
var ErrorTextsEmpty = register(Quirk{
	Name: "error-texts-empty", Allowed: true, Permitted: []string{"handshake.reply.empty"},
	Doc: "sends errors without a text",
	Hooks: server.Hooks{
		OptionReply: func(x *server.OptionExchange) {
			if x.Failed() {
				x.Replies[len(x.Replies)-1].Data = nil
			}
		},
		Reply: func(x *server.Exchange) { x.EachError(func(e *wire.ErrorChunk) { e.Message = "" }) },
	},
})

// ErrorsWithOffsets says where things go wrong.
var ErrorsWithOffsets = register(Quirk{
	Name: "errors-with-offsets", Allowed: true,
	Doc: "sends NBD_REPLY_TYPE_ERROR_OFFSET in place of NBD_REPLY_TYPE_ERROR where the request has a range",
	Hooks: onAnyError(func(x *server.Exchange) {
		if x.Replies[0].Structured && x.Request.Length > 0 &&
			x.Is(wire.CmdRead, wire.CmdWrite, wire.CmdTrim, wire.CmdCache, wire.CmdWriteZeroes, wire.CmdBlockStatus) {
			withOffset(&x.Replies[0].Chunk, x.Request.Offset)
		}
	}),
})

// InfoUnrequested tells everything to everybody.
var InfoUnrequested = register(Quirk{
	Name: "info-unrequested", Allowed: true,
	Doc: "sends information of an unknown type, and the name, that nobody asked for",
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

// ContextsShuffled lists, and tells, contexts in the reverse order.
var ContextsShuffled = register(Quirk{
	Name: "contexts-shuffled", Allowed: true, Permitted: []string{"opt.list-meta.order", "opt.set-meta.order", "cmd.block-status.order"},
	Doc: "lists, selects and reports contexts in the reverse order",
	Hooks: server.Hooks{
		OptionReply: func(x *server.OptionExchange) {
			if x.Is(wire.OptListMetaContext, wire.OptSetMetaContext) && !x.Failed() {
				slices.Reverse(x.Replies[:len(x.Replies)-1])
			}
		},
		Reply: func(x *server.Exchange) {
			if x.Is(wire.CmdBlockStatus) && x.Err() == wire.OK {
				slices.Reverse(x.Replies)
				x.Done()
			}
		},
	},
})

// ContextIDsLarge gives contexts ids that look like nothing.
var ContextIDsLarge = register(Quirk{
	Name: "context-ids-large", Allowed: true,
	Doc: "gives contexts ids from 2^31 up, other ones on every connection",
	Hooks: onOption(wire.OptSetMetaContext, func(x *server.OptionExchange) {
		for i, m := range x.Session.Contexts {
			m.ID = 1<<31 + uint32(x.Session.ID)*16 + uint32(i)
			x.Session.Contexts[i] = m
			x.Replies[i].Data = m.Append(nil)
		}
	}),
})

// StatusShort tells less than was asked for.
var StatusShort = register(Quirk{
	Name: "status-short", Allowed: true, Permitted: []string{"chunk.block-status.fewer"},
	Doc: "sends one descriptor of block status, whatever was asked for",
	Hooks: server.Hooks{Request: func(_ *server.Session, q *wire.Request) {
		if q.Type == wire.CmdBlockStatus && q.Flags&^wire.CmdFlagFUA == 0 {
			q.Flags |= wire.CmdFlagReqOne
		}
	}},
})

// StatusLong tells more than was asked for.
var StatusLong = register(Quirk{
	Name: "status-long", Allowed: true, Permitted: []string{"chunk.block-status.final-beyond"},
	Doc: "lets the last descriptor of base:allocation reach to the end of the export, as a status of 0, without NBD_CMD_FLAG_REQ_ONE",
	Hooks: onStatus(func(x *server.Exchange, s *wire.BlockStatus) {
		var sum uint64
		for _, e := range s.Extents {
			sum += e.Length
		}
		rest := x.Session.Export.Disk.Size() - x.Request.Offset - sum
		if last := &s.Extents[len(s.Extents)-1]; x.Request.Flags&wire.CmdFlagReqOne == 0 && rest < 1<<31 && rest > 0 {
			last.Length, last.Status = last.Length+rest, 0
			if n := len(s.Extents); n > 1 && s.Extents[n-2].Status == 0 { // neighbours should differ
				s.Extents[n-2].Length += last.Length
				s.Extents = s.Extents[:n-1]
			}
		}
	}),
})

// StatusUnknown knows nothing of holes.
var StatusUnknown = register(Quirk{
	Name: "status-unknown", Allowed: true, Permitted: []string{"cmd.block-status.error-as-status"},
	Doc: "reports a status of 0 for everything",
	Hooks: onStatus(func(_ *server.Exchange, s *wire.BlockStatus) {
		var sum uint64
		for _, e := range s.Extents {
			sum += e.Length
		}
		s.Extents = []wire.Extent{{Length: sum}}
	}),
})

// FastZeroNever finds no request fast enough.
var FastZeroNever = register(Quirk{
	Name: "fast-zero-never", Allowed: true, Permitted: []string{"flag.transmission.fast-zero.enotsup"},
	Doc: "answers NBD_ENOTSUP to every fast zero request, and changes nothing",
	Hooks: wrap(func(e export.Export) export.Export {
		return disk{Export: e, zero: func(off, n uint64, noHole, fast bool) error {
			if fast {
				return wire.ENOTSUP
			}
			return e.Zero(off, n, noHole, fast)
		}}
	}),
})

// ZeroLengthRefused has no use for requests for nothing.
var ZeroLengthRefused = register(Quirk{
	Name: "zero-length-refused", Allowed: true,
	Doc: "answers NBD_EINVAL to requests for 0 bytes",
	Hooks: server.Hooks{Reply: func(x *server.Exchange) {
		if x.Request.Length == 0 && !x.Is(wire.CmdFlush, wire.CmdDisc, wire.CmdResize) {
			x.Fail(wire.EINVAL, "a request for nothing")
		}
	}},
})

// disguise makes an option one that nobody knows, nor sends.
const disguise wire.Option = 0x5afe << 16

// NothingOptional offers no feature that it need not offer.
var NothingOptional = register(Quirk{
	Name: "nothing-optional", Allowed: true, Permitted: []string{"interop.optional", "trans.simple.success"},
	Doc: "offers nothing but the baseline: no structured replies, no extended headers, no contexts, reads and writes alone",
	Hooks: server.Hooks{Option: func(_ *server.Session, o *wire.OptionRequest) {
		switch o.Option {
		case wire.OptStructuredReply, wire.OptListMetaContext, wire.OptSetMetaContext, wire.OptExtendedHeaders:
			o.Option |= disguise
		}
	}, OptionReply: func(x *server.OptionExchange) {
		for i := range x.Replies {
			if o := &x.Replies[i].Option; *o>>16 == disguise>>16 {
				*o &^= disguise
			}
		}
	}},
	Config: func(c *server.Config) {
		for i := range c.Exports {
			c.Exports[i].Omit = ^wire.TransmissionFlags(0)
		}
	},
})

// SimpleUnlessRead uses structured replies for nothing but what needs them.
var SimpleUnlessRead = register(Quirk{
	Name: "simple-unless-read", Allowed: true,
	Doc: "answers everything without a payload that succeeds, but reads, by simple replies",
	Hooks: server.Hooks{Reply: func(x *server.Exchange) {
		if len(x.Replies) == 1 && x.Replies[0].Chunk.Type == wire.ChunkNone && x.Replies[0].Structured && !x.Session.Extended &&
			!x.Is(wire.CmdRead, wire.CmdBlockStatus) {
			simple(x)
		}
	}},
})

// DFOverflow refuses to send more than 64 KiB in one piece.
var DFOverflow = register(Quirk{
	Name: "df-overflow", Allowed: true, Permitted: []string{"cmdflag.df.eoverflow"},
	Doc: "answers NBD_EOVERFLOW to reads of more than 65536 bytes with NBD_CMD_FLAG_DF",
	Hooks: onDF(func(x *server.Exchange) {
		if x.Request.Length > wire.UnfragmentedRead {
			x.Fail(wire.EOVERFLOW, "too long to send in one piece")
		}
	}),
})

// Dribble sends the first bytes of everything one by one.
var Dribble = register(Quirk{
	Name: "dribble", Allowed: true,
	Doc: "sends option replies, and every eighth reply of up to 64 bytes, byte by byte",
	New: func() server.Hooks {
		n := 7 // the first, and those 8 apart: on a busy machine every byte is a wait
		return server.Hooks{
			OptionReply: func(x *server.OptionExchange) { x.Pace = 20 * time.Microsecond },
			Reply: func(x *server.Exchange) {
				if n++; n%8 == 0 && len(x.Bytes()) <= 64 {
					x.Pace = 20 * time.Microsecond
				}
			},
		}
	},
})

// Slow takes a moment for everything.
var Slow = register(Quirk{
	Name: "slow", Allowed: true,
	Doc: "answers everything 5 ms late",
	Hooks: server.Hooks{
		OptionReply: func(x *server.OptionExchange) { x.Delay = 5 * time.Millisecond },
		Reply:       func(x *server.Exchange) { x.Delay = 5 * time.Millisecond },
	},
})
