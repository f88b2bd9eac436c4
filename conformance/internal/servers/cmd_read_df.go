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

var _ = Describe("NBD_CMD_FLAG_DF", func() {
	// "If this flag is set, the server MUST send at most one content chunk"; "the server
	// MUST support unfragmented reads in which the client's request length does not exceed
	// 65,536 bytes".
	It("brings up to 65536 bytes in one content chunk", ID("df.one-content"),
		MUST("cmdflag.df.one-content", "cmdflag.df.minimum"),
		Needs(feature.StructuredReply, feature.DF),
		TrippedBy(quirk.DFFragmented, "cmdflag.df.one-content"),
		TrippedBy(quirk.DFOverflowEarly, "cmdflag.df.minimum"),
		func(ctx context.Context) {
			b := Room(ctx, 1)
			longest := min(wire.UnfragmentedRead, FactsOf(ctx).Largest()) / b * b
			s := Enter(ctx, StructuredReplies)

			for _, n := range []uint64{b, longest / 2 / b * b, longest} {
				if n > 0 {
					Expect(s.Do(unfragmented(0, n))).To(BeReply(InOnePiece(), WithLength(n)))
				}
			}
		})

	// "If the area being read contains both data and a hole, the server MUST use
	// NBD_REPLY_TYPE_OFFSET_DATA with the zeroes explicitly present."
	It("spells out the zeroes of holes beside data", ID("df.data"),
		MUST("cmdflag.df.data", "cmdflag.df.one-content"),
		Needs(feature.StructuredReply, feature.DF), Writes(),
		TrippedBy(quirk.DFHole, "differs"),
		TrippedBy(quirk.DFFragmented, "cmdflag.df.one-content"),
		func(ctx context.Context) {
			b := max(4096, Room(ctx, 4)) // what storage can punch holes for
			if f := FactsOf(ctx); 4*b > min(wire.UnfragmentedRead, f.Largest()) {
				b = Room(ctx, 4)
			}
			s := Enter(ctx, StructuredReplies)
			want := s.Zero(0, 4*b)
			copy(want[b:], s.Write(b, Pattern(6, b)))
			copy(want[3*b:], s.Write(3*b, Pattern(7, b)))

			for _, r := range [][2]uint64{{0, 2}, {1, 3}, {2, 4}, {1, 4}} {
				from, to := r[0]*b, r[1]*b
				if to-from > wire.UnfragmentedRead {
					continue
				}
				Expect(s.Do(unfragmented(from, to-from))).To(BeReply(InOnePiece(), WithData(want[from:to])))
			}
		})

	// "A server MAY reject a client's request with the error NBD_EOVERFLOW if the length is
	// too large to send without fragmentation, in which case it MUST NOT send a content
	// chunk".
	It("brings more than 65536 bytes in one content chunk, or none of them", ID("df.long"),
		MUST("cmdflag.df.eoverflow.no-content", "cmdflag.df.one-content"),
		Needs(feature.StructuredReply, feature.DF),
		TrippedBy(quirk.DFOverflowWithContent, "cmdflag.df.eoverflow.no-content"),
		TrippedBy(quirk.DFFragmented, "cmdflag.df.one-content"),
		func(ctx context.Context) {
			b := Room(ctx, 1)
			f := FactsOf(ctx)
			if f.Largest() < wire.UnfragmentedRead+b {
				verdict.Unsupported("needs-export-above-65536")
			}
			s := Enter(ctx, StructuredReplies)

			for _, n := range []uint64{wire.UnfragmentedRead + b, f.Largest()} {
				r := s.Do(unfragmented(0, n))

				Observe(ctx, "NBD_CMD_FLAG_DF and more than 65536 bytes", "%d bytes: %v", n, r.Error)
				if r.OK() {
					Expect(r).To(BeReply(InOnePiece(), WithLength(n)))
				} else {
					Expect(r).To(BeReply(WithAnyError()))
				}
			}
			Expect(s.InStep()).To(BeInStep())
		})

	// "MUST NOT be set unless the transmission flags include NBD_FLAG_SEND_DF", and the
	// server "SHOULD return NBD_EINVAL if it receives a request with a flag not explicitly
	// documented as applicable to the given request".
	It("is refused where it is not advertised", ID("df.unadvertised"),
		SHOULD("err.inapplicable-flag"),
		Without(feature.GetLBAStatus),
		Provokes("cmdflag.df.needs-flag"),
		TrippedBy(quirk.InapplicableFlagAccepted, "want a reply with NBD_EINVAL"),
		func(ctx context.Context) {
			b := Room(ctx, 1)
			s := Enter(ctx) // without structured replies it can't be advertised

			Expect(s.Do(unfragmented(0, b))).To(BeReplyOrEnd(WithError(wire.EINVAL)))
			Expect(s.InStepOrGone()).To(BeInStep())
		})

	// "The server MUST set this transmission flag to 1 if the NBD_CMD_READ request supports
	// the NBD_CMD_FLAG_DF flag": one that is clear stands for a flag that is refused.
	It("is refused where it could be advertised, and is not", ID("df.hidden"),
		SHOULD("err.inapplicable-flag", "flag.transmission.send-df"),
		Needs(feature.StructuredReply), Without(feature.DF),
		Provokes("cmdflag.df.needs-flag"),
		TrippedBy(quirk.FlagsDFHidden, "got success"),
		func(ctx context.Context) {
			b := Room(ctx, 1)
			s := Enter(ctx, StructuredReplies)

			Expect(s.Do(unfragmented(0, b))).To(BeReplyOrEnd(AsChunks(), WithError(wire.EINVAL)))
			Expect(s.InStepOrGone()).To(BeInStep())
		})
})

// unfragmented is a read with NBD_CMD_FLAG_DF.
func unfragmented(offset, n uint64) wire.Request {
	q := ReadOf(offset, n)
	q.Flags = wire.CmdFlagDF
	return q
}
