package servers

import (
	"context"

	. "github.com/onsi/ginkgo/v2"

	"nbdconform/conformance/feature"
	. "nbdconform/conformance/internal/expect"
	. "nbdconform/conformance/internal/match"
	. "nbdconform/conformance/internal/session"
	. "nbdconform/conformance/internal/spec"
	quirk "nbdconform/reference/quirk/server"
	"nbdconform/reference/wire"
)

var _ = Describe("NBD_OPT_ABORT", func() {
	// "The server MUST reply with NBD_REP_ACK."
	It("is acknowledged", ID("abort.ack"),
		MUST("opt.abort.ack", "baseline.server.abort", "layout.rep.ack"),
		TrippedBy(quirk.AbortUnanswered, "want the final reply NBD_REP_ACK"),
		TrippedBy(quirk.AbortUnsupported, "want the final reply NBD_REP_ACK"),
		TrippedBy(quirk.AckWithData, "NBD_REP_ACK carries 2 bytes"),
		func(ctx context.Context) {
			s := Haggle(ctx)

			a := s.Option(wire.OptAbort, nil)

			Expect(a).To(BeAnswered(abortReplies(ctx)...))
		})

	// "A client MAY use a soft disconnect to terminate the session whenever it wishes."
	It("is acknowledged after other options", ID("abort.ack.later"),
		MUST("opt.abort.ack"),
		TrippedBy(quirk.AbortUnsupported, "want the final reply NBD_REP_ACK"),
		func(ctx context.Context) {
			s := Haggle(ctx)
			s.Option(wire.OptStructuredReply, nil)
			s.Option(wire.OptInfo, wire.InfoRequest{Export: FactsOf(ctx).Export})
			s.Option(UnknownOption, nil)

			a := s.Option(wire.OptAbort, nil)

			Expect(a).To(BeAnswered(abortReplies(ctx)...))
		})

	// "a server SHOULD ignore any data sent by the client rather than rejecting the request as invalid"
	It("is acknowledged although it has data", ID("abort.data"),
		SHOULD("opt.abort.ignore-data"),
		Provokes("opt.abort.no-data"),
		TrippedBy(quirk.AbortDataRejected, "want the final reply NBD_REP_ACK"),
		func(ctx context.Context) {
			for _, n := range []uint64{1, 4, 1000} {
				a := Haggle(ctx).Option(wire.OptAbort, Bytes(Pattern(7, n)))

				Expect(a).To(BeAnswered(abortReplies(ctx)...), "case.data-length", n)
			}
		})

	// "the server SHOULD gracefully handle the client sending an NBD_OPT_ABORT and closing the connection
	// without waiting for a reply"
	It("may come from a client that does not wait for the answer", ID("abort.client-gone"),
		SHOULD("opt.abort.client-gone"),
		TrippedBy(quirk.CrashOnAbortUnheard, "the server died"),
		func(ctx context.Context) {
			for range 5 {
				s := Haggle(ctx)
				s.Raw(wire.OptionRequest{Option: wire.OptAbort}.Append(nil))
				s.Close()
			}

			Expect(Haggle(ctx).InStep()).To(BeInStep())
		})
})

// abortReplies are the final replies to NBD_OPT_ABORT. Whether a server that
// insists on TLS may do so here is disputed.
func abortReplies(ctx context.Context) []wire.ReplyType {
	if FactsOf(ctx).Features[feature.StartTLS] {
		return []wire.ReplyType{wire.RepAck, wire.RepErrTLSReqd}
	}
	return []wire.ReplyType{wire.RepAck}
}
