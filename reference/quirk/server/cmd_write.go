package serverquirk

import (
	"bytes"
	"encoding/binary"
	"sync/atomic"

	"nbdconform/reference/export"
	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

// WriteLost says that it has written, and has not.
var WriteLost = register(Quirk{
	Name: "write-lost", Breaks: "cmd.write.then-reply",
	Doc: "reports NBD_CMD_WRITE as done and writes nothing",
	Hooks: wrap(func(e export.Export) export.Export {
		return disk{Export: e, write: func([]byte, uint64) error { return nil }}
	}),
})

// WriteIncomplete leaves the last byte out.
var WriteIncomplete = register(Quirk{
	Name: "write-incomplete", Breaks: "cmd.write.then-reply",
	Doc: "writes all but the last byte of NBD_CMD_WRITE",
	Hooks: wrap(func(e export.Export) export.Export {
		return disk{Export: e, write: func(p []byte, off uint64) error { return e.WriteAt(p[:len(p)-1], off) }}
	}),
})

// WriteMisplaced writes one byte too far.
var WriteMisplaced = register(Quirk{
	Name: "write-misplaced", Breaks: "baseline.server.write",
	Doc: "writes everything one byte too far",
	Hooks: wrap(func(e export.Export) export.Export {
		return disk{Export: e, write: func(p []byte, off uint64) error { return e.WriteAt(p, off+1) }}
	}),
})

// WriteOffsetTruncated loses the upper bits of offsets.
var WriteOffsetTruncated = register(Quirk{
	Name: "write-offset-truncated", Breaks: "layout.write.range",
	Doc: "keeps 22 bits of the offset of NBD_CMD_WRITE",
	Hooks: wrap(func(e export.Export) export.Export {
		return disk{Export: e, write: func(p []byte, off uint64) error { return e.WriteAt(p, off&(1<<22-1)) }}
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

// WriteZeroLengthHangup closes the connection on writes of nothing.
var WriteZeroLengthHangup = register(Quirk{
	Name: "write-zero-length-hangup", Breaks: "cmd.write.zero-length.stay",
	Doc:   "closes the connection on a write of 0 bytes",
	Hooks: onZeroLength(wire.CmdWrite, hangup),
})
