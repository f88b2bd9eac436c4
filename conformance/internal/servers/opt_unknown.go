package servers

import (
	"context"
	"strings"

	. "github.com/onsi/ginkgo/v2"

	"nbdconform/conformance/feature"
	. "nbdconform/conformance/internal/expect"
	. "nbdconform/conformance/internal/match"
	. "nbdconform/conformance/internal/session"
	. "nbdconform/conformance/internal/spec"
	quirk "nbdconform/reference/quirk/server"
	"nbdconform/reference/wire"
)

// unknownReplies are the final replies to an option that the server does not know.
func unknownReplies(ctx context.Context) []wire.ReplyType {
	allowed := []wire.ReplyType{wire.RepErrUnsup, wire.RepErrShutdown}
	if FactsOf(ctx).Features[feature.StartTLS] {
		allowed = append(allowed, wire.RepErrTLSReqd)
	}
	return allowed
}

var _ = Describe("An unknown option", func() {
	// "Servers that receive messages which they do not implement MUST reply to them with NBD_REP_ERR_UNSUP, and
	// MUST NOT fail to parse the next message received."
	It("is answered with NBD_REP_ERR_UNSUP", ID("unknown.unsup"),
		MUST("baseline.unsup", "layout.option-reply.answered", "layout.option-reply.option"),
		TrippedBy(quirk.OptionUnknownInvalid, "got NBD_REP_ERR_INVALID"),
		TrippedBy(quirk.OptionUnknownAcked, "got NBD_REP_ACK"),
		TrippedBy(quirk.OptionUnknownHangup, "the server ended the connection"),
		TrippedBy(quirk.OptionUnknownUnanswered, "no answer in time"),
		func(ctx context.Context) {
			s := Haggle(ctx)
			for _, o := range []wire.Option{UnknownOption, 0, 99, 1 << 16, 1<<16 + wire.OptList, 1<<31 - 1, 1 << 31, 1<<32 - 1} {
				Expect(s.Option(o, nil)).To(BeAnswered(unknownReplies(ctx)...), "case.option-hex", uint32(o))
			}
		})

	// "The presence of the option length in every option allows the server to skip any options presented by the
	// client that it does not understand."
	It("is skipped with its data", ID("unknown.data"),
		MUST("baseline.unsup.continue", "baseline.unsup"),
		TrippedBy(quirk.OptionUnknownDataUnread, "the server ended the connection"),
		func(ctx context.Context) {
			abort := string(wire.OptionRequest{Option: wire.OptAbort}.Append(nil))
			s := Haggle(ctx)
			for _, data := range []string{
				"x", "IHAVEOPT", abort, strings.Repeat(abort, 3) + "12345", strings.Repeat("\x00", 512),
				strings.Repeat("IHAVEOPT", wire.MaxString/8),
			} {
				Expect(s.Option(UnknownOption, Bytes(data))).To(BeAnswered(unknownReplies(ctx)...), "case.data-length", len(data))
			}
			Expect(s.InStep()).To(BeInStep())
		})

	// "All error replies MAY have some data set, in which case that data is an error message string suitable for
	// display to the user."
	It("is refused with a well-formed text, or none", ID("unknown.text"),
		MUST("string.max-length.server", "string.no-nul.server", "string.utf8.server"),
		TrippedBy(quirk.OptionErrorEndless, "string.max-length.server"),
		TrippedBy(quirk.OptionErrorWithNUL, "string.no-nul.server"),
		func(ctx context.Context) {
			a := Haggle(ctx).Option(UnknownOption, Bytes("\xff\x00 some data"))

			Expect(a).To(BeAnswered(unknownReplies(ctx)...))
			Observe(ctx, "text of NBD_REP_ERR_UNSUP", "%q", a.Replies[len(a.Replies)-1].Data)
		})

	// "if a server believes a client's behaviour constitutes a denial of service, it MAY initiate a hard
	// disconnect"
	It("may end the session if it has a lot of data", ID("unknown.long"),
		MAY("haggling.dos.hard"),
		func(ctx context.Context) {
			for _, n := range []uint64{wire.MaxString + 1, 1 << 16, 1 << 20} {
				s := Haggle(ctx)

				a := s.Option(UnknownOption, Bytes(Pattern(1, n)))

				Expect(a).To(BeAnsweredOrEnd(append(unknownReplies(ctx), wire.RepErrTooBig)...), "case.data-length", n)
				Observe(ctx, "an unknown option with 65536 bytes of data or so", "%d: %s", n, a.Summary())
				if a.End == Complete {
					Expect(s.InStep()).To(BeInStep())
				}
			}
		})

	// The same, for a client that goes on and on.
	It("may end the session if it comes too often", ID("unknown.many"),
		MAY("haggling.dos.hard", "haggling.unwelcome.error"),
		func(ctx context.Context) {
			s := Haggle(ctx)
			for n := range 40 {
				a := s.Option(UnknownOption, nil)
				if a.End == HungUp {
					Observe(ctx, "options of one client", "%d, then the end of the session", n)
					return
				}
				if a.Type() == wire.RepErrShutdown { // after which NBD_OPT_ABORT is all that may follow
					Observe(ctx, "options of one client", "%d, then %v", n, a.Type())
					return
				}

				Expect(a).To(BeAnswered(unknownReplies(ctx)...), "case.option", n+1)
			}
			Observe(ctx, "options of one client", "40 and more")
		})

	// "NBD_OPT_PEEK_EXPORT (4): Was defined by the (withdrawn) experimental PEEK_EXPORT extension; not in use."
	It("is NBD_OPT_PEEK_EXPORT", ID("unknown.peek-export"),
		MUST("baseline.unsup", "baseline.unsup.continue"),
		TrippedBy(quirk.OptionUnknownInvalid, "got NBD_REP_ERR_INVALID"),
		func(ctx context.Context) {
			s := Haggle(ctx)
			for _, data := range []string{"", FactsOf(ctx).Export, "a name"} {
				Expect(s.Option(wire.OptPeekExport, Bytes(data))).To(BeAnswered(unknownReplies(ctx)...))
			}
			Expect(s.InStep()).To(BeInStep())
		})

	// "NBD_OPT_EXTENDED_HEADERS (11): Defined by the experimental EXTENDED_HEADERS extension."
	It("is NBD_OPT_EXTENDED_HEADERS to a server without the extension", ID("unknown.extended-headers"),
		MUST("baseline.unsup", "baseline.unsup.continue"),
		Without(feature.ExtendedHeaders),
		TrippedBy(quirk.ExtendedHeadersInvalid, "got NBD_REP_ERR_INVALID"),
		func(ctx context.Context) {
			s := Haggle(ctx)

			a := s.Option(wire.OptExtendedHeaders, nil)

			Expect(a).To(BeAnswered(FactsOf(ctx).OrRefusal(wire.RepErrUnsup)...))
			Expect(s.InStep()).To(BeInStep())
		})
})
