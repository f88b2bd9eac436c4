package wire_test

import (
	"slices"

	"nbdconform/reference/wire"
)

// messages are all golden texts with their values.
func messages() []message {
	return slices.Concat(handshake(), options(), optionReplies(), requests(), chunks(), extendedChunks())
}

func handshake() []message {
	return []message{
		framed("greeting", golden("greeting"), wire.Greeting{Flags: wire.FlagFixedNewstyle | wire.FlagNoZeroes},
			wire.ParseGreeting, wire.Greeting.Append, wire.ReadGreeting),
		framed("greeting-not-fixed", golden("greeting-not-fixed"), wire.Greeting{},
			wire.ParseGreeting, wire.Greeting.Append, wire.ReadGreeting),
		framed("oldstyle-greeting", golden("oldstyle-greeting"),
			wire.OldGreeting{Size: 1 << 20, Flags: uint32(wire.FlagHasFlags | wire.FlagSendFlush)},
			wire.ParseOldGreeting, wire.OldGreeting.Append, wire.ReadOldGreeting),
		framed("client-flags", golden("client-flags"), wire.FlagCFixedNewstyle|wire.FlagCNoZeroes,
			wire.ParseClientFlags, wire.ClientFlags.Append, wire.ReadClientFlags),
		framed("export-name-reply", golden("export-name-reply"),
			wire.ExportNameReply{Size: 1 << 20, Flags: wire.FlagHasFlags | wire.FlagReadOnly},
			ParseExportNameReply(false), wire.ExportNameReply.Append, ReadExportNameReply(false)),
		framed("export-name-reply-zeroes", golden("export-name-reply-zeroes"),
			wire.ExportNameReply{Size: 1<<64 - 1, Flags: wire.FlagHasFlags | wire.FlagRotational, Zeroes: true},
			ParseExportNameReply(true), wire.ExportNameReply.Append, ReadExportNameReply(true)),
	}
}

func options() []message {
	return slices.Concat(
		option("option-export-name", wire.OptExportName, []byte("disk")),
		option("option-export-name-default", wire.OptExportName, nil),
		option("option-abort", wire.OptAbort, nil),
		option("option-list", wire.OptList, nil),
		option("option-peek-export", wire.OptPeekExport, []byte{0xca, 0xfe}),
		option("option-starttls", wire.OptStartTLS, nil),
		optionData("option-info", wire.OptInfo, wire.InfoRequest{}, wire.ParseInfoRequest, wire.InfoRequest.Append),
		optionData("option-go", wire.OptGo,
			wire.InfoRequest{Export: "disk", Infos: []wire.InfoType{wire.InfoBlockSize, wire.InfoName}},
			wire.ParseInfoRequest, wire.InfoRequest.Append),
		option("option-structured-reply", wire.OptStructuredReply, nil),
		optionData("option-list-meta-context", wire.OptListMetaContext, wire.MetaContextRequest{Export: "disk"},
			wire.ParseMetaContextRequest, wire.MetaContextRequest.Append),
		optionData("option-set-meta-context", wire.OptSetMetaContext,
			wire.MetaContextRequest{Queries: []string{"base:allocation", "x-a:β:"}},
			wire.ParseMetaContextRequest, wire.MetaContextRequest.Append),
		option("option-extended-headers", wire.OptExtendedHeaders, nil),
		option("option-unknown", 0x6e626463, []byte{0, 0xff, 0}),
	)
}

func optionReplies() []message {
	const all = wire.FlagHasFlags | wire.FlagReadOnly | wire.FlagSendFlush | wire.FlagSendFUA | wire.FlagSendTrim |
		wire.FlagSendWriteZeroes | wire.FlagSendDF | wire.FlagCanMultiConn | wire.FlagSendCache |
		wire.FlagSendFastZero | wire.FlagBlockStatusPayload
	return slices.Concat(
		reply("reply-ack", wire.OptStructuredReply, wire.RepAck, nil),
		replyData("reply-server", wire.OptList, wire.RepServer, wire.ServerReply{Name: "disk"},
			wire.ParseServerReply, wire.ServerReply.Append, from(4+4)),
		replyData("reply-server-details", wire.OptList, wire.RepServer, wire.ServerReply{Name: "disk", Details: "the disk"},
			wire.ParseServerReply, wire.ServerReply.Append, from(4+4)),
		infoData("reply-info-export", wire.OptGo, wire.ExportInfo{Size: 1 << 32, Flags: all}, wire.ParseExportInfo),
		info("reply-info-name", wire.OptInfo, wire.InfoName, "disk"),
		info("reply-info-description", wire.OptGo, wire.InfoDescription, "the disk"),
		infoData("reply-info-block-size", wire.OptGo,
			wire.SizeConstraints{Minimum: 512, Preferred: 4096, MaxPayload: 32 << 20}, wire.ParseSizeConstraints),
		infoData("reply-info-init-state", wire.OptGo, wire.InitSparse|wire.InitZero, wire.ParseInitFlags),
		info("reply-info-unknown", wire.OptGo, 0xabcd, "\x01\x02\x03"),
		replyData("reply-meta-context", wire.OptSetMetaContext, wire.RepMetaContext,
			wire.MetaContext{ID: 42, Name: "base:allocation"}, wire.ParseMetaContext, wire.MetaContext.Append, from(4)),
		reply("reply-err-unsup", wire.OptExtendedHeaders, wire.RepErrUnsup, nil),
		reply("reply-err-policy", wire.OptList, wire.RepErrPolicy, []byte("no")),
		reply("reply-err-invalid", wire.OptStartTLS, wire.RepErrInvalid, []byte("twice")),
		reply("reply-err-platform", wire.OptStartTLS, wire.RepErrPlatform, nil),
		reply("reply-err-tls-reqd", wire.OptInfo, wire.RepErrTLSReqd, nil),
		reply("reply-err-unknown", wire.OptGo, wire.RepErrUnknown, []byte("gone")),
		reply("reply-err-shutdown", wire.OptGo, wire.RepErrShutdown, nil),
		reply("reply-err-block-size-reqd", wire.OptGo, wire.RepErrBlockSizeReqd, nil),
		reply("reply-err-too-big", wire.OptListMetaContext, wire.RepErrTooBig, nil),
		reply("reply-err-ext-header-reqd", wire.OptStructuredReply, wire.RepErrExtHeaderReqd, nil),
		reply("reply-err-undefined", wire.OptGo, 0xffffffff, []byte("?")),
	)
}

