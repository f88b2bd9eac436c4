package clientquirk

import (
	"bytes"
	"strings"

	"nbdconform/reference/client"
	"nbdconform/reference/wire"
)

// more gives an option data that it does not have.
func more(m *client.OptionMessage) { m.Request.Data = []byte("more") }

// naming asks NBD_OPT_GO for an export of another name.
func naming(name, clause, doc, export string) Quirk {
	return saying(name, clause, doc, wire.OptGo, func(m *client.OptionMessage) {
		m.Request.Data = wire.InfoRequest{Export: export, Infos: []wire.InfoType{wire.InfoBlockSize}}.Append(nil)
	})
}

// Flags and options of the negotiation.
var (
	NoZeroesUnoffered = register(Quirk{
		Name: "client-no-zeroes-unoffered", Breaks: "flag.client.no-zeroes", Doc: "always sets NBD_FLAG_C_NO_ZEROES",
		Hooks: client.Hooks{Flags: func(f *wire.ClientFlags) { *f |= wire.FlagCNoZeroes }},
	})
	OptionsAtOnce = saying("client-options-at-once", "handshake.option.one-at-a-time",
		"sends NBD_OPT_GO and NBD_OPT_LIST without waiting in between", wire.OptGo, func(m *client.OptionMessage) {
			m.Before = wire.OptionRequest{Option: wire.OptList}.Append(nil)
		})
	ShutdownIgnored = breaking("client-shutdown-ignored", "haggling.shutdown.abort",
		"carries on after NBD_REP_ERR_SHUTDOWN")
	Abortless = breaking("client-abortless", "haggling.hard.unjustified.client",
		"closes the connection where it should send NBD_OPT_ABORT")
	AbortStays = breaking("client-abort-stays", "haggling.abort.drop",
		"sends another option once NBD_OPT_ABORT was answered")
	AbortAckDemanded = breaking("client-abort-ack-demanded", "opt.abort.closed-without-reply",
		"takes it for a failure if the connection ends without a reply to NBD_OPT_ABORT")
	InfoUnknownFatal = breaking("client-info-unknown-fatal", "opt.info.unknown-reply",
		"gives up on information of a type that it does not know")
	InfoOrdered = breaking("client-info-ordered", "rep.info.no-order",
		"gives up unless NBD_INFO_EXPORT comes first")
	FlagUnknown = register(Quirk{
		Name: "client-flag-unknown", Breaks: "flag.client.unknown", Doc: "sets an undefined client flag",
		Hooks: client.Hooks{Flags: func(f *wire.ClientFlags) { *f |= 1 << 9 }},
	})
	OptionMagic = saying("client-option-magic", "layout.option.magic",
		"opens NBD_OPT_GO with another magic", wire.OptGo, func(m *client.OptionMessage) {
			m.Raw = m.Request.Append(nil)
			m.Raw[3] ^= 0xff
		})
	ListData = saying("client-list-data", "opt.list.no-data",
		"sends data with NBD_OPT_LIST", wire.OptList, more)
	StructuredData = register(Quirk{
		Name: "client-structured-data", Breaks: "opt.structured-reply.no-data", Doc: "sends data with NBD_OPT_STRUCTURED_REPLY",
		Config: func(c *client.Config) { c.ExtendedHeaders = false },
		Hooks: client.Hooks{Option: func(m *client.OptionMessage) {
			if m.Is(wire.OptStructuredReply) {
				more(m)
			}
		}},
	})
	InfoShort = saying("client-info-short", "layout.opt.info",
		"announces more information requests in NBD_OPT_GO than it sends", wire.OptGo, func(m *client.OptionMessage) {
			m.Request.Data = m.Request.Data[:len(m.Request.Data)-2]
		})
	InfoNameLong = saying("client-info-name-long", "opt.info.name-length",
		"announces a longer name in NBD_OPT_GO than there is room for", wire.OptGo, func(m *client.OptionMessage) {
			m.Request.Data = bytes.Clone(m.Request.Data)
			m.Request.Data[2] = 1
		})
	InfoTwice = saying("client-info-twice", "opt.info.requests-unique",
		"asks NBD_OPT_GO for the same information twice", wire.OptGo, func(m *client.OptionMessage) {
			m.Request.Data = wire.InfoRequest{Export: "disk", Infos: []wire.InfoType{wire.InfoBlockSize, wire.InfoBlockSize}}.Append(nil)
		})
	NameLatin1 = naming("client-name-latin1", "string.utf8.client", "asks for an export whose name is no UTF-8", "d\xefsk")
	NameNUL    = naming("client-name-nul", "string.no-nul.client", "ends the name of an export with NUL", "disk\x00")
	NameLong   = naming("client-name-long", "string.max-length.client", "asks for an export with a name of 5000 bytes",
		string(bytes.Repeat([]byte("d"), 5000)))
	OptionAfterGo = asking("client-option-after-go", "opt.info.go-no-more-options",
		"sends an option where it should send NBD_CMD_DISC", wire.CmdDisc, func(m *client.RequestMessage) {
			m.Raw = wire.OptionRequest{Option: wire.OptAbort, Data: make([]byte, 32)}.Append(nil)
		})
)

// ExportSlash takes too much of its URI for the name of an export.
var ExportSlash = configured("client-export-slash", "uri.export",
	"keeps the slash that a name with a space follows in a URI", func(c *client.Config) {
		if strings.Contains(c.Export, " ") {
			c.Export = "/" + c.Export
		}
	})
