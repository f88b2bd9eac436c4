package wire_test

import (
	"errors"
	"strings"
	"testing"

	"nbdconform/reference/wire"
)

const has = wire.FlagHasFlags

var (
	long    = strings.Repeat("x", wire.MaxString)
	tooLong = long + "x"
)

// what a *FormatError must name: a clause, or nothing for a value that is fine.
type judged struct {
	name   string
	err    error
	clause string
}

func check(t *testing.T, cases []judged) {
	t.Helper()
	for _, c := range cases {
		var format *wire.FormatError
		switch {
		case c.clause == "" && c.err != nil:
			t.Errorf("%s: %v", c.name, c.err)
		case c.clause == "":
		case !errors.As(c.err, &format):
			t.Errorf("%s: error %v, want a FormatError", c.name, c.err)
		case format.Clause != c.clause:
			t.Errorf("%s: clause %s, want %s; %s", c.name, format.Clause, c.clause, format.Detail)
		case !strings.HasSuffix(c.err.Error(), "("+c.clause+")"):
			t.Errorf("%s: %q does not name the clause", c.name, c.err)
		}
	}
}

func TestGoldenValuesAreValid(t *testing.T) {
	for _, m := range messages() {
		v, ok := m.want.(interface{ Validate() error })
		if !ok || m.file == "option-unknown" || m.file == "reply-err-undefined" {
			continue
		}
		if err := v.Validate(); err != nil {
			t.Errorf("%s: %v", m.name(), err)
		}
	}
}

func TestValidateHandshake(t *testing.T) {
	offered := wire.FlagFixedNewstyle | wire.FlagNoZeroes
	check(t, []judged{
		{"greeting with all flags", wire.Greeting{Flags: offered}.Validate(), ""},
		{"greeting with an undefined flag", wire.Greeting{Flags: offered | 1<<15}.Validate(), "flag.handshake.unknown"},
		{"client flags as offered", (wire.FlagCFixedNewstyle | wire.FlagCNoZeroes).Validate(offered), ""},
		{"fewer client flags than offered", wire.ClientFlags(0).Validate(offered), ""},
		{"an undefined client flag", wire.ClientFlags(1 << 31).Validate(offered), "flag.client.unknown"},
		{"an undefined flag that the server set", wire.ClientFlags(4).Validate(offered | 4), "flag.client.unknown"},
		{"no zeroes unoffered", wire.FlagCNoZeroes.Validate(wire.FlagFixedNewstyle), "flag.client.no-zeroes"},
		{"fixed newstyle unoffered", wire.FlagCFixedNewstyle.Validate(wire.FlagNoZeroes), "flag.client.unoffered.drop"},
	})
}

func TestValidateTransmissionFlags(t *testing.T) {
	check(t, []judged{
		{"has flags alone", has.Validate(), ""},
		{"undefined flags, which clients ignore", (has | 1<<15).Validate(), ""},
		{"fast zero with write zeroes", (has | wire.FlagSendFastZero | wire.FlagSendWriteZeroes).Validate(), ""},
		{"none", wire.TransmissionFlags(0).Validate(), "flag.transmission.has-flags"},
		{"others without has flags", wire.FlagReadOnly.Validate(), "flag.transmission.has-flags"},
		{"fast zero alone", (has | wire.FlagSendFastZero).Validate(), "flag.transmission.fast-zero.write-zeroes"},
	})
}

