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

var _ = Describe("The selection of metadata contexts", func() {
	// "For a successful return, the server MUST use a structured reply, containing exactly one
	// chunk of type NBD_REPLY_TYPE_BLOCK_STATUS per selected context id"
	It("is what block status tells, chunk by chunk", ID("meta-selection.chunks"),
		MUST("chunk.block-status.per-context", "cmd.block-status.structured"), Needs(feature.MetaContext),
		TrippedBy(quirk.StatusMissingContext, "the reply has chunks for"),
		TrippedBy(quirk.StatusContextTwice, "2 chunks for context"),
		TrippedBy(quirk.StatusUnknownContext, "which is not selected"),
		TrippedBy(quirk.StatusSimple, "a simple reply without an error"),
		func(ctx context.Context) {
			s := Haggle(ctx)
			s.Structured()
			expectSelected(s, s.SetContexts(s.Offers()...))
			s.Proceed()

			reply := s.Do(firstBlock(ctx))

			Expect(reply).To(BeReply(WithStatusOf(s.Contexts)))
		})

	// "Issuing this command replaces all previously-set metadata contexts"
	It("is replaced by the next one", ID("meta-selection.replaced"),
		MUST("layout.opt.set-meta.replaces", "chunk.block-status.per-context"), Needs(feature.BaseAllocation),
		TrippedBy(quirk.SetMetaAccumulates, "which is not selected"),
		func(ctx context.Context) {
			s := Haggle(ctx)
			s.Structured()
			expectSelected(s, s.SetContexts(s.SeveralOffers()...))

			a := s.SetContexts("base:allocation")

			expectSelected(s, a)
			s.Proceed()
			Expect(s.Do(firstBlock(ctx))).To(BeReply(WithStatusOf(s.Contexts)))
		})

	// The same: what selects nothing replaces it by nothing.
	It("is given up for one that selects nothing", ID("meta-selection.emptied"),
		MUST("layout.opt.set-meta.replaces"), Needs(feature.BaseAllocation),
		Provokes("cmd.block-status.needs-context"),
		TrippedBy(quirk.SetMetaAdds, "want a reply with an error"),
		func(ctx context.Context) {
			for _, queries := range [][]string{{}, {"base:nbdconform-absent"}} {
				s := Haggle(ctx)
				s.Structured()
				expectSelected(s, s.SetContexts("base:allocation"))

				s.SetContexts(queries...)

				s.Proceed()
				Expect(s.Do(firstBlock(ctx))).To(BeReplyOrEnd(WithAnyError()), "case.after-selection", queries)
			}
		})

	// "(including when this command fails)"
	It("is given up for one that fails", ID("meta-selection.failed"),
		MUST("layout.opt.set-meta.replaces"), Needs(feature.BaseAllocation),
		Provokes("layout.opt.meta", "cmd.block-status.needs-context"),
		TrippedBy(quirk.SetMetaFailureKeeps, "want a reply with an error"),
		func(ctx context.Context) {
			s := Haggle(ctx)
			s.Structured()
			expectSelected(s, s.SetContexts("base:allocation"))

			cut := wire.MetaContextRequest{Export: FactsOf(ctx).Export, Queries: []string{"base:allocation"}}.Append(nil)
			a := s.Option(wire.OptSetMetaContext, Bytes(cut[:len(cut)-1]))

			switch {
			case a.End == HungUp:
				verdict.Unsupported("session-ends-over-cut-query")
			case !a.Type().IsError():
				verdict.Blocked("opt.set-meta.malformed", "selecting-query-cut-off", a)
			}
			s.Proceed()
			Expect(s.Do(firstBlock(ctx))).To(BeReplyOrEnd(WithAnyError()))
		})

	// "A client MUST NOT use NBD_CMD_BLOCK_STATUS unless it [...] used the same export name
	// for the subsequent NBD_OPT_GO (or NBD_OPT_EXPORT_NAME)."
	It("holds for no other export", ID("meta-selection.other-export"),
		SHOULD("meta.block-status.unselected"), Needs(feature.BaseAllocation),
		Provokes("cmd.block-status.needs-context"),
		TrippedBy(quirk.SetMetaOtherExport, "want a reply with NBD_EINVAL"),
		func(ctx context.Context) {
			s := Haggle(ctx)
			s.Structured()
			other := wire.MetaContextRequest{Export: otherExport(ctx), Queries: []string{"base:allocation"}}

			a := s.Option(wire.OptSetMetaContext, other)

			if other.Export == noExport && len(a.Contexts()) > 0 {
				verdict.Unsupported("any-export-name-same")
			}
			s.Proceed()
			Expect(s.Do(firstBlock(ctx))).To(BeReplyOrEnd(WithError(wire.EINVAL)),
				"case.contexts-of-other-export", other.Export, a.Type())
		})

	// NBD_OPT_LIST_META_CONTEXT will "Return a list"; it is NBD_OPT_SET_META_CONTEXT that will
	// "Change the set of active metadata contexts".
	It("is not changed by a list", ID("meta-selection.listed-between"),
		MUST("layout.opt.set-meta.replaces"), Needs(feature.BaseAllocation),
		TrippedBy(quirk.ListMetaClears, "got NBD_EINVAL"),
		func(ctx context.Context) {
			s := Haggle(ctx)
			s.Structured()
			expectSelected(s, s.SetContexts("base:allocation"))

			s.FindContexts()
			s.FindContexts("base:nbdconform-absent")

			s.Proceed()
			Expect(s.Do(firstBlock(ctx))).To(BeReply(WithStatusOf(s.Contexts)))
		})

	// The same.
	It("is not made by a list", ID("meta-selection.listed-only"),
		MUST("layout.opt.set-meta.replaces"), Needs(feature.BaseAllocation),
		Provokes("cmd.block-status.needs-context"),
		TrippedBy(quirk.ListMetaSelects, "want a reply with an error"),
		func(ctx context.Context) {
			s := Haggle(ctx)
			s.Structured()

			s.FindContexts("base:allocation")

			s.Proceed()
			Expect(s.Do(firstBlock(ctx))).To(BeReplyOrEnd(WithAnyError()))
		})

	// The same.
	It("outlasts other options", ID("meta-selection.options-between"),
		MUST("layout.opt.set-meta.replaces"), Needs(feature.BaseAllocation),
		TrippedBy(quirk.InfoForgetsContexts, "got NBD_EINVAL"),
		func(ctx context.Context) {
			s := Haggle(ctx)
			s.Structured()
			expectSelected(s, s.SetContexts("base:allocation"))

			s.Option(wire.OptInfo, wire.InfoRequest{Export: FactsOf(ctx).Export, Infos: []wire.InfoType{wire.InfoBlockSize}})
			s.Option(wire.OptList, nil)
			s.Option(UnknownOption, nil)

			switch a := s.Go(wire.InfoBlockSize); a.Type() {
			case wire.RepAck:
			case wire.RepErrUnsup:
				s.Proceed()
			default: // which may fail once other options came in between, opt.info.repeat-fail
				verdict.Unsupported("export-not-served-after", a)
			}
			Expect(s.Do(firstBlock(ctx))).To(BeReply(WithStatusOf(s.Contexts)))
		})

	// A client may use block status where the last selection "referred to the same export name
	// that was ultimately selected for transmission phase", whatever it asked in between. That the server
	// keeps the selection meanwhile is not said in so many words.
	It("outlasts a question about another export", ID("meta-selection.info-between"),
		SHOULD("layout.opt.set-meta.replaces"), Needs(feature.BaseAllocation),
		TrippedBy(quirk.InfoForgetsContexts, "got NBD_EINVAL"),
		func(ctx context.Context) {
			s := Haggle(ctx)
			s.Structured()
			expectSelected(s, s.SetContexts("base:allocation"))

			s.Option(wire.OptInfo, wire.InfoRequest{Export: otherExport(ctx)})

			s.Proceed()
			Expect(s.Do(firstBlock(ctx))).To(BeReply(WithStatusOf(s.Contexts)))
		})

	// "used the same export name for the subsequent NBD_OPT_GO (or NBD_OPT_EXPORT_NAME)"
	It("holds where NBD_OPT_EXPORT_NAME ends the haggling", ID("meta-selection.export-name"),
		MUST("layout.opt.set-meta.replaces"), Needs(feature.BaseAllocation),
		TrippedBy(quirk.ExportNameForgetsContexts, "got NBD_EINVAL"),
		func(ctx context.Context) {
			s := Haggle(ctx)
			s.Structured()
			expectSelected(s, s.SetContexts("base:allocation"))

			if _, h := s.ExportName(FactsOf(ctx).Export); h.End != Complete {
				verdict.Unsupported("clients-not-let-in-by-export-name", h)
			}

			Expect(s.Do(firstBlock(ctx))).To(BeReply(WithStatusOf(s.Contexts)))
		})

	// "Servers SHOULD reply with NBD_EINVAL to clients sending NBD_CMD_BLOCK_STATUS without
	// selecting at least one metadata context."
	It("has to be made for block status to be told", ID("meta-selection.none"),
		SHOULD("meta.block-status.unselected"), Needs(feature.StructuredReply),
		Provokes("cmd.block-status.needs-context"),
		TrippedBy(quirk.StatusUnselectedAccepted, "want a reply with NBD_EINVAL"),
		func(ctx context.Context) {
			s := Enter(ctx, StructuredReplies)

			reply := s.Do(firstBlock(ctx))

			Expect(reply).To(BeReplyOrEnd(WithError(wire.EINVAL)))
			if reply.End == Complete {
				Expect(s.InStep()).To(BeInStep())
			}
		})

	// The same, and "structured replies MUST be negotiated first".
	It("has to be made for block status to be told, with simple replies too", ID("meta-selection.simple"),
		SHOULD("meta.block-status.unselected"),
		Without(feature.GetLBAStatus),
		Provokes("cmd.block-status.needs-context"),
		TrippedBy(quirk.StatusUnselectedAccepted, "want a reply with NBD_EINVAL"),
		func(ctx context.Context) {
			s := Enter(ctx)

			reply := s.Do(firstBlock(ctx))

			Expect(reply).To(BeReplyOrEnd(WithError(wire.EINVAL)))
			if reply.End == Complete {
				Expect(s.InStep()).To(BeInStep())
			}
		})
})

// expectSelected ends the spec unless the answer selects something.
func expectSelected(s *Session, a Answer) {
	if len(s.Contexts) == 0 {
		verdict.Blocked("opt.set-meta.reply", "selecting-metadata-contexts", a)
	}
}

// firstBlock asks for the status of the first block.
func firstBlock(ctx context.Context) wire.Request { return statusOf(0, Room(ctx, 1)) }

// statusOf asks for the status of n bytes at offset.
func statusOf(offset, n uint64) wire.Request {
	return wire.Request{Type: wire.CmdBlockStatus, Offset: offset, Length: n}
}

// noExport is a name under which few servers have an export.
const noExport = "nbdconform-absent"

// otherExport is a name that does not stand for the export under test, though
// a server may have nothing under it. A listed name may be another one for the
// default export.
func otherExport(ctx context.Context) string {
	f := FactsOf(ctx)
	for _, name := range f.Exports {
		if f.Export != "" && name != "" && name != f.Export {
			return name
		}
	}
	return noExport
}
