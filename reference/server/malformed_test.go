package server

import (
	"runtime"
	"testing"

	"nbdconform/reference/export"
	"nbdconform/reference/wire"
)

// What can't be an option's data: the option fails, the connection stays in
// step, and what the data announces costs nothing.
func TestMalformedOptions(t *testing.T) {
	info := wire.InfoRequest{Export: "disk", Infos: []wire.InfoType{wire.InfoName, wire.InfoBlockSize}}.Append(nil)
	meta := wire.MetaContextRequest{Export: "disk", Queries: []string{"base:allocation", "qemu:"}}.Append(nil)
	const most = "\xff\xff\xff\xff"
	for name, tt := range map[string]struct {
		option wire.Option
		data   []string
	}{
		"NBD_OPT_STARTTLS":         {wire.OptStartTLS, []string{"x", most}},
		"NBD_OPT_STRUCTURED_REPLY": {wire.OptStructuredReply, []string{"x", most}},
		"NBD_OPT_EXTENDED_HEADERS": {wire.OptExtendedHeaders, []string{"x", most}},
		"NBD_OPT_INFO": {wire.OptInfo, append(tears(info),
			most+"disk", "\x00\x00\x00\x04disk"+"\xff\xff", "\x00\x00\x00\x05disk\x00\x00")},
		"NBD_OPT_GO": {wire.OptGo, append(tears(info), most+"disk", "\x00\x00\x00\x04disk"+"\xff\xff")},
		"NBD_OPT_SET_META_CONTEXT": {wire.OptSetMetaContext, append(tears(meta),
			most+"disk", "\x00\x00\x00\x04disk"+most, "\x00\x00\x00\x04disk\x00\x00\x00\x01"+most, "\x00\x00\x00\x04disk"+most+most)},
		"NBD_OPT_LIST_META_CONTEXT": {wire.OptListMetaContext, append(tears(meta),
			most+"disk", "\x00\x00\x00\x04disk"+most, "\x00\x00\x00\x04disk\x00\x00\x00\x01"+most)},
	} {
		t.Run(name, func(t *testing.T) {
			_, ln := serve(t, oneExport(1<<20))
			p := dial(t, ln).greet()
			if tt.option != wire.OptStructuredReply && tt.option != wire.OptExtendedHeaders {
				p.want(p.option(wire.OptStructuredReply, nil), wire.RepAck)
			}
			before := allocated()
			for _, data := range tt.data {
				list := p.option(tt.option, []byte(data))
				if last := list[len(list)-1].Type; len(list) != 1 || last != wire.RepErrInvalid && last != wire.RepErrTooBig {
					t.Errorf("%q: %v", data, list)
				}
				p.want(p.option(wire.OptList, nil), wire.RepServer, wire.RepAck) // in sync
			}
			if n := allocated() - before; n > 4<<20 {
				t.Errorf("%d bytes for %d options", n, len(tt.data))
			}
		})
	}
}

// tears are the parts that b begins with, and b with a byte too many.
func tears(b []byte) (list []string) {
	for n := range b {
		list = append(list, string(b[:n]))
	}
	return append(list, string(b)+"x")
}

// allocated is all the memory that was ever asked for, in bytes.
func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}

// Requests that an extension of the specification adds, and that can't be.
func TestMalformedResize(t *testing.T) {
	cfg := oneExport(1 << 20)
	cfg.Exports[0].Disk, cfg.Exports[0].Resizable = export.NewResizable(1<<20, 1<<21), true
	_, ln := serve(t, cfg)
	p := dial(t, ln).enter(true)
	for _, tt := range []struct {
		q    wire.Request
		want wire.Errno
	}{
		{wire.Request{Type: wire.CmdResize, Offset: 1<<64 - 1}, wire.ENOSPC},
		{wire.Request{Type: wire.CmdResize, Offset: 1<<21 + 1}, wire.ENOSPC},
		{wire.Request{Type: wire.CmdResize, Offset: 4096, Flags: 1 << 9}, wire.EINVAL},
		{wire.Request{Type: wire.CmdResize, Offset: 4096, Flags: wire.CmdFlagPayloadLen, Length: 8}, wire.EINVAL},
		{wire.Request{Type: wire.CmdResize, Offset: 4096, Length: 1<<32 - 1}, wire.OK}, // the length means nothing
		{wire.Request{Type: wire.CmdRead, Offset: 4096, Length: 1}, wire.ENOSPC},
		{wire.Request{Type: wire.CmdResize, Offset: 1 << 20}, wire.OK},
	} {
		if r := p.do(tt.q, nil); r.Err != tt.want {
			t.Errorf("%v: %v, want %v", tt.q, r.Err, tt.want)
		}
	}
	if r := p.do(wire.Request{Type: wire.CmdRead, Offset: 1<<20 - 1, Length: 1}, nil); r.Err != wire.OK {
		t.Errorf("afterwards: %v", r.Err)
	}
}
