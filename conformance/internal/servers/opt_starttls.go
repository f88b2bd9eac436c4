package servers

import (
	"context"
	"fmt"

	. "github.com/onsi/ginkgo/v2"

	"nbdconform/conformance/feature"
	. "nbdconform/conformance/internal/expect"
	. "nbdconform/conformance/internal/match"
	. "nbdconform/conformance/internal/session"
	. "nbdconform/conformance/internal/spec"
	quirk "nbdconform/reference/quirk/server"
	"nbdconform/reference/wire"
)

var _ = Describe("NBD_OPT_STARTTLS", func() {
	// "it MUST respond with NBD_REP_ERR_POLICY (if it does not support TLS for policy reasons),
	// NBD_REP_ERR_UNSUP (if it does not support the NBD_OPT_STARTTLS option at all) or another error explicitly
	// permitted by this document"
	It("is refused by a server without TLS, which goes on", ID("starttls.refused"),
		MUST("tls.notls.starttls", "opt.starttls.reply", "baseline.server.notls", "baseline.unsup.continue"),
		Without(feature.StartTLS),
		TrippedBy(quirk.StartTLSRefusedHangup, "want the conversation to be in step"),
		TrippedBy(quirk.StartTLSNeedsTLS, "got NBD_REP_ERR_TLS_REQD"),
		func(ctx context.Context) {
			s := Haggle(ctx)

			a := s.Option(wire.OptStartTLS, nil)

			Expect(a).To(BeAnswered(FactsOf(ctx).OrRefusal(wire.RepErrUnsup)...))
			Expect(s.InStep()).To(BeInStep())
		})

	// "The server MUST NOT respond to any option request with NBD_REP_ERR_TLS_REQD."
	It("is not asked for by a server without TLS", ID("starttls.not-required"),
		MUST("tls.notls.tls-reqd", "tls.mode.consistent"),
		Without(feature.StartTLS),
		TrippedBy(quirk.TLSRequiredWithoutTLS, "NBD_OPT_LIST is answered by NBD_REP_ERR_TLS_REQD"),
		func(ctx context.Context) {
			s := Haggle(ctx)
			answers := []Answer{
				s.Option(wire.OptStartTLS, nil),
				s.Option(wire.OptList, nil),
				s.Option(wire.OptInfo, about(ctx, wire.InfoBlockSize)),
				s.Option(wire.OptInfo, wire.InfoRequest{Export: NoExport}),
				s.Option(wire.OptStructuredReply, nil),
				s.Option(UnknownOption, nil),
			}

			for _, a := range answers {
				Expect(a.Type()).NotTo(Equal(wire.RepErrTLSReqd), "answered-rep-err-tls-reqd", a.Request.Option)
			}
		})

	// "The client MUST NOT send any additional data with the option. The server MUST either reply with
	// NBD_REP_ACK ... or an error reply explicitly permitted by this document (for example,
	// NBD_REP_ERR_INVALID if the client included data)."
	It("is answered, or ends the session, if it has data", ID("starttls.data"),
		MUST("opt.starttls.reply", "layout.option-reply.answered"),
		Needs(feature.FixedNewstyle), Provokes("opt.starttls.no-data"),
		TrippedBy(quirk.StartTLSDataUnanswered, "no answer in time"),
		func(ctx context.Context) {
			for _, n := range []uint64{1, 20, 1000} {
				s := HaggleInClear(ctx)

				a := s.Option(wire.OptStartTLS, Bytes(Pattern(9, n)))

				Expect(a).To(BeFinal())
				Observe(ctx, fmt.Sprintf("NBD_OPT_STARTTLS with %d bytes of data", n), "%s", a.Summary())
				if a.End == Complete && a.Type() != wire.RepAck {
					Expect(s.InStepOrGone()).To(BeInStep())
				}
			}
		})

	// "The server MUST operate in NOTLS mode unless the server set flag NBD_FLAG_FIXED_NEWSTYLE and the client
	// replied with NBD_FLAG_C_FIXED_NEWSTYLE"
	It("is refused to a client that did not set NBD_FLAG_C_FIXED_NEWSTYLE", ID("starttls.not-fixed"),
		MUST("tls.mode.not-fixed"),
		Needs(feature.FixedNewstyle), Provokes("tls.client.starttls.not-fixed", "flag.client.fixed-newstyle"),
		TrippedBy(quirk.StartTLSNotFixed, "tls.mode.not-fixed"),
		func(ctx context.Context) {
			s := Open(ctx)
			s.Greeting()
			s.SendFlags(s.Polite() &^ wire.FlagCFixedNewstyle)

			a := s.Option(wire.OptStartTLS, nil)

			Expect(a).To(BeAnsweredWithErrorOrEnd())
		})

	// "After an NBD_REP_ACK reply has been sent, the server MUST be prepared for a TLS handshake, and all further
	// data MUST be sent and received over TLS. ... If the handshake is unsuccessful ... the server MUST terminate
	// the session"
	It("leaves no way back into the clear", ID("starttls.no-downgrade"),
		MUST("opt.starttls.reply", "tls.upgrade.all.server", "tls.handshake.failed.server"),
		Needs(feature.StartTLS), Provokes("tls.upgrade.all.client"),
		TrippedBy(quirk.StartTLSAckedInTheClear, "0x0 opens no TLS record"),
		func(ctx context.Context) {
			s := HaggleInClear(ctx)
			a := s.Option(wire.OptStartTLS, nil)
			Expect(a).To(BeAnswered(wire.RepAck))

			s.Raw(wire.OptionRequest{Option: wire.OptList}.Append(nil))
			s.CloseWrite()
			h := s.End()

			Expect(h.End).To(Equal(HungUp), "ended", h)
			if len(h.Rest) > 0 {
				Expect(h.Rest[0]).To(BeElementOf(byte(20), byte(21), byte(22)), "tls-record", h.Rest)
			}
		})
})
