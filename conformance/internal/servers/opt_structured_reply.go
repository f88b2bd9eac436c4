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

var _ = Describe("NBD_OPT_STRUCTURED_REPLY", func() {
	// "The server replies with the following, or with an error permitted elsewhere in this document:
	// NBD_REP_ACK"
	It("is granted or refused", ID("structured-reply.reply"),
		MUST("layout.option-reply.answered", "layout.option-reply.type", "layout.rep.ack"),
		TrippedBy(quirk.AckWithData, "NBD_REP_ACK carries 2 bytes"),
		TrippedBy(quirk.StructuredReplyInvalid, "got NBD_REP_ERR_INVALID"),
		func(ctx context.Context) {
			s := Haggle(ctx)

			a := s.Option(wire.OptStructuredReply, nil)

			Expect(a).To(BeAnswered(FactsOf(ctx).OrRefusal(wire.RepAck, wire.RepErrUnsup)...))
			Expect(s.InStep()).To(BeInStep())
		})

	// "the server MUST use structured replies to the NBD_CMD_READ transmission request"
	It("makes the server answer reads by structured replies", ID("structured-reply.effect"),
		MUST("cmd.read.structured"),
		Needs(feature.StructuredReply), AtLeast(1),
		TrippedBy(quirk.ReadSimple, "cmd.read.structured"),
		func(ctx context.Context) {
			s := Enter(ctx, StructuredReplies)

			r := s.Do(smallRead(ctx))

			Expect(r.Simple).To(BeFalse(), "structured-chunks", r)
			Expect(r).To(BeReply(WithError(wire.OK)))
		})

	// The same, if the transmission phase is entered the old way.
	It("makes the server answer reads by structured replies after NBD_OPT_EXPORT_NAME", ID("structured-reply.effect.export-name"),
		MUST("cmd.read.structured"),
		Needs(feature.StructuredReply), AtLeast(1),
		TrippedBy(quirk.ReadSimple, "cmd.read.structured"),
		func(ctx context.Context) {
			s := Haggle(ctx)
			s.Structured()
			if _, h := s.ExportName(FactsOf(ctx).Export); h.End != Complete {
				verdict.Unsupported("client-not-let-in", h)
			}

			r := s.Do(smallRead(ctx))

			Expect(r.Simple).To(BeFalse(), "structured-chunks", r)
			Expect(r).To(BeReply(WithError(wire.OK)))
		})

	// "the server SHOULD reject a request that includes data with NBD_REP_ERR_INVALID"
	It("is rejected with NBD_REP_ERR_INVALID if it has data", ID("structured-reply.data"),
		SHOULD("opt.structured-reply.data-invalid"),
		Needs(feature.StructuredReply), Provokes("opt.structured-reply.no-data"),
		TrippedBy(quirk.StructuredReplyDataAccepted, "want the final reply NBD_REP_ERR_INVALID"),
		func(ctx context.Context) {
			for _, n := range []uint64{1, 16, 1000} {
				s := Haggle(ctx)

				a := s.Option(wire.OptStructuredReply, Bytes(Pattern(5, n)))

				Expect(a).To(BeAnsweredOrEnd(wire.RepErrInvalid), "case.data-length", n)
				if a.End == Complete {
					Expect(s.InStepOrGone()).To(BeInStep())
				}
			}
		})

	// "The server MUST NOT send this reply type unless the client has successfully negotiated structured
	// replies"
	It("has no effect if it is refused", ID("structured-reply.refused"),
		MUST("trans.structured.unnegotiated"),
		Needs(feature.StructuredReply), Provokes("opt.structured-reply.no-data"), AtLeast(1),
		TrippedBy(quirk.StructuredReplyRefusedKept, "trans.structured.unnegotiated"),
		func(ctx context.Context) {
			s := Haggle(ctx)
			if a := s.Option(wire.OptStructuredReply, Bytes{0}); a.End != Complete || a.Type() == wire.RepAck {
				verdict.Unsupported("not-refused", a)
			}
			if a := s.Go(wire.InfoBlockSize); a.Type() != wire.RepAck {
				verdict.Unsupported("client-not-let-in", a)
			}

			r := s.Do(smallRead(ctx))

			Expect(r.Simple).To(BeTrue(), "simple-reply", r)
		})

	// "The client SHOULD NOT send such messages more than once; if it does, the server MAY fail the repeated
	// message with NBD_REP_ERR_INVALID." What was granted stays granted.
	It("stays in effect if it is sent again", ID("structured-reply.again"),
		MUST("cmd.read.structured", "handshake.option.repeat.invalid"),
		Needs(feature.StructuredReply), Provokes("handshake.option.repeat"), AtLeast(1),
		TrippedBy(quirk.StructuredReplyToggled, "cmd.read.structured"),
		func(ctx context.Context) {
			s := Haggle(ctx)
			s.Structured()

			a := s.Option(wire.OptStructuredReply, nil)

			Expect(a).To(BeAnswered(FactsOf(ctx).OrRefusal(wire.RepAck, wire.RepErrInvalid)...))
			Observe(ctx, "second NBD_OPT_STRUCTURED_REPLY", "%s", a.Summary())
			if a := s.Go(wire.InfoBlockSize); a.Type() != wire.RepAck {
				verdict.Unsupported("client-not-let-in", a)
			}
			Expect(s.Do(smallRead(ctx))).To(BeReply(WithError(wire.OK)))
		})
})

// smallRead is a read that the export under test has room for.
func smallRead(ctx context.Context) wire.Request {
	f := FactsOf(ctx)
	if f.Constraints.Minimum > 1 {
		Room(ctx, 1)
	}
	return ReadOf(0, min(f.Size, f.Block()))
}
