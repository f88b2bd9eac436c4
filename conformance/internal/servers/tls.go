package servers

import (
	"context"

	. "github.com/onsi/ginkgo/v2"

	"nbdconform/conformance/feature"
	. "nbdconform/conformance/internal/expect"
	. "nbdconform/conformance/internal/match"
	. "nbdconform/conformance/internal/session"
	. "nbdconform/conformance/internal/spec"
	"nbdconform/conformance/internal/verdict"
	quirk "nbdconform/reference/quirk/server"
	"nbdconform/reference/wire"
)

var _ = Describe("NBD_OPT_STARTTLS with TLS to be had", func() {
	// "After an NBD_REP_ACK reply has been sent, the server MUST be prepared for a TLS handshake, and all
	// further data MUST be sent and received over TLS."
	It("is acknowledged, and option haggling goes on within TLS", ID("starttls.ack"),
		MUST("tls.upgrade.ready", "tls.selective.starttls", "tls.forced.starttls", "opt.starttls.reply"),
		Needs(feature.StartTLS),
		TrippedBy(quirk.StartTLSInTheClear, "want a TLS handshake"),
		func(ctx context.Context) {
			how := TLSOf(ctx)
			s := HaggleInClear(ctx)

			a := s.Option(wire.OptStartTLS, nil)

			Expect(a).To(BeAnswered(wire.RepAck))
			h := s.Upgrade(how)
			Expect(h.End).To(Equal(Complete), "tls-handshake", h, h.Err)
			Expect(s.InStep()).To(BeInStep())
			Observe(ctx, "version of TLS", "%s", s.TLS().Protocol())
		})

	// "If the server receives NBD_OPT_STARTTLS when TLS has already been negotiated, it it MUST reply with
	// NBD_REP_ERR_INVALID."
	It("is invalid within TLS", ID("starttls.again"),
		MUST("tls.forced.starttls.again", "tls.selective.starttls.again"),
		Needs(feature.StartTLS), Provokes("tls.client.starttls.again"),
		TrippedBy(quirk.StartTLSTwiceAccepted, "NBD_REP_ERR_INVALID"),
		func(ctx context.Context) {
			s := HaggleWithinTLS(ctx)

			a := s.Option(wire.OptStartTLS, nil)

			Expect(a).To(BeAnsweredOrEnd(wire.RepErrInvalid))
			if a.End == Complete {
				Expect(s.InStep()).To(BeInStep())
			}
		})

	// "When this command succeeds, the server MUST NOT preserve any negotiation state (such as a request for
	// NBD_OPT_STRUCTURED_REPLY ...) issued before this command."
	It("voids structured replies", ID("starttls.forgets-structured"),
		MUST("opt.starttls.forget-state"),
		Needs(feature.StartTLS, feature.StructuredReply), Without(feature.ForcedTLS),
		Provokes("opt.starttls.defer-stateful"),
		TrippedBy(quirk.TLSStateKept, "want a simple reply"),
		func(ctx context.Context) {
			b := Room(ctx, 1)
			s := HaggleInClear(ctx)
			s.Structured()
			s.Secure()
			s.EnterFrom()

			r := s.Do(wire.Request{Type: wire.CmdRead, Length: b})

			Expect(r.End == Complete && r.Simple).To(BeTrue(), "simple-reply-in-tls", r)
		})

	// "... or metadata contexts from NBD_OPT_SET_META_CONTEXT"
	It("voids metadata contexts", ID("starttls.forgets-contexts"),
		MUST("opt.starttls.forget-state"),
		Needs(feature.StartTLS, feature.BaseAllocation), Without(feature.ForcedTLS),
		Provokes("cmd.block-status.needs-context", "opt.starttls.defer-stateful"),
		TrippedBy(quirk.TLSStateKept, "want a reply with an error"),
		func(ctx context.Context) {
			b := Room(ctx, 1)
			s := HaggleInClear(ctx)
			s.Structured()
			s.Select("base:allocation")
			s.Secure()
			s.Structured()
			s.EnterFrom()

			r := s.Do(wire.Request{Type: wire.CmdBlockStatus, Length: b})

			Expect(r).To(BeReplyOrEnd(WithAnyError()))
		})

	// "all further data MUST be sent and received over TLS": an option that somebody slips in behind
	// NBD_OPT_STARTTLS is none that the client sent within TLS.
	It("voids options that come in the clear together with it", ID("starttls.injection"),
		MUST("tls.upgrade.all.server"),
		Needs(feature.StartTLS), Provokes("handshake.option.one-at-a-time"),
		TrippedBy(quirk.TLSPlainTextInterpreted, "want nothing within TLS for what came in the clear"),
		func(ctx context.Context) {
			how := TLSOf(ctx)
			s := HaggleInClear(ctx)
			start := wire.OptionRequest{Option: wire.OptStartTLS}

			a := s.AnswerTo(start, s.Raw(wire.OptionRequest{Option: wire.OptList}.Append(start.Append(nil))))

			if a.Type() != wire.RepAck {
				Expect(a.End).To(Or(Equal(HungUp), Equal(Complete)), "got", a)
				return
			}
			if h := s.Upgrade(how); h.End != Complete {
				Expect(h.End).NotTo(Equal(Silence), "tls-or-end", h.Err)
				return
			}
			answered := s.Option(UnknownOption, nil)
			Expect(answered.End == HungUp || len(answered.Replies) > 0 && answered.Replies[0].Option == UnknownOption).
				To(BeTrue(), "plaintext-not-answered-in-tls", answered)
		})
})

