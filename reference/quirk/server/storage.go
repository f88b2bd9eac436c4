package serverquirk

import (
	"bytes"
	"encoding/binary"
	"math"
	"sync/atomic"

	"nbdconform/reference/export"
	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

// WriteRefusedPayloadObeyed takes what a refused write carries for requests.
var WriteRefusedPayloadObeyed = register(Quirk{
	Name: "write-refused-payload-obeyed", Breaks: "trans.cookie.echo",
	Doc: "refuses an NBD_CMD_WRITE that is out of bounds or has strange flags, and takes its payload for the next requests",
	Hooks: server.Hooks{Request: func(s *server.Session, q *wire.Request) {
		size := s.Export.Disk.Size()
		out := q.Offset > size || q.Length > size-q.Offset
		if q.Type == wire.CmdWrite && (out || q.Flags&^wire.CmdFlagFUA != 0 || s.Flags&wire.FlagReadOnly != 0) {
			q.Type = 0xfffe // which has no payload
		}
	}},
})

// WriteOffsetTruncated loses the upper bits of offsets.
var WriteOffsetTruncated = register(Quirk{
	Name: "write-offset-truncated", Breaks: "layout.write.range",
	Doc: "keeps 22 bits of the offset of NBD_CMD_WRITE",
	Hooks: wrap(func(e export.Export) export.Export {
		return disk{Export: e, write: func(p []byte, off uint64) error { return e.WriteAt(p, off&(1<<22-1)) }}
	}),
})

// WriteRoundedOut clears the rest of the sectors that it touches.
var WriteRoundedOut = register(Quirk{
	Name: "write-rounded-out", Breaks: "layout.write.range",
	Doc: "writes whole sectors of 512 bytes, with zeroes around the data",
	Hooks: wrap(func(e export.Export) export.Export {
		return disk{Export: e, write: func(p []byte, off uint64) error {
			head := off % 512
			b := make([]byte, (head+uint64(len(p))+511)/512*512)
			copy(b[head:], p)
			return e.WriteAt(b, off-head)
		}}
	}),
})

// WriteSevenBit stores text alone.
var WriteSevenBit = register(Quirk{
	Name: "write-seven-bit", Breaks: "cmd.write.then-reply",
	Doc: "clears the topmost bit of every byte that is written",
	Hooks: wrap(func(e export.Export) export.Export {
		return disk{Export: e, write: func(p []byte, off uint64) error {
			b := bytes.Clone(p)
			for i := range b {
				b[i] &= 0x7f
			}
			return e.WriteAt(b, off)
		}}
	}),
})

// WriteMagicCut looks for requests in data.
var WriteMagicCut = register(Quirk{
	Name: "write-magic-cut", Breaks: "cmd.write.then-reply",
	Doc: "writes no more than what comes before the magic number of a request",
	Hooks: wrap(func(e export.Export) export.Export {
		magic := binary.BigEndian.AppendUint32(nil, wire.RequestMagic)
		return disk{Export: e, write: func(p []byte, off uint64) error {
			before, _, _ := bytes.Cut(p, magic)
			return e.WriteAt(before, off)
		}}
	}),
})

// WriteLostSometimes loses a write now and then.
var WriteLostSometimes = register(Quirk{
	Name: "write-lost-sometimes", Breaks: "cmd.write.then-reply",
	Doc: "writes nothing at every sixteenth NBD_CMD_WRITE of a connection",
	Hooks: wrap(func(e export.Export) export.Export {
		var n atomic.Int64
		return disk{Export: e, write: func(p []byte, off uint64) error {
			if n.Add(1)%16 == 0 {
				return nil
			}
			return e.WriteAt(p, off)
		}}
	}),
})

// WriteMinimumHidden has a minimum block size and keeps it to itself.
var WriteMinimumHidden = register(Quirk{
	Name: "write-minimum-hidden", Breaks: "size.default.minimum",
	Doc: "answers NBD_EINVAL to an NBD_CMD_WRITE that is not aligned to 512 bytes, and advertises no minimum block size",
	Hooks: onReply(wire.CmdWrite, func(x *server.Exchange) {
		if (x.Request.Offset|x.Request.Length)%512 != 0 {
			x.Fail(wire.EINVAL, "not aligned")
		}
	}),
})

// WriteAbandonedBlocks waits for ever for the rest of a payload.
var WriteAbandonedBlocks = register(Quirk{
	Name: "write-abandoned-blocks", Breaks: "baseline.server.fixed-newstyle",
	Doc: "greets nobody any more once a client has left in the middle of a payload",
	Config: func(c *server.Config) {
		var begun atomic.Int64
		c.Hooks = &server.Hooks{
			Greeting: func(x *server.GreetingExchange) { x.Stall = begun.Load() > 0 },
			Request: func(_ *server.Session, q *wire.Request) {
				if q.Type == wire.CmdWrite {
					begun.Add(1)
				}
			},
			Reply: func(x *server.Exchange) {
				if x.Is(wire.CmdWrite) {
					begun.Add(-1)
				}
			},
		}
	},
})

// RangeWrapped goes on at the start of the export where 2^64 ends.
var RangeWrapped = register(Quirk{
	Name: "range-wrapped", Breaks: "layout.write.range",
	Doc: "refuses requests whose offset and length add up to more than 2^64, and zeroes the first bytes of the export all the same",
	Hooks: onAnyError(func(x *server.Exchange) {
		if q := x.Request; x.Is(wire.CmdWrite, wire.CmdWriteZeroes, wire.CmdTrim) && q.Length > math.MaxUint64-q.Offset {
			_ = x.Session.Export.Disk.Zero(0, q.Offset+q.Length, false, false)
		}
	}),
})

// RangeShifted moves requests to where there is room.
var RangeShifted = register(Quirk{
	Name: "range-shifted", Breaks: "layout.write.range",
	Doc: "refuses requests that cross the end of the export, and zeroes as many bytes in front of the end all the same",
	Hooks: onAnyError(func(x *server.Exchange) {
		size := x.Session.Export.Disk.Size()
		if q := x.Request; x.Is(wire.CmdWrite, wire.CmdWriteZeroes, wire.CmdTrim) && q.Offset < size && q.Length > size-q.Offset {
			_ = x.Session.Export.Disk.Zero(size-q.Length, q.Length, false, false)
		}
	}),
})

// ReadOnlyRefusedAndDone says no, and does it.
var ReadOnlyRefusedAndDone = register(Quirk{
	Name: "read-only-refused-and-done", Breaks: "layout.write.range",
	Doc: "answers NBD_EPERM to what would change a read-only export, and changes it all the same",
	Hooks: server.Hooks{
		Skip: skip("err.write.read-only", "err.trim.read-only", "cmd.trim.needs-flag",
			"cmd.write-zeroes.read-only", "cmd.write-zeroes.needs-flag").Skip,
		Reply: func(x *server.Exchange) {
			if x.Session.Flags&wire.FlagReadOnly != 0 && x.Is(wire.CmdWrite, wire.CmdWriteZeroes, wire.CmdTrim) {
				x.Fail(wire.EPERM, "the export is read-only")
			}
		},
	},
})

// ReadOnlyOffersWrites offers what a read-only export has no use for, and does it.
var ReadOnlyOffersWrites = register(Quirk{
	Name: "read-only-offers-writes", Breaks: "flag.transmission.read-only.writes",
	Doc: "advertises NBD_CMD_TRIM and NBD_CMD_WRITE_ZEROES on a read-only export, and serves them",
	Hooks: offering(wire.FlagSendTrim|wire.FlagSendWriteZeroes, skip("err.trim.read-only", "cmd.trim.needs-flag",
		"cmd.write-zeroes.read-only", "cmd.write-zeroes.needs-flag")),
})

// offering adds transmission flags to what h advertises.
func offering(more wire.TransmissionFlags, h server.Hooks) server.Hooks {
	f := onFlags(func(_ *server.Session, flags wire.TransmissionFlags) wire.TransmissionFlags { return flags | more })
	h.OptionReply, h.ExportName = f.OptionReply, f.ExportName
	return h
}

// ZeroesRoundedOut zeroes too much.
var ZeroesRoundedOut = register(Quirk{
	Name: "zeroes-rounded-out", Breaks: "layout.write-zeroes.range",
	Doc: "zeroes all of every page of 4096 bytes that NBD_CMD_WRITE_ZEROES touches",
	Hooks: wrap(func(e export.Export) export.Export {
		return disk{Export: e, zero: func(off, n uint64, noHole, fast bool) error {
			start, end := off&^4095, (off+n+4095)&^4095
			return e.Zero(start, end-start, noHole, fast)
		}}
	}),
})

// ZeroesRoundedIn zeroes too little.
var ZeroesRoundedIn = register(Quirk{
	Name: "zeroes-rounded-in", Breaks: "cmd.write-zeroes.then-reply",
	Doc: "zeroes the whole pages of 4096 bytes in the range of NBD_CMD_WRITE_ZEROES, and nothing else",
	Hooks: wrap(func(e export.Export) export.Export {
		return disk{Export: e, zero: func(off, n uint64, noHole, fast bool) error {
			start, end := (off+4095)&^4095, (off+n)&^4095
			if start >= end {
				return nil
			}
			return e.Zero(start, end-start, noHole, fast)
		}}
	}),
})

// A trimming is a disk that trims in its own way, and may do so late.
type trimming struct {
	export.Export
	trim   func(off, n uint64) error
	before func() // any read
}

func (t trimming) Trim(off, n uint64) error { return t.trim(off, n) }

func (t trimming) ReadAt(p []byte, off uint64) error {
	if t.before != nil {
		t.before()
	}
	return t.Export.ReadAt(p, off)
}

// TrimRoundedOut discards too much.
var TrimRoundedOut = register(Quirk{
	Name: "trim-rounded-out", Breaks: "layout.trim.range",
	Doc: "discards all of every page of 4096 bytes that NBD_CMD_TRIM touches",
	Hooks: wrap(func(e export.Export) export.Export {
		return trimming{Export: e, trim: func(off, n uint64) error {
			start, end := off&^4095, (off+n+4095)&^4095
			return e.Zero(start, end-start, false, false)
		}}
	}),
})

// TrimLate discards what was written after the trim.
var TrimLate = register(Quirk{
	Name: "trim-late", Breaks: "cmd.write.then-reply",
	Doc: "answers NBD_CMD_TRIM at once, and discards the range before the next read",
	Hooks: wrap(func(e export.Export) export.Export {
		var later []func()
		return trimming{
			Export: e,
			trim: func(off, n uint64) error {
				later = append(later, func() { _ = e.Zero(off, n, false, false) })
				return nil
			},
			before: func() {
				for _, f := range later {
					f()
				}
				later = nil
			},
		}
	}),
})

// TrimmedUnreadable loses more than the contents.
var TrimmedUnreadable = register(Quirk{
	Name: "trimmed-unreadable", Breaks: "baseline.server.read",
	Doc: "answers NBD_EIO to every NBD_CMD_READ of a connection after its first NBD_CMD_TRIM",
	New: func() server.Hooks {
		trimmed := false
		return server.Hooks{Reply: func(x *server.Exchange) {
			trimmed = trimmed || x.Is(wire.CmdTrim)
			if trimmed && x.Is(wire.CmdRead) {
				x.Fail(wire.EIO, "there is nothing")
			}
		}}
	},
})

// FlushDrops throws away what it should keep.
var FlushDrops = register(Quirk{
	Name: "flush-drops", Breaks: "cmd.flush.persist",
	Doc: "zeroes the first 4096 bytes of the export at every NBD_CMD_FLUSH",
	Hooks: onReply(wire.CmdFlush, func(x *server.Exchange) {
		_ = x.Session.Export.Disk.Zero(0, 4096, false, false)
	}),
})

// FlushRangeAsPayload waits for data that no flush has.
var FlushRangeAsPayload = register(Quirk{
	Name: "flush-range-as-payload", Breaks: "trans.simple.required",
	Doc: "takes the length of an NBD_CMD_FLUSH for that of a payload",
	Hooks: server.Hooks{Request: func(_ *server.Session, q *wire.Request) {
		if q.Type == wire.CmdFlush && q.Length > 0 {
			q.Type = wire.CmdWrite
		}
	}},
})