func requests() []message {
	read := wire.Request{
		Flags: wire.CmdFlagDF, Type: wire.CmdRead, Cookie: 0x0123456789abcdef, Offset: 4<<30 + 512, Length: 64 << 10,
	}
	filtered := wire.Request{
		Flags: wire.CmdFlagReqOne | wire.CmdFlagPayloadLen, Type: wire.CmdBlockStatus, Cookie: 47, Offset: 512, Length: 16,
	}
	return slices.Concat(
		request("request-read", read),
		request("request-write", wire.Request{Flags: wire.CmdFlagFUA, Type: wire.CmdWrite, Cookie: 42, Offset: 4096, Length: 3}),
		request("request-disc", wire.Request{Type: wire.CmdDisc, Cookie: 43}),
		request("request-flush", wire.Request{Type: wire.CmdFlush, Cookie: 44}),
		request("request-trim", wire.Request{Flags: wire.CmdFlagFUA, Type: wire.CmdTrim, Cookie: 45, Length: 4<<30 - 512}),
		request("request-cache", wire.Request{Type: wire.CmdCache, Cookie: 1<<64 - 1, Offset: 512, Length: 512}),
		request("request-write-zeroes", wire.Request{
			Flags: wire.CmdFlagNoHole | wire.CmdFlagFastZero, Type: wire.CmdWriteZeroes, Cookie: 46, Offset: 512, Length: 512,
		}),
		request("request-block-status", wire.Request{
			Flags: wire.CmdFlagReqOne, Type: wire.CmdBlockStatus, Cookie: 47, Offset: 512, Length: 512,
		}),
		request("request-resize", wire.Request{Type: wire.CmdResize, Cookie: 48, Offset: 2 << 20}),
		request("request-get-lba-status", wire.Request{
			Flags: wire.CommandFlags(wire.LBADirty), Type: wire.CmdGetLBAStatus, Cookie: 50, Offset: 4096, Length: 1 << 20,
		}),
		request("request-unknown", wire.Request{Flags: 0xffff, Type: 0xbeef, Cookie: 49, Offset: 1, Length: 2}),

		extendedRequest("request-extended-read", read),
		extendedRequest("request-extended-write", wire.Request{
			Flags: wire.CmdFlagFUA | wire.CmdFlagPayloadLen, Type: wire.CmdWrite, Cookie: 42, Offset: 4096, Length: 3,
		}),
		extendedRequest("request-extended-trim", wire.Request{Type: wire.CmdTrim, Cookie: 45, Length: 1 << 40}),
		extendedRequest("request-extended-block-status", wire.Request{
			Type: wire.CmdBlockStatus, Cookie: 47, Offset: 512, Length: 8 << 30,
		}),
		extendedRequest("request-extended-block-status-payload", filtered),
		[]message{payload("request-extended-block-status-payload",
			golden("request-extended-block-status-payload")[wire.ExtendedRequestSize:],
			wire.StatusFilter{Length: 8 << 30, ContextIDs: []uint32{42, 7}},
			wire.ParseStatusFilter, wire.StatusFilter.Append, listOf(8, 4, 0))},

		lbaStatus("lba-status", wire.LBAStatus{
			{Offset: 4096, Length: 512, Status: wire.LBAStateAllocated},
			{Offset: 4608, Length: 4<<30 - 512, Status: wire.LBAStateDeallocated},
			{Offset: 4<<30 + 4096, Length: 4096, Status: wire.LBAStateZeroed},
		}),
		lbaStatus("lba-status-none", nil),

		simple("simple-reply", wire.SimpleReply{Cookie: 0x0123456789abcdef}),
		simple("simple-reply-error", wire.SimpleReply{Error: wire.ENOTSUP, Cookie: 46}),
	)
}

