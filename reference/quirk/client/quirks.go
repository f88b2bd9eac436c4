package clientquirk

import (
	"bytes"
	"crypto/tls"
	"strings"

	"nbdconform/reference/client"
	"nbdconform/reference/starttls"
	"nbdconform/reference/wire"
)

// breaking makes a client's quirk of a clause that the client does not keep.
func breaking(name, clause, doc string) Quirk {
	return register(Quirk{
		Name: name, Breaks: clause, Doc: doc,
		Hooks: client.Hooks{Skip: map[string]bool{clause: true}},
	})
}

// saying makes a client's quirk that rewrites options of a type.
func saying(name, clause, doc string, o wire.Option, f func(*client.OptionMessage)) Quirk {
	return register(Quirk{
		Name: name, Breaks: clause, Doc: doc,
		Hooks: client.Hooks{Option: func(m *client.OptionMessage) {
			if m.Is(o) {
				f(m)
			}
		}},
	})
}

// asking makes a client's quirk that rewrites requests of a type.
func asking(name, clause, doc string, t wire.Command, f func(*client.RequestMessage)) Quirk {
	return register(Quirk{
		Name: name, Breaks: clause, Doc: doc,
		Hooks: client.Hooks{Request: func(m *client.RequestMessage) {
			if m.Request.Type == t {
				f(m)
			}
		}},
	})
}

// configured makes a client's quirk of another configuration.
func configured(name, clause, doc string, f func(*client.Config)) Quirk {
	return register(Quirk{Name: name, Breaks: clause, Doc: doc, Config: f})
}

// Rules that the client does not keep.
var (
	OldstyleOnly = breaking("client-oldstyle-only", "baseline.client.fixed-newstyle",
		"speaks nothing but oldstyle negotiation")
	StructuredOnly = breaking("client-structured-only", "baseline.client.simple-reply",
		"gives up where it is refused structured replies")
	ExportName = register(Quirk{
		Name: "client-export-name", Breaks: "size.client.go", Doc: "chooses the export with NBD_OPT_EXPORT_NAME and never tries NBD_OPT_GO",
		Hooks:  client.Hooks{Skip: map[string]bool{"size.client.go": true}},
		Config: func(c *client.Config) { c.ExtendedHeaders = false },
	})
	Abortless = breaking("client-abortless", "haggling.hard.unjustified.client",
		"closes the connection where NBD_OPT_ABORT is due")
	AbortStays = breaking("client-abort-stays", "haggling.abort.drop",
		"sends another option once NBD_OPT_ABORT was answered")
	AbortCutsTLS = breaking("client-abort-cuts-tls", "haggling.abort.tls-shutdown",
		"closes the connection below TLS after NBD_OPT_ABORT")
	ShutdownIgnored = breaking("client-shutdown-ignored", "haggling.shutdown.abort",
		"carries on after NBD_REP_ERR_SHUTDOWN")
	InfoUnknownFatal = breaking("client-info-unknown-fatal", "opt.info.unknown-reply",
		"gives up on information of a type that it does not know")
	InfoOrdered = breaking("client-info-ordered", "rep.info.no-order",
		"gives up unless NBD_INFO_EXPORT comes first")
	ListMetaError = breaking("client-list-meta-error", "opt.list-meta.disregard-on-error",
		"believes the metadata contexts that were listed before an error")
	ListMetaID = breaking("client-list-meta-id", "opt.list-meta.id-disregard",
		"gives up where a listed metadata context has an id")
	MetaIDSmall = breaking("client-meta-id-small", "opt.set-meta.opaque-id",
		"takes ids of metadata contexts for numbers below 256")
	MetaUnstructured = breaking("client-meta-unstructured", "opt.set-meta.needs-structured",
		"selects metadata contexts where it was refused structured replies")
	AllocationUnknown = breaking("client-allocation-unknown", "meta.allocation.unknown",
		"takes any unknown flag of base:allocation for NBD_STATE_ZERO")
	ChunkFlagFatal = breaking("client-chunk-flag-fatal", "chunk.flag.ignore-unknown",
		"gives up on a chunk with a flag that it does not know")
	ChunkUnknownSkipped = breaking("client-chunk-unknown-skipped", "chunk.unknown-type",
		"skips chunks of a type that it does not know")
	ErrorUnknownSkipped = breaking("client-error-unknown-skipped", "chunk.error.unknown-type",
		"skips error chunks of a type that it does not know")
	ChunkLenient = breaking("client-chunk-lenient", "chunk.inconsistent",
		"bears chunks whose contents contradict each other")
	ReadInOrder = breaking("client-read-in-order", "cmd.read.reassemble",
		"takes content chunks to come in the order of their offsets")
	ShutdownHard = breaking("client-eshutdown-hard", "trans.end.eshutdown.soft",
		"closes the connection on NBD_ESHUTDOWN")
	FlushEarly = breaking("client-flush-early", "trans.order.flush.connections",
		"flushes while another connection of its own still writes")
	StartTLSNotFixed = breaking("client-starttls-not-fixed", "tls.client.starttls.not-fixed",
		"sends NBD_OPT_STARTTLS to a server that does not speak fixed newstyle")
	StartTLSInTheClear = breaking("client-starttls-in-the-clear", "tls.client.upgrade",
		"carries on in the clear once NBD_OPT_STARTTLS was acknowledged")
	StartTLSLate = breaking("client-starttls-late", "tls.upgrade.all.client",
		"sends an option in the clear between the acknowledgement of NBD_OPT_STARTTLS and TLS")
	StartTLSAnyway = breaking("client-starttls-anyway", "tls.client.starttls.error",
		"starts TLS although NBD_OPT_STARTTLS was refused")
	TLSFailureIgnored = breaking("client-tls-failure-ignored", "tls.handshake.failed.client",
		"carries on in the clear after a TLS handshake that failed")
	TLSRemembered = breaking("client-tls-remembered", "tls.mode.remembered",
		"takes it that servers have TLS if the last one had")
	StructuredKept = breaking("client-structured-kept", "opt.structured-reply.after-starttls",
		"negotiates structured replies, starts TLS, and goes on as if the server remembered")
	ExtendedKept = breaking("client-extended-kept", "opt.extended-headers.after-starttls",
		"negotiates extended headers, starts TLS, and goes on as if the server remembered")
)