func TestValidateSizeConstraints(t *testing.T) {
	sizes := func(minimum, preferred, payload uint32) error {
		return wire.SizeConstraints{Minimum: minimum, Preferred: preferred, MaxPayload: payload}.Validate()
	}
	check(t, []judged{
		{"the defaults", wire.DefaultSizeConstraints.Validate(), ""},
		{"the smallest", sizes(1, 512, 512), ""},
		{"the largest minimum", sizes(1<<16, 1<<16, 1<<16), ""},
		{"no limit", sizes(512, 1<<31, wire.UnlimitedMaxPayload), ""},
		{"a maximum that is no power of 2", sizes(1, 4096, 4097), ""},
		{"minimum 0", sizes(0, 4096, 1<<25), "size.minimum.power-of-2"},
		{"minimum 3", sizes(3, 4096, 1<<25), "size.minimum.power-of-2"},
		{"minimum 128 KiB", sizes(1<<17, 1<<17, 1<<25), "size.minimum.max"},
		{"preferred 0", sizes(1, 0, 1<<25), "size.preferred.power-of-2"},
		{"preferred 4095", sizes(1, 4095, 1<<25), "size.preferred.power-of-2"},
		{"preferred 256", sizes(1, 256, 1<<25), "size.preferred.min"},
		{"preferred below the minimum", sizes(4096, 2048, 1<<25), "size.preferred.min"},
		{"maximum below the preferred", sizes(512, 4096, 4095), "size.max-payload.preferred"},
	})
}

func TestValidateStrings(t *testing.T) {
	check(t, []judged{
		{"empty", wire.ValidateString("name", ""), ""},
		{"as long as may be", wire.ValidateString("name", long), ""},
		{"more than is recommended", wire.ValidateString("name", long[:wire.RecommendedString+1]), ""},
		{"not ASCII", wire.ValidateString("name", "βήτα"), ""},
		{"a byte too long, from a client", wire.ValidateClientString("name", tooLong), "string.max-length.client"},
		{"a byte too long, from a server", wire.ValidateServerString("name", tooLong), "string.max-length.server"},
		{"NUL at the end, from a client", wire.ValidateClientString("name", "disk\x00"), "string.no-nul.client"},
		{"NUL in between, from a server", wire.ValidateServerString("name", "a\x00b"), "string.no-nul.server"},
		{"Latin-1, from a client", wire.ValidateClientString("name", "\xe4"), "string.utf8.client"},
		{"a surrogate, from a server", wire.ValidateServerString("name", "\xed\xa0\x80"), "string.utf8.server"},
		{"half a rune, from a server", wire.ValidateServerString("name", "\xce"), "string.utf8.server"},
	})
}

func TestValidateStringOfNobodyNamesNoClause(t *testing.T) {
	for _, s := range []string{tooLong, "a\x00b", "\xff"} {
		var format *wire.FormatError
		if err := wire.ValidateString("name", s); !errors.As(err, &format) || format.Clause != "" || err.Error() != format.Detail {
			t.Errorf("%.10q: error %v, want a FormatError without a clause", s, err)
		}
	}
}

func TestValidateOptions(t *testing.T) {
	opt := func(o wire.Option, data []byte) error { return wire.OptionRequest{Option: o, Data: data}.Validate() }
	infos := func(name string, types ...wire.InfoType) []byte {
		return wire.InfoRequest{Export: name, Infos: types}.Append(nil)
	}
	meta := func(name string, queries ...string) []byte {
		return wire.MetaContextRequest{Export: name, Queries: queries}.Append(nil)
	}
	data := []byte{0}
	check(t, []judged{
		{"the default export", opt(wire.OptExportName, nil), ""},
		{"a name with NUL", opt(wire.OptExportName, data), "string.no-nul.client"},
		{"an abort with data, to be overlooked", opt(wire.OptAbort, data), ""},
		{"a list with data", opt(wire.OptList, data), "opt.list.no-data"},
		{"TLS with data", opt(wire.OptStartTLS, data), "opt.starttls.no-data"},
		{"structured replies with data", opt(wire.OptStructuredReply, data), "opt.structured-reply.no-data"},
		{"extended headers with data", opt(wire.OptExtendedHeaders, data), "opt.extended-headers.no-data"},
		{"a withdrawn option", opt(wire.OptPeekExport, data), ""},
		{"an unknown option", opt(99, data), ""},
		{"unknown information", opt(wire.OptGo, infos("disk", 99, 100)), ""},
		{"information twice", opt(wire.OptInfo, infos("disk", 3, 1, 3)), "opt.info.requests-unique"},
		{"a name of an information request that is too long", opt(wire.OptGo, infos(tooLong)), "string.max-length.client"},
		{"no room for a name", opt(wire.OptGo, data), "layout.opt.info"},
		{"a name larger than the data", opt(wire.OptGo, []byte{0, 0, 0, 1, 0, 0}), "opt.info.name-length"},
		{"information cut short", opt(wire.OptGo, []byte{0, 0, 0, 0, 0, 1, 0}), "layout.opt.info"},
		{"a leaf-name that is empty", opt(wire.OptListMetaContext, meta("", "base:")), ""},
		{"a list query without a colon", opt(wire.OptListMetaContext, meta("", "base")), "opt.list-meta.query-syntax"},
		{"a query without a namespace", opt(wire.OptSetMetaContext, meta("", ":allocation")), "opt.set-meta.query-syntax"},
		{"an empty query", opt(wire.OptSetMetaContext, meta("", "base:allocation", "")), "opt.set-meta.query-syntax"},
		{"a query with NUL", opt(wire.OptSetMetaContext, meta("", "base:\x00")), "string.no-nul.client"},
		{"a name that is not UTF-8", opt(wire.OptSetMetaContext, meta("\xff")), "string.utf8.client"},
		{"metadata contexts cut short", opt(wire.OptSetMetaContext, data), "layout.opt.meta"},
		{"a list of metadata contexts cut short", opt(wire.OptListMetaContext, data), "layout.opt.meta"},
	})
}

