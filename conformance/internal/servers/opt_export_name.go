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

// enterByName enters the transmission phase as a client with these flags does
// by NBD_OPT_EXPORT_NAME. The spec is unsupported where the server may refuse
// that: "A server that wants to enforce size constraints other than the
// defaults MAY refuse to go into transmission phase with a client that uses
// NBD_OPT_EXPORT_NAME (via a hard disconnect)".
func enterByName(ctx context.Context, flags wire.ClientFlags, name string) (*Session, wire.ExportNameReply, HangUp) {
	s := Open(ctx)
	s.Greeting()
	s.SendFlags(flags)
	e, h := s.ExportName(name)
	if f := FactsOf(ctx); h.End == HungUp && (f.Constraints != wire.DefaultSizeConstraints || !f.Entered) {
		verdict.Unsupported("export-name-refused")
	}
	return s, e, h
}

var _ = Describe("NBD_OPT_EXPORT_NAME", func() {
	// "S: 124 bytes, zeroes (reserved) (unless NBD_FLAG_C_NO_ZEROES was negotiated by the client)"
	It("sends 124 zeroes to a client that did not set NBD_FLAG_C_NO_ZEROES", ID("export-name.zeroes"),
		MUST("layout.export-name.reserved", "flag.handshake.no-effect"),
		TrippedBy(quirk.ExportNameZeroesMissing, "no answer"),
		TrippedBy(quirk.ExportNameReservedNonzero, "0x1 is among them"),
		func(ctx context.Context) {
			s, _, h := enterByName(ctx, wire.FlagCFixedNewstyle, FactsOf(ctx).Export)

			Expect(h.End).To(Equal(Complete), "answer-of-134", h)
			Expect(s.InStep()).To(BeInStep())
		})

	// "If set, the server MUST NOT send the 124 bytes of zeroes when the client ends negotiation with
	// NBD_OPT_EXPORT_NAME."
	It("sends no zeroes to a client that set NBD_FLAG_C_NO_ZEROES", ID("export-name.no-zeroes"),
		MUST("flag.handshake.no-zeroes"),
		Needs(feature.NoZeroes),
		TrippedBy(quirk.ExportNameZeroesUnwanted, "flag.handshake.no-zeroes"),
		func(ctx context.Context) {
			s, _, h := enterByName(ctx, wire.FlagCFixedNewstyle|wire.FlagCNoZeroes, FactsOf(ctx).Export)

			Expect(h.End).To(Equal(Complete), "answer-of-10", h)
			Expect(s.InStep()).To(BeInStep())
		})

	// "Clients or servers that desire interoperability with older implementations SHOULD implement the
	// NBD_OPT_EXPORT_NAME message in addition to NBD_OPT_INFO and NBD_OPT_GO."
	It("lets a client in", ID("export-name.enter"),
		SHOULD("interop.server.export-name"),
		TrippedBy(quirk.ExportNameRefused, "the server ended the connection"),
		func(ctx context.Context) {
			s, _, h := enterByName(ctx, wire.ClientFlags(FactsOf(ctx).Flags), FactsOf(ctx).Export)

			Expect(h.End).To(Equal(Complete), "size-and-flags", h)
			Expect(s.InStep()).To(BeInStep())
		})

	// "In non-fixed newstyle only one option can be set (NBD_OPT_EXPORT_NAME)"
	It("lets a client in that did not set NBD_FLAG_C_FIXED_NEWSTYLE", ID("export-name.not-fixed"),
		SHOULD("interop.server.export-name"),
		Without(feature.ForcedTLS), // where there is no TLS for such a client
		TrippedBy(quirk.ExportNameRefused, "the server ended the connection"),
		func(ctx context.Context) {
			s, _, h := enterByName(ctx, 0, FactsOf(ctx).Export)

			Expect(h.End).To(Equal(Complete), "size-and-flags", h)
			Expect(s.InStep()).To(BeInStep())
		})

	// NBD_INFO_EXPORT: "Describes the same information that is sent in response to the older
	// NBD_OPT_EXPORT_NAME"
	It("tells the size and the flags that NBD_OPT_GO tells", ID("export-name.same"),
		MUST("layout.rep.info-export.same"),
		Needs(feature.Info),
		TrippedBy(quirk.ExportNameOtherSize, "want the size"),
		TrippedBy(quirk.ExportNameOtherFlags, "want the flags"),
		func(ctx context.Context) {
			_, e, h := enterByName(ctx, wire.ClientFlags(FactsOf(ctx).Flags), FactsOf(ctx).Export)
			if h.End != Complete {
				verdict.Blocked("interop.server.export-name", "entering-opt-export-name", h)
			}

			modern := Enter(ctx)

			Expect(e.Size).To(Equal(modern.Size), "size-of-go")
			Expect(e.Flags).To(Equal(modern.Flags), "flags-of-go")
		})

	// "If the chosen export does not exist ... the server MUST terminate the session."
	It("ends the session of a client that asks for an export that does not exist", ID("export-name.unknown"),
		MUST("opt.export-name.unknown", "haggling.mandated.hard.server"),
		TrippedBy(quirk.ExportNameUnknownServed, "want the end of the session"),
		TrippedBy(quirk.ExportNameUnknownIgnored, "want the end of the session"),
		func(ctx context.Context) {
			name := MissingExport(ctx)
			for _, flags := range []wire.ClientFlags{wire.FlagCFixedNewstyle, wire.ClientFlags(FactsOf(ctx).Flags)} {
				s := Open(ctx)
				s.Greeting()
				s.SendFlags(flags)

				_, h := s.ExportName(name)

				Expect(h).To(BeEnded())
			}
		})

	// "that string ... SHOULD be no longer than 256 bytes and MUST be no longer than 4096 bytes"
	It("ends the session over an unknown name of 4096 bytes", ID("export-name.unknown.longest"),
		MUST("opt.export-name.unknown"),
		Provokes("string.short.client"),
		TrippedBy(quirk.ExportNameUnknownServed, "want the end of the session"),
		func(ctx context.Context) {
			name := MissingExport(ctx) + strings.Repeat("x", wire.MaxString-len(NoExport))

			_, h := Haggle(ctx).ExportName(name)

			Expect(h).To(BeEnded())
		})

	// "A special, "empty", name ... is reserved for a "default" export", in NBD_OPT_INFO "as with
	// NBD_OPT_EXPORT_NAME".
	It("takes the empty name for the export that NBD_OPT_INFO takes it for", ID("export-name.default"),
		MUST("layout.opt.info.default"),
		Needs(feature.Info),
		TrippedBy(quirk.DefaultExportDiffers, "want the default export of NBD_OPT_INFO"),
		func(ctx context.Context) {
			a := Haggle(ctx).Option(wire.OptInfo, wire.InfoRequest{Infos: []wire.InfoType{wire.InfoBlockSize}})
			Observe(ctx, "default export", "%s", a.Summary())
			if a.Type() != wire.RepAck {
				verdict.Unsupported("no-default-export", a)
			}

			_, e, h := enterByName(ctx, wire.ClientFlags(FactsOf(ctx).Flags), "")

			if h.End != Complete {
				verdict.Blocked("interop.server.export-name", "entering-opt-export-name", h)
			}
			for _, i := range a.Infos() {
				if info, err := wire.ParseExportInfo(i.Payload); i.Type == wire.InfoExport && err == nil {
					Expect(e.Size).To(Equal(info.Size), "default-export-of-info")
				}
			}
		})

	// "MUST NOT contain NUL characters ... and MUST be no longer than 4096 bytes": what a server makes of
	// such a name is open, and so is what it does with bytes that are not UTF-8.
	for _, bad := range []struct {
		id, what string
		name     func(export string) string
		provokes clause.ID
	}{
		{"nul", "a NUL", func(e string) string { return e + "\x00x" }, "string.no-nul.client"},
		{"utf8", "a byte that is not UTF-8", func(e string) string { return e + "\xff" }, "string.utf8.client"},
		{"too-long", "4097 bytes", func(string) string { return strings.Repeat("x", wire.MaxString+1) }, "string.max-length.client"},
	} {
		It("may do as it likes with a name that has "+bad.what, ID("export-name.bad."+bad.id),
			MAY("haggling.violation.hard.server"),
			Provokes(bad.provokes),
			func(ctx context.Context) {
				_, h := Haggle(ctx).ExportName(bad.name(FactsOf(ctx).Export))

				Expect(h.End).To(Or(Equal(Complete), Equal(HungUp)), "answer-or-end", h)
				Observe(ctx, "NBD_OPT_EXPORT_NAME with "+bad.what, "%v", h.End)
			})
	}
})