// inNoMode are options that no server within TLS has to refuse for want of it.
var inNoMode = []struct {
	option wire.Option
	data   Bytes
}{
	{wire.OptList, nil},
	{UnknownOption, Bytes("what is this?")},
	{wire.OptInfo, wire.InfoRequest{Export: NoExport}.Append(nil)},
	{wire.OptStructuredReply, nil},
}

var _ = Describe("Within TLS the server", func() {
	// "The server MUST NOT send NBD_REP_ERR_TLS_REQD in reply to any option if TLS has already been
	// initiated."
	It("does not ask for TLS", ID("tls.reqd-within"),
		MUST("tls.forced.tls-reqd.after", "tls.selective.tls-reqd.after"),
		Needs(feature.StartTLS),
		TrippedBy(quirk.TLSReqdWithinTLS, "want anything but NBD_REP_ERR_TLS_REQD"),
		TrippedBy(quirk.TLSUnknownExportTLSReqd, "want anything but NBD_REP_ERR_TLS_REQD"),
		func(ctx context.Context) {
			s := HaggleWithinTLS(ctx)

			for _, q := range inNoMode {
				a := s.Option(q.option, q.data)

				Expect(a.End).To(Equal(Complete), "answer", a)
				Expect(a.Type()).NotTo(Equal(wire.RepErrTLSReqd), "not-tls-reqd", a)
			}
		})

	// "The client sends NBD_CMD_DISC whereupon the server MUST close down the TLS session (if one is running)
	// and then close the TCP connection."
	It("shuts TLS down on NBD_CMD_DISC", ID("tls.shutdown.disc"),
		MUST("cmd.disc.tls"),
		Needs(feature.StartTLS),
		TrippedBy(quirk.TLSCut, "want close_notify"),
		func(ctx context.Context) {
			s := HaggleWithinTLS(ctx)
			s.EnterFrom()

			h := s.Disconnect()

			Expect(h).To(BeEnded())
			Expect(s.TLS().Notified()).To(BeTrue(), "close-notify")
		})

	// "If TLS is negotiated, the party initiating the transaction SHOULD shutdown TLS first if it is running."
	It("shuts TLS down before it hangs up", ID("tls.shutdown.hard"),
		SHOULD("haggling.hard.tls-shutdown.server"),
		Needs(feature.StartTLS),
		TrippedBy(quirk.TLSCut, "want close_notify"),
		func(ctx context.Context) {
			missing := MissingExport(ctx)
			s := HaggleWithinTLS(ctx)

			_, h := s.ExportName(missing)

			Expect(h.End).To(Equal(HungUp), "ended-no-such-export", h)
			Expect(s.TLS().Notified()).To(BeTrue(), "close-notify")
		})
})

var _ = Describe("A server that drops a session within TLS", func() {
	// "The client or the server drops the TCP session (in which case it SHOULD shut down the TLS session
	// first)." This one is given a reason to.
	It("shuts TLS down first in the transmission phase as well", ID("tls.shutdown.transmission"),
		SHOULD("trans.end.hard.tls-shutdown.server"),
		Needs(feature.StartTLS), Provokes("layout.request.magic"),
		TrippedBy(quirk.TLSCut, "want close_notify"),
		func(ctx context.Context) {
			s := HaggleWithinTLS(ctx)
			s.EnterFrom()

			s.Raw(make([]byte, wire.RequestSize))
			h := s.End()

			if h.End != HungUp {
				verdict.Unsupported("session-not-dropped", h)
			}
			Expect(s.TLS().Notified()).To(BeTrue(), "close-notify")
		})
})

var _ = Describe("A TLS handshake", func() {
	// "If the handshake is unsuccessful ... the server MUST terminate the session as by this stage it is too
	// late to continue without TLS as the acknowledgement has been sent."
	It("that fails ends the session", ID("tls.handshake-failed"),
		MUST("tls.handshake.failed.server"),
		Needs(feature.StartTLS), Provokes("tls.upgrade.all.client"),
		TrippedBy(quirk.TLSHandshakeFailureIgnored, "want the end of the session"),
		func(ctx context.Context) {
			for _, instead := range [][]byte{
				wire.OptionRequest{Option: wire.OptList}.Append(nil), // as if nothing had happened
				make([]byte, 64),
			} {
				s := HaggleInClear(ctx)
				Expect(s.Option(wire.OptStartTLS, nil)).To(BeAnswered(wire.RepAck))

				s.Raw(instead)
				h := s.End()

				Expect(h.End).To(Equal(HungUp), "ended", h)
			}
		})
})
