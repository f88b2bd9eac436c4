package clientquirk

import (
	"context"

	"nbdconform/reference/client"
	"nbdconform/reference/wire"
)

// permitted makes an allowed quirk of hooks.
func permitted(name, doc string, h client.Hooks, clauses ...string) Quirk {
	return register(Quirk{Name: name, Allowed: true, Permitted: clauses, Doc: doc, Hooks: h})
}

// setting has the client set a flag on commands of a type where the server
// advertises another one.
func setting(t wire.Command, f wire.CommandFlags, where wire.TransmissionFlags) client.Hooks {
	return client.Hooks{Request: func(m *client.RequestMessage) {
		q := &m.Request
		if q.Type == t && m.Client.Flags()&where != 0 && (t != wire.CmdRead || q.Length <= wire.UnfragmentedRead) {
			q.Flags |= f
		}
	}}
}

// What clients may choose.
var (
	InfoFirst = permitted("client-info-first", "asks NBD_OPT_INFO for the size constraints before it goes on", client.Hooks{
		Negotiated: func(ctx context.Context, n *client.Negotiation) {
			if n.Fixed() {
				_, _ = n.Say(ctx, wire.OptionRequest{
					Option: wire.OptInfo, Data: wire.InfoRequest{Export: "disk", Infos: []wire.InfoType{wire.InfoBlockSize}}.Append(nil),
				})
			}
		},
	}, "opt.info.go-after-info", "size.client.info")
	OptionUnknown = permitted("client-option-unknown", "sends an option of its own", client.Hooks{
		Negotiated: func(ctx context.Context, n *client.Negotiation) {
			if n.Fixed() {
				_, _ = n.Say(ctx, wire.OptionRequest{Option: 0x4e4d44, Data: []byte("hello")})
			}
		},
	}, "handshake.option.any")
	CookieReused = permitted("client-cookie-reused", "begins its cookies anew whenever no request is in flight",
		client.Hooks{Skip: map[string]bool{"trans.cookie.fresh": true}}, "trans.cookie.reuse")
	FUA = permitted("client-fua", "sets NBD_CMD_FLAG_FUA on all writes where the server advertises it",
		setting(wire.CmdWrite, wire.CmdFlagFUA, wire.FlagSendFUA), "cmdflag.fua.any")
	DF = permitted("client-df", "sets NBD_CMD_FLAG_DF on reads of up to 65536 bytes where the server advertises it",
		setting(wire.CmdRead, wire.CmdFlagDF, wire.FlagSendDF), "cmdflag.df.optional")
	NoHole = permitted("client-no-hole", "sets NBD_CMD_FLAG_NO_HOLE on every NBD_CMD_WRITE_ZEROES",
		setting(wire.CmdWriteZeroes, wire.CmdFlagNoHole, wire.FlagSendWriteZeroes), "cmdflag.no-hole.optional", "cmdflag.no-hole.without-trim")
	StructuredFirst = permitted("client-structured-first", "asks for structured replies before it asks for extended headers",
		client.Hooks{Skip: map[string]bool{"opt.extended-headers.first": true}}, "opt.extended-headers.structured-first")
)

// What is unusual and correct.
var (
	Simple = register(Quirk{
		Name: "client-simple", Allowed: true, Doc: "asks for no structured replies",
		Config: func(c *client.Config) { c.ExtendedHeaders, c.SimpleReplies = false, true },
	})
	Compact = register(Quirk{
		Name: "client-compact", Allowed: true, Doc: "asks for no extended headers",
		Config: func(c *client.Config) { c.ExtendedHeaders = false },
	})
	Contextless = register(Quirk{
		Name: "client-contextless", Allowed: true, Doc: "selects no metadata context",
		Config: func(c *client.Config) { c.MetaContexts = nil },
	})
	AnyBlockSize = register(Quirk{
		Name: "client-any-block-size", Allowed: true, Permitted: []string{"opt.info.requests"}, Doc: "promises nothing about the sizes of blocks",
		Config: func(c *client.Config) { c.AnyBlockSize = true },
	})
	Zeroes = register(Quirk{
		Name: "client-zeroes", Allowed: true, Doc: "wants the zeroes after the answer to NBD_OPT_EXPORT_NAME",
		Config: func(c *client.Config) { c.Zeroes = true },
	})
	SmallRequests = register(Quirk{
		Name: "client-small-requests", Allowed: true, Permitted: []string{"size.client.tighter"}, Doc: "reads and writes 4096 bytes at once",
		Config: func(c *client.Config) { c.MaxRequest = 4096 },
	})
	OneInFlight = register(Quirk{
		Name: "client-one-in-flight", Allowed: true, Doc: "has one request in flight",
		Config: func(c *client.Config) { c.MaxInFlight = 1 },
	})
	StructuredTwice = register(Quirk{
		Name: "client-structured-twice", Allowed: true, Permitted: []string{"tls.client.starttls.any-time"}, Doc: "negotiates structured replies before TLS, and once more within it",
		Hooks: client.Hooks{Skip: map[string]bool{"opt.starttls.defer-stateful": true}},
	})
)
