package clients

import (
	"context"
	"crypto/tls"

	. "github.com/onsi/ginkgo/v2"

	. "nbdconform/conformance/internal/encounter"
	. "nbdconform/conformance/internal/expect"
	. "nbdconform/conformance/internal/spec"
	"nbdconform/conformance/internal/verdict"
	"nbdconform/conformance/subject"
	quirk "nbdconform/reference/quirk/client"
	"nbdconform/reference/server"
	"nbdconform/reference/starttls"
	"nbdconform/reference/starttls/pki"
	"nbdconform/reference/wire"
	"nbdconform/reports/result"
)

// into are activities that enter the transmission phase.
var into = []subject.Operation{subject.CopyOut, subject.Visit, subject.CopyIn, subject.Compare, subject.Map, subject.Zero}

var _ = Describe("A server from another time", func() {
	// "The client SHOULD ignore any handshake flags it does not recognize"
	It("may set handshake flags that nobody knows", ID("client.flags.unknown"),
		SHOULD("handshake.flags.unknown"),
		Asks(anything[0], anything[1:]...),
		Provokes("flag.handshake.unknown"),
		TrippedBy(quirk.HandshakeFlagFatal, "want success"),
		func(ctx context.Context) {
			v := Ask(ctx, Hooked(server.Hooks{Greeting: func(x *server.GreetingExchange) { x.Greeting.Flags |= 1 << 9 }}))

			Expect(v).To(GoWell())
		})

	// "Clients SHOULD ignore unknown flags."
	It("may set transmission flags that nobody knows", ID("client.transmission-flags.unknown"),
		SHOULD("flag.transmission.ignore-unknown"),
		Asks(into[0], into[1:]...),
		TrippedBy(quirk.TransmissionFlagFatal, "want success"),
		func(ctx context.Context) {
			v := Ask(ctx, Hooked(server.Hooks{OptionReply: func(x *server.OptionExchange) {
				x.ExportInfo(func(e *wire.ExportInfo) { e.Flags |= 1 << 15 })
			}}))

			v.Provoked("does-not-use-opt-go")
			Expect(v).To(GoWell())
		})

	// "SHOULD fall back to `NBD_OPT_EXPORT_NAME` if `NBD_OPT_GO` is not supported"
	It("may know no NBD_OPT_GO and NBD_OPT_INFO", ID("client.go.unsup"),
		SHOULD("opt.info.fallback", "interop.client.export-name"),
		Asks(into[0], into[1:]...),
		Provokes("baseline.server.go", "baseline.server.info"),
		TrippedBy(quirk.GoOnly, "want success"),
		func(ctx context.Context) {
			v := Ask(ctx, Compact, Hooked(server.Hooks{OptionReply: func(x *server.OptionExchange) {
				if x.Is(wire.OptGo, wire.OptInfo) {
					x.Fail(wire.RepErrUnsup, "what?")
				}
			}}))

			v.Provoked("does-not-use-opt-go")
			Expect(v).To(GoWell())
		})

	// "clients SHOULD be prepared to also handle `NBD_REP_ERR_UNSUP`"
	for _, o := range []struct {
		option wire.Option
		clause string
		way    Way
	}{
		{wire.OptStructuredReply, "opt.structured-reply.unsup", Plain},
		{wire.OptExtendedHeaders, "opt.extended-headers.unsup", Compact},
	} {
		It("may know no "+o.option.String(), ID("client.unsup."+short(o.option)),
			SHOULD(clauseID(o.clause)),
			Asks(into[0], into[1:]...),
			TrippedBy(quirk.StructuredOnly, "want success"),
			func(ctx context.Context) {
				v := Ask(ctx, o.way)

				if !Sent(v, o.option) && !Sent(v, wire.OptExtendedHeaders) {
					Unsuited("does-not-use", o.option)
				}
				if Operation(ctx) == subject.Map {
					Expect(v).To(TellNoLie()) // a map takes metadata contexts
					return
				}
				Expect(v).To(GoWell())
			})
	}
})

var _ = Describe("An export", func() {
	// "A client thus SHOULD use `NBD_OPT_GO` in preference to `NBD_OPT_EXPORT_NAME`"
	It("is chosen by NBD_OPT_GO, and its size constraints are asked for", ID("client.go.block-size"),
		SHOULD("opt.export-name.prefer-go", "size.client.announce", "interop.client.block-size"),
		Asks(into[0], into[1:]...),
		TrippedBy(quirk.BlockSizeUnasked, "NBD_INFO_BLOCK_SIZE"), TrippedBy(quirk.ExportName, "none of [NBD_OPT_EXPORT_NAME]"),
		func(ctx context.Context) {
			v := Ask(ctx)

			Expect(v).To(UseNo(wire.OptExportName))
			Expect(v).To(askForConstraints())
		})
})