// Other configurations.
var (
	InsistsOnTLS = configured("client-insists-on-tls", "baseline.client.notls",
		"gives up without TLS, whatever it is told", func(c *client.Config) {
			c.TLS = client.TLS{Mode: client.TLSRequire, Client: &starttls.X509Client{NoVerify: true}}
		})
	WithoutTLS = configured("client-without-tls", "tls.client.modes",
		"never starts TLS, whatever it is told", func(c *client.Config) { c.TLS = client.TLS{} })
	TLS13Only = configured("client-tls-1.3-only", "tls.version.required.client",
		"does no TLS below version 1.3", func(c *client.Config) {
			if x, ok := c.TLS.Client.(*starttls.X509Client); ok {
				x.MinVersion = tls.VersionTLS13
			}
		})
)

// Handshakes.
var (
	FlagUnknown = register(Quirk{
		Name: "client-flag-unknown", Breaks: "flag.client.unknown", Doc: "sets a client flag that nobody defined",
		Hooks: client.Hooks{Flags: func(f *wire.ClientFlags) { *f |= 1 << 9 }},
	})
	NoZeroesUnoffered = register(Quirk{
		Name: "client-no-zeroes-unoffered", Breaks: "flag.client.no-zeroes", Doc: "always sets NBD_FLAG_C_NO_ZEROES",
		Hooks: client.Hooks{Flags: func(f *wire.ClientFlags) { *f |= wire.FlagCNoZeroes }},
	})
	OptionMagic = saying("client-option-magic", "layout.option.magic",
		"opens NBD_OPT_GO with another magic", wire.OptGo, func(m *client.OptionMessage) {
			m.Raw = m.Request.Append(nil)
			m.Raw[3] ^= 0xff
		})
	OptionsAtOnce = saying("client-options-at-once", "handshake.option.one-at-a-time",
		"sends NBD_OPT_GO and NBD_OPT_LIST without waiting in between", wire.OptGo, func(m *client.OptionMessage) {
			m.Before = wire.OptionRequest{Option: wire.OptList}.Append(nil)
		})
	ListData = saying("client-list-data", "opt.list.no-data",
		"sends data with NBD_OPT_LIST", wire.OptList, more)
	StartTLSData = saying("client-starttls-data", "opt.starttls.no-data",
		"sends data with NBD_OPT_STARTTLS", wire.OptStartTLS, more)
	StructuredData = register(Quirk{
		Name: "client-structured-data", Breaks: "opt.structured-reply.no-data", Doc: "sends data with NBD_OPT_STRUCTURED_REPLY",
		Config: func(c *client.Config) { c.ExtendedHeaders = false },
		Hooks: client.Hooks{Option: func(m *client.OptionMessage) {
			if m.Is(wire.OptStructuredReply) {
				more(m)
			}
		}},
	})
	ExtendedData = saying("client-extended-data", "opt.extended-headers.no-data",
		"sends data with NBD_OPT_EXTENDED_HEADERS", wire.OptExtendedHeaders, more)
	InfoShort = saying("client-info-short", "layout.opt.info",
		"announces more information requests in NBD_OPT_GO than it sends", wire.OptGo, func(m *client.OptionMessage) {
			m.Request.Data = m.Request.Data[:len(m.Request.Data)-2]
		})
	InfoNameLong = saying("client-info-name-long", "opt.info.name-length",
		"announces a longer name in NBD_OPT_GO than there is room for", wire.OptGo, func(m *client.OptionMessage) {
			m.Request.Data = bytes.Clone(m.Request.Data)
			m.Request.Data[2] = 1
		})
	ExportNameExtended = saying("client-export-name-extended", "opt.export-name.extended",
		"chooses the export with NBD_OPT_EXPORT_NAME although it negotiated extended headers", wire.OptGo, func(m *client.OptionMessage) {
			m.Raw = wire.OptionRequest{Option: wire.OptExportName, Data: []byte("disk")}.Append(nil)
		})
	InfoTwice = saying("client-info-twice", "opt.info.requests-unique",
		"asks NBD_OPT_GO for the same information twice", wire.OptGo, func(m *client.OptionMessage) {
			m.Request.Data = wire.InfoRequest{Export: "disk", Infos: []wire.InfoType{wire.InfoBlockSize, wire.InfoBlockSize}}.Append(nil)
		})
	NameLatin1 = naming("client-name-latin1", "string.utf8.client", "asks for an export whose name is no UTF-8", "d\xefsk")
	NameNUL    = naming("client-name-nul", "string.no-nul.client", "ends the name of an export with NUL", "disk\x00")
	NameLong   = naming("client-name-long", "string.max-length.client", "asks for an export with a name of 5000 bytes",
		string(bytes.Repeat([]byte("d"), 5000)))
	MetaShort = saying("client-meta-short", "layout.opt.meta",
		"cuts the data of NBD_OPT_SET_META_CONTEXT short", wire.OptSetMetaContext, func(m *client.OptionMessage) {
			m.Request.Data = m.Request.Data[:len(m.Request.Data)-3]
		})
	SetMetaBare = saying("client-set-meta-bare", "opt.set-meta.query-syntax",
		"selects metadata contexts by a query without a namespace", wire.OptSetMetaContext, func(m *client.OptionMessage) {
			m.Request.Data = wire.MetaContextRequest{Export: "disk", Queries: []string{"allocation"}}.Append(nil)
		})
	ListMetaBare = saying("client-list-meta-bare", "opt.list-meta.query-syntax",
		"lists metadata contexts by a query without a namespace", wire.OptListMetaContext, func(m *client.OptionMessage) {
			m.Request.Data = wire.MetaContextRequest{Export: "disk", Queries: []string{"allocation"}}.Append(nil)
		})
	StartTLSTwice = register(Quirk{
		Name: "client-starttls-twice", Breaks: "tls.client.starttls.again", Doc: "sends NBD_OPT_STARTTLS within TLS",
		Hooks: client.Hooks{Negotiated: startTLSAgain},
	})
)

// more gives an option data that it does not have.
func more(m *client.OptionMessage) { m.Request.Data = []byte("more") }

// naming asks NBD_OPT_GO for an export of another name.
func naming(name, clause, doc, export string) Quirk {
	return saying(name, clause, doc, wire.OptGo, func(m *client.OptionMessage) {
		m.Request.Data = wire.InfoRequest{Export: export, Infos: []wire.InfoType{wire.InfoBlockSize}}.Append(nil)
	})
}

// AllocationFatal gives up on flags of base:allocation that it does not know.
var AllocationFatal = register(Quirk{
	Name: "client-allocation-fatal", Breaks: "meta.allocation.unknown", Doc: "gives up on flags of base:allocation that it does not know",
	Hooks: client.Hooks{Skip: map[string]bool{"meta.allocation.unknown.fatal": true}},
})

// ExportSlash takes too much of its URI for the name of an export.
var ExportSlash = configured("client-export-slash", "uri.export",
	"keeps the slash that a name with a space follows in a URI", func(c *client.Config) {
		if strings.Contains(c.Export, " ") {
			c.Export = "/" + c.Export
		}
	})