func chunks() []message {
	const cookie = 0x0123456789abcdef
	return slices.Concat(
		chunkHeader("chunk-none", wire.ChunkHeader{Flags: wire.ReplyFlagDone, Type: wire.ChunkNone, Cookie: 42}),
		chunk("chunk-offset-data", wire.ChunkHeader{Type: wire.ChunkOffsetData, Cookie: cookie},
			wire.OffsetData{Offset: 4<<30 + 512, Data: []byte("abc")},
			wire.ParseOffsetData, wire.OffsetData.Append, from(9)),
		chunk("chunk-offset-hole", wire.ChunkHeader{Flags: wire.ReplyFlagDone, Type: wire.ChunkOffsetHole, Cookie: cookie},
			wire.OffsetHole{Offset: 4<<30 + 1024, Size: 65024},
			wire.ParseOffsetHole, wire.OffsetHole.Append, nil),
		chunk("chunk-block-status", wire.ChunkHeader{Flags: wire.ReplyFlagDone, Type: wire.ChunkBlockStatus, Cookie: 47},
			wire.BlockStatus{ContextID: 42, Extents: []wire.Extent{
				{Length: 512}, {Length: 64 << 10, Status: uint64(wire.StateHole | wire.StateZero)},
			}},
			wire.ParseBlockStatus, wire.BlockStatus.Append, listOf(4, 8, 1)),
		chunk("chunk-error", wire.ChunkHeader{Flags: wire.ReplyFlagDone, Type: wire.ChunkError, Cookie: 42},
			wire.ErrorChunk{Error: wire.EINVAL}, ParseErrorChunk(wire.ChunkError), wire.ErrorChunk.Append, from(6)),
		chunk("chunk-error-message", wire.ChunkHeader{Type: wire.ChunkError, Cookie: 42},
			wire.ErrorChunk{Error: wire.ENOSPC, Message: "full"},
			ParseErrorChunk(wire.ChunkError), wire.ErrorChunk.Append, from(6+4)),
		chunk("chunk-error-offset", wire.ChunkHeader{Flags: wire.ReplyFlagDone, Type: wire.ChunkErrorOffset, Cookie: 42},
			wire.ErrorOffset(wire.EIO, "bad", 4096),
			ParseErrorChunk(wire.ChunkErrorOffset), wire.ErrorChunk.Append, from(6+3+8)),
		chunk("chunk-error-undefined", wire.ChunkHeader{Flags: wire.ReplyFlagDone, Type: 0x80ff, Cookie: 42},
			wire.ErrorChunk{Error: wire.ESHUTDOWN, Message: "no", Rest: []byte{1, 2}},
			ParseErrorChunk(0x80ff), wire.ErrorChunk.Append, from(6+2)),
	)
}

func extendedChunks() []message {
	const cookie = 0x0123456789abcdef
	return slices.Concat(
		extendedHeader("chunk-extended-none", wire.ChunkHeader{
			Flags: wire.ReplyFlagDone, Type: wire.ChunkNone, Cookie: 42, Offset: 4096,
		}),
		extendedChunk("chunk-extended-offset-data", wire.ChunkHeader{
			Flags: wire.ReplyFlagDone, Type: wire.ChunkOffsetData, Cookie: cookie, Offset: 4<<30 + 512,
		}, wire.OffsetData{Offset: 4<<30 + 1024, Data: []byte("a")},
			wire.ParseOffsetData, wire.OffsetData.Append, from(9)),
		extendedChunk("chunk-extended-offset-hole", wire.ChunkHeader{
			Type: wire.ChunkOffsetHole, Cookie: cookie, Offset: 4<<30 + 512,
		}, wire.OffsetHole{Offset: 4<<30 + 512, Size: 512}, wire.ParseOffsetHole, wire.OffsetHole.Append, nil),
		extendedChunk("chunk-extended-block-status", wire.ChunkHeader{
			Flags: wire.ReplyFlagDone, Type: wire.ChunkBlockStatusExt, Cookie: 47, Offset: 512,
		}, wire.BlockStatus{ContextID: 42, Extents: []wire.Extent{
			{Length: 8 << 30, Status: uint64(wire.StateZero)}, {Length: 512, Status: 1<<63 + 1},
		}}, wire.ParseBlockStatusExt, wire.BlockStatus.AppendExtended, nil),
		extendedChunk("chunk-extended-error", wire.ChunkHeader{
			Flags: wire.ReplyFlagDone, Type: wire.ChunkError, Cookie: 42, Offset: 4096,
		}, wire.ErrorChunk{Error: wire.EOVERFLOW, Message: "big"},
			ParseErrorChunk(wire.ChunkError), wire.ErrorChunk.Append, from(6+3)),
		extendedChunk("chunk-extended-error-offset", wire.ChunkHeader{
			Flags: wire.ReplyFlagDone, Type: wire.ChunkErrorOffset, Cookie: 42, Offset: 4096,
		}, wire.ErrorOffset(wire.EIO, "", 4097),
			ParseErrorChunk(wire.ChunkErrorOffset), wire.ErrorChunk.Append, from(6+8)),
	)
}