// askForConstraints matches a visit in which each NBD_OPT_GO asks for NBD_INFO_BLOCK_SIZE.
func askForConstraints() *Expectation {
	return conns(result.Term("client.block-size-requested"), func(c *Conn) result.Value {
		for _, o := range c.Options {
			if q, err := wire.ParseInfoRequest(o.Data); o.Option == wire.OptGo && (err != nil || !q.Wants(wire.InfoBlockSize)) {
				return result.Term("client.asks", q.Infos)
			}
		}
		return result.Nothing
	})
}

var _ = Describe("TLS that is asked for", func() {
	// "A client that prefers to use TLS [...] SHOULD send `NBD_OPT_STARTTLS` as the first option."
	It("comes before all else", ID("client.tls.first"),
		SHOULD("tls.client.starttls.first", "tls.downgrade.client", "interop.client.tls"),
		Asks(secured[0], secured[1:]...),
		TrippedBy(quirk.StructuredKept, "comes before"), TrippedBy(quirk.WithoutTLS, "never comes"),
		func(ctx context.Context) {
			v := Ask(ctx, Told(subject.TLSRequire), Secure(server.SelectiveTLS, nil))

			Expect(v).To(startFirst())
		})

	// "a client which only wishes to use TLS SHOULD terminate the session if the `NBD_OPT_STARTTLS` replies with an error."
	It("and refused ends the session", ID("client.tls.insisting"),
		SHOULD("tls.client.starttls.insisting", "tls.downgrade.client"),
		Asks(secured[0], secured[1:]...),
		TrippedBy(quirk.TLSOptional, "comes in the clear"),
		func(ctx context.Context) {
			v := Ask(ctx, Told(subject.TLSRequire), With(func(c *server.Config) { c.StartTLS = wire.RepErrPolicy }))

			Expect(v).To(conns(result.Term("client.only-abort-after-refused-tls"), func(c *Conn) result.Value {
				for _, o := range c.Options {
					if o.Option != wire.OptStartTLS && o.Option != wire.OptAbort {
						return result.Term("client.sends-in-plaintext", o.Option)
					}
				}
				return result.Nothing
			}))
		})

	// "If a client supports TLS, it SHOULD use `NBD_OPT_GO` (if the server supports it)"
	It("has the export chosen by NBD_OPT_GO", ID("client.tls.go"),
		SHOULD("tls.client.go"),
		Asks(subject.CopyOut, subject.Visit, subject.Map, subject.Compare, subject.CopyIn),
		TrippedBy(quirk.ExportName, "none of [NBD_OPT_EXPORT_NAME]"),
		func(ctx context.Context) {
			v := Ask(ctx, Told(subject.TLSRequire), Secure(server.ForcedTLS, nil))

			Expect(v).To(UseNo(wire.OptExportName))
		})

	// "SHOULD support any later versions."
	It("can be of version 1.3", ID("client.tls.1.3"),
		SHOULD("tls.version.later.client"),
		Asks(secured[0], secured[1:]...),
		TrippedBy(quirk.TLS12Only, "want success"),
		func(ctx context.Context) {
			v := Ask(ctx, Told(subject.TLSRequire), Secure(server.ForcedTLS, func(s *starttls.X509Server) { s.MinVersion = tls.VersionTLS13 }))

			Expect(v).To(GoWell())
		})

	// "NBD implementations MAY support older versions but SHOULD NOT do so by default"
	It("is not older than version 1.2", ID("client.tls.old"),
		SHOULD("tls.version.older.default.client"),
		Asks(secured[0], secured[1:]...),
		TrippedBy(quirk.TLSOld, "reports success"),
		func(ctx context.Context) {
			v := Ask(ctx, Told(subject.TLSRequire), Secure(server.ForcedTLS, func(s *starttls.X509Server) {
				s.MinVersion, s.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
			}))

			Expect(v).To(GoWrong())
		})

	// "By default clients SHOULD verify the server's identity if TLS is negotiated"
	It("is not taken from a stranger", ID("client.tls.verify"),
		SHOULD("uri.tls.verify"),
		Asks(secured[0], secured[1:]...),
		TrippedBy(quirk.Trusting, "reports success"),
		func(ctx context.Context) {
			other, err := pki.New("localhost")
			if err != nil {
				verdict.Harness("shown", err)
			}
			v := Ask(ctx, Told(subject.TLSRequire), Secure(server.ForcedTLS, func(s *starttls.X509Server) { *s = *other.Server(false) }))

			Expect(v).To(GoWrong())
		})
})

// startFirst matches a visit in which NBD_OPT_STARTTLS is the first option of
// each connection that sends any.
func startFirst() *Expectation {
	return conns(result.Term("client.starttls-first"), func(c *Conn) result.Value {
		switch before, _ := afterTLS(c); {
		case !c.Sent(wire.OptStartTLS):
			return result.Term("client.never-sent")
		case len(before) > 0:
			return result.Term("client.sends-before", before[0].Option)
		}
		return result.Nothing
	})
}
