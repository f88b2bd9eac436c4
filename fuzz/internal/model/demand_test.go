package model

import (
	"testing"

	"nbdconform/reference/wire"
)

// ask tells an NBD_OPT_INFO, or an NBD_OPT_GO, and the type of its final reply.
// What is acknowledged, or told, has NBD_INFO_EXPORT.
func (c *Conn) ask(o wire.Option, name string, last wire.ReplyType, told ...wire.InfoType) []Violation {
	var replies []wire.OptionReply
	if last == wire.RepAck {
		told = append(told, wire.InfoExport)
	}
	for _, t := range told {
		i := wire.ExportInfo{Size: size, Flags: all}.Info()
		if t == wire.InfoName {
			i = wire.Info{Type: t, Payload: []byte(name)}
		}
		replies = append(replies, wire.OptionReply{Option: o, Type: wire.RepInfo, Data: i.Append(nil)})
	}
	replies = append(replies, wire.OptionReply{Option: o, Type: last})
	return c.Option(wire.OptionRequest{Option: o, Data: wire.InfoRequest{Export: name, Infos: []wire.InfoType{wire.InfoBlockSize}}.Append(nil)}, replies)
}

// list tells that names are what there is.
func (c *Conn) list(names ...string) []Violation {
	var replies []wire.OptionReply
	for _, n := range names {
		replies = append(replies, wire.OptionReply{Option: wire.OptList, Type: wire.RepServer, Data: wire.ServerReply{Name: n}.Append(nil)})
	}
	return c.Option(wire.OptionRequest{Option: wire.OptList}, append(replies, wire.OptionReply{Option: wire.OptList, Type: wire.RepAck}))
}

func secure(m *Model) *Conn {
	c := m.Connect()
	c.Upgraded()
	return c
}

func TestExportsThatNeedTLS(t *testing.T) {
	const info, enter, ack = wire.OptInfo, wire.OptGo, wire.RepAck
	const reqd, policy, unknown = wire.RepErrTLSReqd, wire.RepErrPolicy, wire.RepErrUnknown
	plain := Options{Exports: []string{"disk", "vault"}, Plain: true}
	for name, tt := range map[string]struct {
		talk func(m *Model, c *Conn) []Violation
		want string
	}{
		"an export that is withheld": {func(_ *Model, c *Conn) []Violation {
			return append(c.ask(info, "vault", reqd), c.ask(enter, "vault", reqd)...)
		}, ""},
		"and for another reason at first": {func(_ *Model, c *Conn) []Violation {
			c.ask(info, "vault", policy)
			return c.ask(enter, "vault", reqd)
		}, "tls.selective.info"},
		"and for another reason later": {func(_ *Model, c *Conn) []Violation {
			c.ask(info, "vault", reqd)
			return c.ask(enter, "vault", policy)
		}, "tls.selective.go"},
		"and for another reason, of an export that need not exist": {func(_ *Model, c *Conn) []Violation {
			c.ask(info, "attic", policy)
			return c.ask(info, "attic", reqd)
		}, ""},
		"and for another reason on another connection": {func(m *Model, c *Conn) []Violation {
			c.ask(info, "vault", policy)
			return m.Connect().ask(info, "vault", reqd)
		}, ""},
		"and is entered": {func(_ *Model, c *Conn) []Violation {
			c.ask(info, "vault", reqd)
			return c.ask(enter, "vault", ack)
		}, "tls.selective.go"},
		"and is entered by NBD_OPT_EXPORT_NAME": {func(_ *Model, c *Conn) []Violation {
			c.ask(info, "vault", reqd)
			return c.ExportName("vault", wire.ExportNameReply{Size: size, Flags: all})
		}, "opt.export-name.requirements"},
		"and is entered on a connection in another mode": {func(m *Model, c *Conn) []Violation {
			c.ask(info, "vault", reqd)
			return m.Connect().ask(enter, "vault", ack)
		}, ""},
		"and is entered within TLS": {func(_ *Model, c *Conn) []Violation {
			c.ask(info, "vault", reqd)
			c.Upgraded()
			return c.ask(enter, "vault", ack)
		}, ""},
		"and was described before, which is disputed": {func(_ *Model, c *Conn) []Violation {
			c.ask(info, "vault", ack)
			return c.ask(enter, "vault", reqd)
		}, ""},
		"an export that is described where another is hidden": {func(m *Model, c *Conn) []Violation {
			c.ask(info, "attic", reqd)
			c.ask(info, "vault", reqd, wire.InfoExport)
			return secure(m).ask(info, "attic", unknown)
		}, "opt.info.hide-unknown.no-info"},
		"and the other one is there": {func(m *Model, c *Conn) []Violation {
			c.ask(info, "vault", reqd, wire.InfoExport)
			c.ask(info, "attic", reqd)
			return secure(m).ask(info, "attic", ack)
		}, ""},
		"and the other one is hidden on another connection": {func(m *Model, c *Conn) []Violation {
			c.ask(info, "vault", reqd, wire.InfoExport)
			m.Connect().ask(info, "attic", reqd)
			return secure(m).ask(info, "attic", unknown)
		}, ""},
		"a list without an export that may need TLS": {func(_ *Model, c *Conn) []Violation {
			list := append(c.list("disk"), c.ask(info, "vault", reqd)...)
			list = append(list, c.ask(info, "disk", ack)...)
			c.Upgraded()
			return append(list, c.ask(info, "vault", ack, wire.InfoName)...)
		}, ""},
		"a list without an export within TLS": {func(_ *Model, c *Conn) []Violation {
			c.Upgraded()
			return c.list("disk")
		}, "layout.opt.list.replies"},
		"a list without an export of a server without TLS": {func(*Model, *Conn) []Violation {
			return New(plain).Connect().list("disk")
		}, "layout.opt.list.replies"},
		"an export that is known within TLS alone": {func(m *Model, c *Conn) []Violation {
			secure(m).ask(info, "vault", ack)
			c.Structured = true
			q := wire.MetaContextRequest{Export: "vault"}
			return c.Option(wire.OptionRequest{Option: wire.OptListMetaContext, Data: q.Append(nil)},
				[]wire.OptionReply{{Option: wire.OptListMetaContext, Type: unknown}})
		}, ""},
		"an export that is described and, without TLS, not entered": {func(_ *Model, c *Conn) []Violation {
			c.ask(info, "vault", ack)
			return c.Refused("vault")
		}, ""},
		"and of a server that does without TLS": {func(*Model, *Conn) []Violation {
			c := New(plain).Connect()
			c.ask(info, "vault", ack)
			return c.Refused("vault")
		}, "interop.server.export-name"},
	} {
		t.Run(name, func(t *testing.T) {
			m := New(Options{Exports: plain.Exports})
			got := tt.talk(m, m.Connect())
			if tt.want == "" && len(got) > 0 || tt.want != "" && (len(got) != 1 || string(got[0].Clause) != tt.want) {
				t.Errorf("got %v, want %q", got, tt.want)
			}
		})
	}
}
