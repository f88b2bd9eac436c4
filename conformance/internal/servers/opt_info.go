package servers

import (
	"context"
	"strings"

	. "github.com/onsi/ginkgo/v2"

	"nbdconform/conformance/clause"
	"nbdconform/conformance/feature"
	. "nbdconform/conformance/internal/expect"
	. "nbdconform/conformance/internal/match"
	. "nbdconform/conformance/internal/session"
	. "nbdconform/conformance/internal/spec"
	"nbdconform/conformance/internal/verdict"
	quirk "nbdconform/reference/quirk/server"
	"nbdconform/reference/wire"
)

// about asks for information about the export under test.
func about(ctx context.Context, infos ...wire.InfoType) wire.InfoRequest {
	return wire.InfoRequest{Export: FactsOf(ctx).Export, Infos: infos}
}

var _ = Describe("NBD_OPT_INFO", func() {
	// "the server MUST send at least one NBD_REP_INFO, with an NBD_INFO_EXPORT information type"
	It("describes the export before it is acknowledged", ID("info.export"),
		MUST("baseline.server.info", "opt.info.export-before-ack", "rep.info-export.length", "layout.rep.info",
			"flag.transmission.has-flags", "layout.option-reply.magic", "layout.option-reply.option"),
		TrippedBy(quirk.InfoUnsupported, "want the final reply NBD_REP_ACK"),
		TrippedBy(quirk.InfoWithoutExport, "is acknowledged without NBD_INFO_EXPORT"),
		TrippedBy(quirk.InfoExportLong, "rep.info-export.length"),
		TrippedBy(quirk.InfoTooShort, "layout.rep.info"),
		TrippedBy(quirk.FlagsWithoutHasFlags, "lack NBD_FLAG_HAS_FLAGS"),
		TrippedBy(quirk.OptionReplyWrongMagic, "layout.option-reply.magic"),
		TrippedBy(quirk.OptionReplyWrongOption, "layout.option-reply.option"),
		func(ctx context.Context) {
			s := Haggle(ctx)

			a := s.Option(wire.OptInfo, about(ctx, wire.InfoBlockSize))

			Expect(a).To(BeAnswered(FactsOf(ctx).OrRefusal(wire.RepAck)...))
			Expect(s.InStep()).To(BeInStep())
		})

	// "NBD_REP_ERR_UNKNOWN: The chosen export does not exist on this server."
	It("tells of an export that does not exist", ID("info.unknown"),
		MUST("baseline.server.info", "haggling.hard.unjustified.server"),
		TrippedBy(quirk.UnknownExportInvalid, "got NBD_REP_ERR_INVALID"),
		TrippedBy(quirk.UnknownExportHangup, "want the conversation to be in step"),
		func(ctx context.Context) {
			name := MissingExport(ctx)
			s := Haggle(ctx)

			a := s.Option(wire.OptInfo, wire.InfoRequest{Export: name})

			Expect(a).To(BeAnswered(FactsOf(ctx).OrRefusal(wire.RepErrUnknown)...))
			Expect(s.InStep()).To(BeInStep())
		})

	// "In this case, the server SHOULD NOT send NBD_REP_INFO replies."
	It("tells nothing else of an export that does not exist", ID("info.unknown.quiet"),
		SHOULD("opt.info.unknown.no-info"),
		TrippedBy(quirk.InfoUnknownNameDescribed, "follows 1 NBD_REP_INFO"),
		func(ctx context.Context) {
			name := MissingExport(ctx)

			a := Haggle(ctx).Option(wire.OptInfo, wire.InfoRequest{Export: name, Infos: []wire.InfoType{
				wire.InfoName, wire.InfoDescription, wire.InfoBlockSize,
			}})

			Expect(a).To(BeAnsweredWithError())
			if a.Type() == wire.RepErrUnknown {
				Expect(a.Infos()).To(BeEmpty(), "info-before-unknown-error", len(a.Infos()))
			}
		})

	// "The server MUST ignore any information requests it does not understand."
	It("ignores requests for information that nobody defined", ID("info.unknown-request"),
		MUST("opt.info.unknown-request"),
		Needs(feature.Info),
		TrippedBy(quirk.InfoUnknownRequestRejected, "got NBD_REP_ERR_INVALID"),
		func(ctx context.Context) {
			many := []wire.InfoType{wire.InfoBlockSize}
			for t := range wire.InfoType(100) {
				many = append(many, 0x7f00+t)
			}
			for _, infos := range [][]wire.InfoType{
				{wire.InfoBlockSize, 0x1234},
				{0xffff, 0x8000, wire.InfoBlockSize},
				many,
			} {
				s := Haggle(ctx)

				a := s.Option(wire.OptInfo, about(ctx, infos...))

				Expect(a).To(BeAnswered(FactsOf(ctx).OrRefusal(wire.RepAck)...), "case.requests", len(infos))
				Expect(s.InStep()).To(BeInStep())
			}
		})

	// "The client MAY list one or more items of specific information ..., or it MAY specify an empty list."
	It("may leave out what it was asked for, and add to it", ID("info.requests"),
		MAY("opt.info.policy-omit", "opt.info.unrequested", "opt.info.order", "rep.info-name.omit"),
		Needs(feature.Info),
		func(ctx context.Context) {
			everything := []wire.InfoType{wire.InfoExport, wire.InfoName, wire.InfoDescription, wire.InfoBlockSize}
			for _, infos := range [][]wire.InfoType{{wire.InfoBlockSize}, everything} {
				a := Haggle(ctx).Option(wire.OptInfo, about(ctx, infos...))

				Expect(a).To(BeAnswered(FactsOf(ctx).OrRefusal(wire.RepAck)...), "case.for", infos)
				var got []string
				for _, i := range a.Infos() {
					got = append(got, i.Type.String())
				}
				Observe(ctx, "information sent", "%d requested: %s", len(infos), strings.Join(got, ", "))
			}
		})

	// "A particular information type SHOULD only appear once for a given export unless documented otherwise."
	It("tells each thing once", ID("info.once"),
		SHOULD("rep.info.once"),
		Needs(feature.Info),
		TrippedBy(quirk.InfoExportTwice, "NBD_INFO_EXPORT came twice"),
		func(ctx context.Context) {
			a := Haggle(ctx).Option(wire.OptInfo,
				about(ctx, wire.InfoBlockSize, wire.InfoDescription, wire.InfoName, wire.InfoExport))

			seen := map[wire.InfoType]bool{}
			for _, i := range a.Infos() {
				Expect(seen[i.Type]).To(BeFalse(), "came-twice", i.Type, a)
				seen[i.Type] = true
			}
		})

	// "The client MUST NOT include any information request in the list more than once."
	It("may do as it likes with a request that comes twice", ID("info.requested-twice"),
		MAY("haggling.violation.hard.server"),
		Needs(feature.Info), Provokes("opt.info.requests-unique"),
		func(ctx context.Context) {
			s := Haggle(ctx)

			a := s.Option(wire.OptInfo, about(ctx, wire.InfoName, wire.InfoBlockSize, wire.InfoName, wire.InfoBlockSize))

			Expect(a).To(BeFinal())
			Observe(ctx, "information requested twice", "%s, with %d pieces", a.Summary(), len(a.Infos()))
			if a.End == Complete {
				Expect(s.InStepOrGone()).To(BeInStep())
			}
		})

	// "If no name is specified (i.e. a zero length string is provided), this specifies the default export
	// (if any)"
	It("may know a default export", ID("info.default"),
		MAY("rep.info-name.differs"),
		Needs(feature.Info),
		func(ctx context.Context) {
			s := Haggle(ctx)

			a := s.Option(wire.OptInfo, wire.InfoRequest{Infos: []wire.InfoType{wire.InfoName, wire.InfoBlockSize}})

			Expect(a).To(BeAnswered(FactsOf(ctx).OrRefusal(wire.RepAck, wire.RepErrUnknown)...))
			for _, i := range a.Infos() {
				if i.Type == wire.InfoName {
					Observe(ctx, "name of the default export", "%q", i.Payload)
				}
			}
			Expect(s.InStep()).To(BeInStep())
		})

	// "This information type represents the same name that would appear in the name portion of an
	// NBD_REP_SERVER in response to NBD_OPT_LIST."
	It("tells a name that the list of exports has", ID("info.name"),
		MUST("layout.rep.info-name.same", "string.utf8.server", "string.no-nul.server"),
		Needs(feature.Info, feature.List),
		TrippedBy(quirk.InfoNameOther, "want a listed name"),
		func(ctx context.Context) {
			export := FactsOf(ctx).Export
			listed := Haggle(ctx).Option(wire.OptList, nil).Servers()

			a := Haggle(ctx).Option(wire.OptInfo, about(ctx, wire.InfoName, wire.InfoBlockSize))

			known, names := false, []string{}
			for _, e := range listed {
				known = known || e.Name == export
				names = append(names, e.Name)
			}
			if !known {
				verdict.Unsupported("export-not-listed", export, names)
			}
			for _, i := range a.Infos() {
				if i.Type == wire.InfoName {
					Expect(names).To(ContainElement(string(i.Payload)), "info-name-listed")
				}
			}
		})

	// "This information type represents the same optional description that may appear after the name
	// portion of an NBD_REP_SERVER in response to NBD_OPT_LIST."
	It("tells the description that the list of exports has", ID("info.description"),
		MUST("layout.rep.info-description.same"),
		Needs(feature.Info, feature.List),
		TrippedBy(quirk.InfoDescriptionOther, "want the description of the list"),
		func(ctx context.Context) {
			listed := Haggle(ctx).Option(wire.OptList, nil).Servers()

			a := Haggle(ctx).Option(wire.OptInfo, about(ctx, wire.InfoDescription, wire.InfoBlockSize))

			for _, i := range a.Infos() {
				for _, e := range listed {
					if i.Type == wire.InfoDescription && e.Name == FactsOf(ctx).Export && e.Details != "" {
						Expect(string(i.Payload)).To(Equal(e.Details), "description-of-list")
					}
				}
			}
		})

	// "that string ... SHOULD be no longer than 256 bytes and MUST be no longer than 4096 bytes"
	It("is answered for a name of 4096 bytes", ID("info.longest-name"),
		MUST("layout.option-reply.answered", "haggling.hard.unjustified.server", "string.max-length.server"),
		Needs(feature.Info), Provokes("string.short.client"),
		TrippedBy(quirk.LongNameHangup, "the server ended the connection"),
		TrippedBy(quirk.CrashOnLongName, "the server died"),
		func(ctx context.Context) {
			for _, n := range []int{257, 1024, wire.MaxString} {
				s := Haggle(ctx)

				a := s.Option(wire.OptInfo, wire.InfoRequest{Export: strings.Repeat("x", n)})

				Expect(a).To(BeAnsweredSomehow(), "case.name-length", n)
				Expect(s.InStep()).To(BeInStep())
			}
		})

	// "MUST NOT contain NUL characters ... and MUST be no longer than 4096 bytes": what a server makes of
	// such a name is open, as long as it stays in step or leaves.
	for _, bad := range []struct {
		id, what string
		name     func(export string) string
		provokes clause.ID
	}{
		{"nul", "a NUL", func(e string) string { return e + "\x00x" }, "string.no-nul.client"},
		{"utf8", "a byte that is not UTF-8", func(e string) string { return e + "\xff" }, "string.utf8.client"},
		{"too-long", "4097 bytes", func(string) string { return strings.Repeat("x", wire.MaxString+1) }, "string.max-length.client"},
	} {
		It("may do as it likes with a name that has "+bad.what, ID("info.bad-name."+bad.id),
			MAY("haggling.violation.hard.server"),
			Needs(feature.Info), Provokes(bad.provokes),
			func(ctx context.Context) {
				s := Haggle(ctx)

				a := s.Option(wire.OptInfo, wire.InfoRequest{Export: bad.name(FactsOf(ctx).Export)})

				Expect(a).To(BeFinal())
				Observe(ctx, "NBD_OPT_INFO for a name that has "+bad.what, "%s", a.Summary())
				if a.End == Complete {
					Expect(s.InStepOrGone()).To(BeInStep())
				}
			})
	}
})
