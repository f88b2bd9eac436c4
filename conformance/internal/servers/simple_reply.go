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

var _ = Describe("A simple reply", func() {
	// "If structured replies were not negotiated, then a read request MUST always be
	// answered by a simple reply, as documented above (using magic 0x67446698
	// NBD_SIMPLE_REPLY_MAGIC, and containing length bytes of data according to the
	// client's request)"
	It("answers a read without structured replies, with all of its data", ID("simple.read"),
		MUST("cmd.read.simple", "baseline.server.simple-reply", "trans.structured.unnegotiated", "layout.reply.magic"),
		TrippedBy(quirk.StructuredUnnegotiated, "was not negotiated"),
		TrippedBy(quirk.ReplyWrongMagic, "layout.reply.magic"),
		TrippedBy(quirk.ReadUnanswered, "no answer within"),
		TrippedBy(quirk.ReadCutShort, "the server ended the connection"),
		func(ctx context.Context) {
			b := Room(ctx, 4)
			s := Enter(ctx)

			for _, n := range []uint64{b, 2 * b, 4 * b} {
				Expect(s.Do(ReadOf(0, n))).To(BeReply(AsSimpleReply(), WithLength(n)))
			}
		})

	// "The simple reply message MUST be sent by the server in response to all requests
	// if structured replies have not been negotiated using NBD_OPT_STRUCTURED_REPLY."
	It("answers every command without structured replies", ID("simple.all"),
		MUST("trans.simple.required", "trans.structured.unnegotiated"),
		TrippedBy(quirk.StructuredUnnegotiated, "was not negotiated"),
		func(ctx context.Context) {
			b := Room(ctx, 1)
			s := Enter(ctx)
			requests := []wire.Request{ReadOf(0, b)}
			if s.Flags&wire.FlagSendFlush != 0 {
				requests = append(requests, wire.Request{Type: wire.CmdFlush})
			}
			if s.Flags&wire.FlagSendCache != 0 {
				requests = append(requests, wire.Request{Type: wire.CmdCache, Length: b})
			}

			for _, q := range requests {
				Expect(s.Do(q)).To(BeReply(AsSimpleReply()))
			}
		})

	// "If an error occurs, the server SHOULD set the appropriate error code in the error
	// field. The server MAY then initiate a hard disconnect. If it chooses not to, it
	// MUST NOT send any payload for this request."
	It("carries no data when it reports an error", ID("simple.error.no-payload"),
		MUST("cmd.read.simple.error.no-payload", "layout.reply.magic"),
		Provokes("size.bounds.client"),
		TrippedBy(quirk.ReadErrorWithPayload, "layout.reply.magic"),
		func(ctx context.Context) {
			b := Room(ctx, 1)
			s := Enter(ctx)

			failed := s.Do(ReadOf(s.Size, b))
			if failed.OK() {
				verdict.Unsupported("read-past-end-served")
			}

			Expect(failed).To(BeReplyOrEnd(AsSimpleReply(), WithAnyError()))
			Expect(s.Probe()).To(BeReplyOrEnd(AsSimpleReply()))
		})

	// "If structured replies have been negotiated, a simple reply MAY be used as a reply
	// to any request other than NBD_CMD_READ, but only if the reply has no data payload."
	It("may answer what has no payload although structured replies were negotiated", ID("simple.beside-structured"),
		MAY("trans.simple.allowed", "trans.structured.payload"),
		Needs(feature.StructuredReply, feature.Cache),
		func(ctx context.Context) {
			b := Room(ctx, 1)
			s := Enter(ctx, StructuredReplies)

			r := s.Do(wire.Request{Type: wire.CmdCache, Length: b})

			Expect(r).To(BeReply(WithoutContent()))
			Observe(ctx, "reply without a payload, structured replies negotiated", "%s", form(r))
		})
})

// form says what kind of reply r is.
func form(r Reply) string {
	switch {
	case r.End != Complete:
		return r.End.String()
	case r.Simple:
		return "simple reply"
	}
	return "structured reply"
}
