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

var _ = Describe("NBD_OPT_LIST", func() {
	// "Return zero or more NBD_REP_SERVER replies, one for each export, followed by NBD_REP_ACK or an
	// error (such as NBD_REP_ERR_SHUTDOWN)."
	It("is answered by NBD_REP_SERVER and NBD_REP_ACK, or refused", ID("list.reply"),
		MUST("baseline.server.list", "layout.opt.list.replies", "layout.option-reply.type", "haggling.hard.unjustified.server"),
		TrippedBy(quirk.ListUnsupported, "want the final reply NBD_REP_ACK"),
		TrippedBy(quirk.ListHangup, "the server ended the connection"),
		TrippedBy(quirk.ListUnanswered, "no answer in time"),
		TrippedBy(quirk.OptionReplyUnexpectedType, "NBD_REP_META_CONTEXT is no answer to NBD_OPT_LIST"),
		TrippedBy(quirk.OptionReplyAfterFinal, "NBD_REP_ACK to NBD_OPT_LIST answers no option"),
		func(ctx context.Context) {
			s := Haggle(ctx)

			a := s.Option(wire.OptList, nil)

			Expect(a).To(BeAnswered(FactsOf(ctx).OrRefusal(wire.RepAck)...))
			Expect(s.InStep()).To(BeInStep())
		})

	// "32 bits, length of name (unsigned); MUST be no larger than the reply packet header length - 4", and
	// what is a string has the form of one.
	It("is answered by well-formed names and descriptions", ID("list.strings"),
		MUST("rep.server.name-length", "string.utf8.server", "string.no-nul.server", "string.max-length.server"),
		Needs(feature.List),
		TrippedBy(quirk.ListNameTooLong, "rep.server.name-length"),
		TrippedBy(quirk.ListNameWithNUL, "string.no-nul.server"),
		TrippedBy(quirk.ListNameLatin1, "string.utf8.server"),
		TrippedBy(quirk.ListDescriptionEndless, "string.max-length.server"),
		func(ctx context.Context) {
			a := Haggle(ctx).Option(wire.OptList, nil)

			Expect(a).To(BeAnswered(FactsOf(ctx).OrRefusal(wire.RepAck)...))
		})

	// "The server MAY omit entries from this list if TLS has not been negotiated", and only then.
	It("lists every export that the server was set up with, once", ID("list.complete"),
		MUST("layout.opt.list.replies"),
		Needs(feature.List), Without(feature.StartTLS),
		TrippedBy(quirk.ListOmitsExports, "want every export"),
		TrippedBy(quirk.ListTwice, "want every export"),
		func(ctx context.Context) {
			promised := FactsOf(ctx).Promised
			if promised == nil {
				verdict.Unsupported("exports-unknown")
			}

			a := Haggle(ctx).Option(wire.OptList, nil)

			var names []string
			for _, e := range a.Servers() {
				names = append(names, e.Name)
			}
			Expect(names).To(ConsistOf(promised), "every-export-once")
		})

	// "String, name of the export, as expected by NBD_OPT_EXPORT_NAME, NBD_OPT_INFO, or NBD_OPT_GO"
	It("lists names that NBD_OPT_INFO knows", ID("list.usable"),
		MUST("layout.rep.server.usable"),
		Needs(feature.List, feature.Info),
		TrippedBy(quirk.ListInventsExport, "got NBD_REP_ERR_UNKNOWN"),
		func(ctx context.Context) {
			listed := Haggle(ctx).Option(wire.OptList, nil).Servers()

			for i, e := range listed {
				if i == 8 {
					break
				}
				q := wire.InfoRequest{Export: e.Name, Infos: []wire.InfoType{wire.InfoBlockSize}}
				a := Haggle(ctx).Option(wire.OptInfo, q)
				Expect(a).To(BeAnswered(FactsOf(ctx).OrRefusal(wire.RepAck)...), "case.listed-name", e.Name)
			}
		})

	// A listed export can be refused, and then "the final reply from the server indicates an error": the client
	// goes on haggling.
	It("lists names that NBD_OPT_GO serves or refuses", ID("list.go"),
		MUST("baseline.server.go", "haggling.hard.unjustified.server", "layout.option-reply.answered"),
		Needs(feature.List, feature.Info),
		TrippedBy(quirk.ListInventsExport, "got NBD_REP_ERR_UNKNOWN"),
		TrippedBy(quirk.PolicyHangup, "want the conversation to be in step"),
		func(ctx context.Context) {
			listed := Haggle(ctx).Option(wire.OptList, nil).Servers()

			for _, e := range listed[:min(len(listed), 8)] {
				s := Haggle(ctx)
				q := wire.InfoRequest{Export: e.Name, Infos: []wire.InfoType{wire.InfoBlockSize, wire.InfoName}}
				a := s.Option(wire.OptGo, q)
				Expect(a).To(BeAnswered(FactsOf(ctx).OrRefusal(wire.RepAck)...), "case.listed-name", e.Name)
				Expect(s.InStep()).To(BeInStep(), "case.after-listed-name", e.Name)
			}
		})

	// "the server SHOULD reject a request that includes data with NBD_REP_ERR_INVALID"
	It("is rejected with NBD_REP_ERR_INVALID if it has data", ID("list.data"),
		SHOULD("opt.list.data-invalid"),
		Needs(feature.List), Provokes("opt.list.no-data"),
		TrippedBy(quirk.ListDataAccepted, "want the final reply NBD_REP_ERR_INVALID"),
		func(ctx context.Context) {
			for _, n := range []uint64{1, 4, 16, 1000} {
				s := Haggle(ctx)

				a := s.Option(wire.OptList, Bytes(Pattern(3, n)))

				Expect(a).To(BeAnsweredOrEnd(wire.RepErrInvalid), "case.data-length", n)
				if a.End == Complete {
					Expect(s.InStepOrGone()).To(BeInStep(), "case.data-length", n)
				}
			}
		})

	// Nothing of the server's state changes by it, so a client may send it any number of times, and "an
	// error" may be the answer to any of them.
	It("may be refused the second time, and is answered", ID("list.again"),
		MAY("layout.opt.list.replies"),
		Needs(feature.List),
		func(ctx context.Context) {
			s := Haggle(ctx)
			s.Option(wire.OptList, nil)

			a := s.Option(wire.OptList, nil)

			Expect(a).To(BeAnsweredSomehow())
			Observe(ctx, "second NBD_OPT_LIST", "%s", a.Summary())
			Expect(s.InStep()).To(BeInStep())
		})
})
