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
)

var _ = Describe("NBD_CMD_READ", func() {
	// "A read request. Length and offset define the data to be read."
	It("returns what was written", ID("read.data"),
		MUST("baseline.server.read", "baseline.server.write"),
		Writes(),
		TrippedBy(quirk.ReadWrongData, "differs"),
		TrippedBy(quirk.WriteLost, "differs"),
		func(ctx context.Context) {
			b := Room(ctx, 4)
			s := Enter(ctx)
			data := s.Write(b, Pattern(3, 2*b))

			Expect(s.Do(ReadOf(b, 2*b))).To(BeReply(WithData(data)))
		})

	// "The server MAY split the reply into any number of content chunks", which does not
	// change what they say.
	It("returns the same bytes in one piece and in many", ID("read.pieces"),
		MUST("baseline.server.read"),
		Writes(),
		TrippedBy(quirk.ReadWrongData, "differs"),
		func(ctx context.Context) {
			b := Room(ctx, 16)
			for _, mode := range forms(ctx) {
				s := Enter(ctx, mode...)
				data := s.Write(0, Pattern(4, 16*b))

				Expect(s.Do(ReadOf(0, 16*b))).To(BeReply(WithData(data)))
				for _, n := range []uint64{1, 2, 5} {
					for at := uint64(0); at < 16; at += n {
						from, to := at*b, min(at+n, 16)*b
						Expect(s.Do(ReadOf(from, to-from))).To(BeReply(WithData(data[from:to])))
					}
				}
			}
		})

	// "The hole [...] represents that the contents of hole size bytes [...] read as all
	// zeroes", and nothing else does.
	It("tells data from holes", ID("read.holes"),
		MUST("baseline.server.read", "cmd.read.cover"),
		Writes(),
		TrippedBy(quirk.ReadHoleForData, "differs"),
		func(ctx context.Context) {
			b := Room(ctx, 16)
			for _, mode := range forms(ctx) {
				s := Enter(ctx, mode...)
				want := s.Zero(0, 16*b)
				for _, at := range []uint64{0, 5 * b, 6 * b, 15 * b} {
					copy(want[at:], s.Write(at, Pattern(byte(at/b), b)))
				}

				Expect(s.Do(ReadOf(0, 16*b))).To(BeReply(WithData(want)))
				Expect(s.Do(ReadOf(4*b, 3*b))).To(BeReply(WithData(want[4*b : 7*b])))
				Expect(s.Do(ReadOf(7*b, 9*b))).To(BeReply(WithData(want[7*b:])))
			}
		})

	// "If the export is read-only", that is said of what writes alone.
	It("works on a read-only export", ID("read.read-only"),
		MUST("baseline.server.read"),
		Needs(feature.ReadOnly),
		TrippedBy(quirk.ReadOnlyReadRefused, "NBD_EPERM"),
		func(ctx context.Context) {
			b := Room(ctx, 1)
			for _, mode := range forms(ctx) {
				s := Enter(ctx, mode...)

				Expect(s.Do(ReadOf(0, b))).To(BeReply(WithLength(b)))
				Expect(s.Do(ReadOf(FactsOf(ctx).Last(), b))).To(BeReply(WithLength(b)))
			}
		})

	// "the behavior of a server on such a request is unspecified although the server SHOULD
	// NOT disconnect"
	It("of 0 bytes leaves the session as it was", ID("read.zero-length"),
		SHOULD("cmd.read.zero-length.stay"),
		Provokes("cmd.read.zero-length"),
		TrippedBy(quirk.ReadZeroLengthHangup, "the server ended the connection"),
		func(ctx context.Context) {
			Room(ctx, 1)
			for _, mode := range forms(ctx) {
				for _, offset := range []uint64{0, FactsOf(ctx).Last()} {
					s := Enter(ctx, mode...)

					r := s.Do(ReadOf(offset, 0))

					Expect(r).To(BeReply(), "case.at", offset)
					Observe(ctx, "read of 0 bytes", "%v", r.Error)
					Expect(s.InStep()).To(BeInStep())
				}
			}
		})

	// NBD_OPT_EXPORT_NAME: "Choose the export which the client would like to use, end
	// option haggling, and proceed to the transmission phase."
	It("works for a client that chose the export by NBD_OPT_EXPORT_NAME", ID("read.export-name"),
		MUST("baseline.server.read"),
		TrippedBy(quirk.ReadUnanswered, "no answer within"),
		TrippedBy(quirk.ReadWrongData, "differs"),
		Writes(),
		func(ctx context.Context) {
			b := Room(ctx, 4)
			s := Haggle(ctx)
			if _, h := s.ExportName(FactsOf(ctx).Export); h.End == HungUp {
				verdict.Unsupported("no-entry-by-export-name")
			} else if h.End != Complete {
				verdict.Blocked("interop.server.export-name", "entering-transmission-phase", h)
			}
			data := s.Write(b, Pattern(5, 2*b))

			Expect(s.Do(ReadOf(b, 2*b))).To(BeReply(AsSimpleReply(), WithData(data)))
			Expect(s.Do(ReadOf(2*b, b))).To(BeReply(AsSimpleReply(), WithData(data[b:])))
		})
})

// compactForms are the modes in which a session has simple replies and, where
// the server has them, structured ones.
func compactForms(ctx context.Context) [][]Mode {
	modes := [][]Mode{nil}
	if FactsOf(ctx).Features[feature.StructuredReply] {
		modes = append(modes, []Mode{StructuredReplies})
	}
	return modes
}

// forms are those and, where the server has them, extended headers.
func forms(ctx context.Context) [][]Mode {
	modes := compactForms(ctx)
	if FactsOf(ctx).Features[feature.ExtendedHeaders] {
		modes = append(modes, []Mode{ExtendedHeaders})
	}
	return modes
}