func TestValidateOptionReplies(t *testing.T) {
	rep := func(typ wire.ReplyType, data []byte) error { return wire.OptionReply{Type: typ, Data: data}.Validate() }
	info := func(i wire.Info) error { return rep(wire.RepInfo, i.Append(nil)) }
	check(t, []judged{
		{"an acknowledgement", rep(wire.RepAck, nil), ""},
		{"an acknowledgement with data", rep(wire.RepAck, []byte{0}), "layout.rep.ack"},
		{"an unknown reply", rep(99, []byte{0}), ""},
		{"an error with text", rep(wire.RepErrUnknown, []byte("gone")), ""},
		{"an error with NUL", rep(wire.RepErrUnknown, []byte("gone\x00")), "string.no-nul.server"},
		{"an unknown error that is too long", rep(1<<31+99, []byte(tooLong)), "string.max-length.server"},
		{"an export with a name of the wrong length", rep(wire.RepServer, []byte{0, 0, 0, 1}), "rep.server.name-length"},
		{"an export without a length", rep(wire.RepServer, []byte{0}), "rep.server.name-length"},
		{"an export with NUL", rep(wire.RepServer, wire.ServerReply{Name: "\x00"}.Append(nil)), "string.no-nul.server"},
		{"details that are not UTF-8", rep(wire.RepServer, wire.ServerReply{Details: "\xff"}.Append(nil)), "string.utf8.server"},
		{"a metadata context", rep(wire.RepMetaContext, wire.MetaContext{Name: "x-a:"}.Append(nil)), ""},
		{"a metadata context without an id", rep(wire.RepMetaContext, []byte{0}), "layout.rep.meta-context"},
		{"a metadata context without a colon", rep(wire.RepMetaContext, wire.MetaContext{Name: "base"}.Append(nil)), "meta.name.syntax"},
		{"a metadata context without a namespace", rep(wire.RepMetaContext, wire.MetaContext{Name: ":a"}.Append(nil)), "meta.name.syntax"},
		{"a metadata context with NUL", rep(wire.RepMetaContext, wire.MetaContext{Name: "a:\x00"}.Append(nil)), "string.no-nul.server"},
		{"information without a type", rep(wire.RepInfo, []byte{0}), "layout.rep.info"},
		{"unknown information", info(wire.Info{Type: 99, Payload: []byte{0}}), ""},
		{"an export of the wrong length", info(wire.Info{Type: wire.InfoExport, Payload: make([]byte, 9)}), "rep.info-export.length"},
		{"an export without flags", info(wire.ExportInfo{}.Info()), "flag.transmission.has-flags"},
		{"an export", info(wire.ExportInfo{Flags: has}.Info()), ""},
		{"an empty name", info(wire.Info{Type: wire.InfoName}), ""},
		{"a name with NUL", info(wire.Info{Type: wire.InfoName, Payload: []byte{0}}), "string.no-nul.server"},
		{"a description with NUL", info(wire.Info{Type: wire.InfoDescription, Payload: []byte{0}}), "string.no-nul.server"},
		{"block sizes of the wrong length", info(wire.Info{Type: wire.InfoBlockSize, Payload: make([]byte, 13)}), "rep.info-block-size.length"},
		{"block sizes of 0", info(wire.SizeConstraints{}.Info()), "size.minimum.power-of-2"},
	})
}

