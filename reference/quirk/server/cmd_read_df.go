package serverquirk

import (
	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

// onDF makes hooks that change successful replies to unfragmented reads.
func onDF(f func(*server.Exchange)) server.Hooks {
	return onRead(2, func(x *server.Exchange) {
		if x.Request.Flags&wire.CmdFlagDF != 0 {
			f(x)
		}
	})
}

// DFFragmented splits reads that must not be split.
var DFFragmented = register(Quirk{
	Name: "df-fragmented", Breaks: "cmdflag.df.one-content",
	Doc:   "sends two chunks of data in spite of NBD_CMD_FLAG_DF",
	Hooks: onDF(halve),
})

// DFOverflowEarly refuses unfragmented reads that must work.
var DFOverflowEarly = register(Quirk{
	Name: "df-overflow-early", Breaks: "cmdflag.df.minimum",
	Doc: "answers NBD_EOVERFLOW to reads of more than 32768 bytes with NBD_CMD_FLAG_DF",
	Hooks: onDF(func(x *server.Exchange) {
		if x.Request.Length > 32<<10 {
			x.Fail(wire.EOVERFLOW, "too long to send in one piece")
		}
	}),
})

// DFHole calls the whole of an unfragmented read a hole if it begins with one.
var DFHole = register(Quirk{
	Name: "df-hole", Breaks: "cmdflag.df.data",
	Doc: "sends one hole for a read with NBD_CMD_FLAG_DF whose first byte is zero",
	Hooks: onDF(func(x *server.Exchange) {
		if x.Content()[0] == 0 {
			x.Chunks(x.HoleChunk(x.Request.Offset, uint32(x.Request.Length)))
		}
	}),
})

// DFOverflowWithContent refuses unfragmented reads and sends content all the same.
var DFOverflowWithContent = register(Quirk{
	Name: "df-overflow-with-content", Breaks: "cmdflag.df.eoverflow.no-content",
	Doc: "sends a hole and NBD_EOVERFLOW in reply to reads of more than 65536 bytes with NBD_CMD_FLAG_DF",
	Hooks: onDF(func(x *server.Exchange) {
		if x.Request.Length > wire.UnfragmentedRead {
			x.Fail(wire.EOVERFLOW, "too long to send in one piece")
			insert(x, x.HoleChunk(x.Request.Offset, 512))
		}
	}),
})

// FlagsDFHidden supports NBD_CMD_FLAG_DF and does not say so.
var FlagsDFHidden = register(Quirk{
	Name: "flags-df-hidden", Breaks: "flag.transmission.send-df",
	Doc: "leaves NBD_FLAG_SEND_DF out, but accepts NBD_CMD_FLAG_DF",
	Hooks: onFlags(func(_ *server.Session, f wire.TransmissionFlags) wire.TransmissionFlags {
		return f &^ wire.FlagSendDF
	}),
})