func TestValidateRequests(t *testing.T) {
	every := wire.CmdFlagFUA | wire.CmdFlagNoHole | wire.CmdFlagDF | wire.CmdFlagReqOne | wire.CmdFlagFastZero | wire.CmdFlagPayloadLen
	allowed := map[wire.Command]wire.CommandFlags{
		wire.CmdRead:        wire.CmdFlagDF,
		wire.CmdWrite:       wire.CmdFlagPayloadLen,
		wire.CmdDisc:        0,
		wire.CmdFlush:       0,
		wire.CmdTrim:        0,
		wire.CmdCache:       0,
		wire.CmdWriteZeroes: wire.CmdFlagNoHole | wire.CmdFlagFastZero,
		wire.CmdBlockStatus: wire.CmdFlagReqOne | wire.CmdFlagPayloadLen,
		wire.CmdResize:      0,
	}
	for cmd, flags := range allowed {
		flags |= wire.CmdFlagFUA // "valid for all commands"
		check(t, []judged{{cmd.String() + " with every flag that it takes", wire.Request{Type: cmd, Flags: flags}.Validate(), ""}})
		for bit := wire.CommandFlags(1); bit != 0; bit <<= 1 {
			if flags&bit == 0 {
				check(t, []judged{{cmd.String() + " with " + bit.String(), wire.Request{Type: cmd, Flags: bit}.Validate(), "cmdflag.documented"}})
			}
		}
	}
	check(t, []judged{
		{"a disconnect with an offset", wire.Request{Type: wire.CmdDisc, Offset: 1}.Validate(), "cmd.disc.zero"},
		{"a disconnect with a length", wire.Request{Type: wire.CmdDisc, Length: 1}.Validate(), "cmd.disc.zero"},
		{"a flush with an offset", wire.Request{Type: wire.CmdFlush, Offset: 1}.Validate(), "cmd.flush.zero"},
		{"a flush with a length", wire.Request{Type: wire.CmdFlush, Length: 1}.Validate(), "cmd.flush.zero"},
		{"a trim with both", wire.Request{Type: wire.CmdTrim, Offset: 1, Length: 1}.Validate(), ""},
		{"an unknown command with every flag", wire.Request{Type: 99, Flags: every, Offset: 1, Length: 1}.Validate(), ""},
	})
}

func TestValidateChunks(t *testing.T) {
	done := wire.ReplyFlagDone
	chunk := func(typ wire.ChunkType, payload []byte) error {
		return wire.Chunk{Type: typ, Payload: payload}.Validate()
	}
	extents := wire.BlockStatus{Extents: []wire.Extent{{Length: 1}, {Length: 0}}}
	check(t, []judged{
		{"nothing", wire.Chunk{Flags: done}.Validate(), ""},
		{"nothing, and not done", wire.Chunk{}.Validate(), "chunk.none.done"},
		{"nothing with a payload", wire.Chunk{Flags: done, Payload: []byte{0}}.Validate(), "chunk.none.length"},
		{"an undefined flag", wire.Chunk{Flags: done | 2}.Validate(), "chunk.flag.unknown"},
		{"data of no bytes", chunk(wire.ChunkOffsetData, make([]byte, 8)), "chunk.offset-data.length"},
		{"data of one byte", chunk(wire.ChunkOffsetData, make([]byte, 9)), ""},
		{"a short hole", chunk(wire.ChunkOffsetHole, make([]byte, 11)), "chunk.offset-hole.length"},
		{"a hole of no bytes", chunk(wire.ChunkOffsetHole, make([]byte, 12)), "chunk.offset-hole.nonzero"},
		{"block status without extents", chunk(wire.ChunkBlockStatus, make([]byte, 4)), "chunk.block-status.length"},
		{"block status with half an extent", chunk(wire.ChunkBlockStatus, make([]byte, 16)), "chunk.block-status.length"},
		{"block status with an empty extent", chunk(wire.ChunkBlockStatus, extents.Append(nil)), "chunk.block-status.extent-nonzero"},
		{"extended block status without extents", chunk(wire.ChunkBlockStatusExt, make([]byte, 8)), "chunk.block-status-ext.length"},
		{"extended block status with a wrong count", chunk(wire.ChunkBlockStatusExt, make([]byte, 24)), "chunk.block-status-ext.count"},
		{"extended block status with an empty extent", chunk(wire.ChunkBlockStatusExt, extents.AppendExtended(nil)), "chunk.block-status.extent-nonzero"},
		{"a list of no extents", wire.BlockStatus{}.Validate(), "chunk.block-status.at-least-one"},
		{"a short error", chunk(wire.ChunkError, make([]byte, 5)), "chunk.error.length"},
		{"an error of zero", chunk(wire.ChunkError, make([]byte, 6)), "chunk.error.nonzero"},
		{"an error with more behind it", chunk(wire.ChunkError, wire.ErrorOffset(wire.EIO, "", 1).Append(nil)), ""},
		{"an error with a message beyond its end", chunk(wire.ChunkError, []byte{0, 0, 0, 5, 0, 1}), "chunk.error.length"},
		{"an error with a message that is too long", chunk(wire.ChunkError, wire.ErrorChunk{Error: 5, Message: tooLong}.Append(nil)), "chunk.error.message-length"},
		{"an error with NUL", chunk(wire.ChunkError, wire.ErrorChunk{Error: 5, Message: "\x00"}.Append(nil)), "string.no-nul.server"},
		{"an error with an offset cut short", chunk(wire.ChunkErrorOffset, make([]byte, 13)), "chunk.error-offset.length"},
		{"a message that takes the offset", chunk(wire.ChunkErrorOffset, append([]byte{0, 0, 0, 5, 0, 1}, make([]byte, 8)...)), "chunk.error-offset.length"},
		{"an undefined error that is short", chunk(0xffff, make([]byte, 5)), "chunk.error.length"},
		{"an undefined chunk", chunk(99, nil), ""},
		{"a filter of half an id", filter(make([]byte, 10)), "cmd.block-status.payload.length"},
		{"a filter without a length", filter(make([]byte, 4)), "cmd.block-status.payload.length"},
		{"a filter without ids", filter(make([]byte, 8)), ""},
	})
}

func filter(b []byte) error { _, err := wire.ParseStatusFilter(b); return err }

func TestMagicNumbersHaveClauses(t *testing.T) {
	clauses := map[string]string{
		"ParseGreeting": "layout.greeting", "ParseOptionHeader": "layout.option.magic", "ParseOptionRequest": "layout.option.magic",
		"ParseOptionReplyHeader": "layout.option-reply.magic", "ParseOptionReply": "layout.option-reply.magic",
		"ParseRequest": "layout.request.magic", "ParseExtendedRequest": "layout.request.magic",
		"ParseSimpleReply": "layout.reply.magic", "ParseChunkHeader": "layout.reply.magic",
		"ParseExtendedChunkHeader": "layout.reply.magic", "ParseReply": "layout.reply.magic",
	}
	for _, m := range messages() {
		if clause := clauses[m.parser]; clause != "" {
			_, _, err := m.parse([]byte("HTTP/1.1 400 Bad Request"))
			check(t, []judged{{m.name(), err, clause}})
		}
	}
	_, _, err := wire.ParseSimpleReply([]byte{0x67, 0x44, 0x66, 0x99})
	if want := "simple reply has magic 0x67446699 where 0x67446698 is due (layout.reply.magic)"; err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestInfoRequestWants(t *testing.T) {
	q := wire.InfoRequest{Infos: []wire.InfoType{wire.InfoBlockSize}}
	if !q.Wants(wire.InfoBlockSize) || q.Wants(wire.InfoName) {
		t.Error("wants what it did not ask for, or does not want what it did")
	}
}
