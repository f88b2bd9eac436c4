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

var _ = Describe("NBD_CMD_FLUSH", func() {
	// "bit 2, `NBD_FLAG_SEND_FLUSH`: exposes support for `NBD_CMD_FLUSH`"; "The server MUST NOT set the flag
	// for features it does not support."
	It("succeeds where it is advertised", ID("flush.succeeds"),
		MUST("flag.transmission.unsupported", "trans.simple.required"),
		Needs(feature.Flush),
		TrippedBy(quirk.FlushAdvertisedOnly, "want a reply with success"), TrippedBy(quirk.FlushUnanswered, "no answer"),
		func(ctx context.Context) {
			s := Enter(ctx)

			r := s.Do(wire.Request{Type: wire.CmdFlush})

			Expect(r).To(BeReply(WithError(wire.OK)))
		})

	// "All write commands [...] that the server completes (i.e. replies to) prior to processing a
	// `NBD_CMD_FLUSH` MUST be written to non-volatile storage prior to replying to that `NBD_CMD_FLUSH`."
	It("keeps what was written before it", ID("flush.after-write"),
		MUST("cmd.flush.persist"),
		Needs(feature.Flush), Writes(), AtLeast(8*512),
		TrippedBy(quirk.FlushDrops, "differs"),
		func(ctx context.Context) {
			s := Enter(ctx)
			n := Room(ctx, 8)
			want := s.Write(0, Pattern(1, 8*n))

			r := s.Do(wire.Request{Type: wire.CmdFlush})

			Expect(r).To(BeReply(WithError(wire.OK)))
			Expect(s.Read(0, 8*n)).To(HaveBytes(want))
		})

	// "The server MAY process commands out of order, and MAY reply out of order"
	It("is answered among writes that are in flight", ID("flush.in-flight"),
		MUST("trans.simple.required", "cmd.write.then-reply"),
		Needs(feature.Flush), Writes(), AtLeast(8*512),
		TrippedBy(quirk.FlushUnanswered, "no answer"),
		func(ctx context.Context) {
			s := Enter(ctx)
			n := Room(ctx, 8)
			want := Pattern(2, 8*n)
			b := s.Batch()
			var cookies []uint64
			for at := uint64(0); at < 8*n; at += n {
				cookies = append(cookies,
					b.Add(wire.Request{Type: wire.CmdWrite, Offset: at, Length: n}, want[at:at+n]...),
					b.Add(wire.Request{Type: wire.CmdFlush}))
			}

			b.Send()

			for _, c := range cookies {
				Expect(s.Await(c)).To(BeReply(WithError(wire.OK)))
			}
			Expect(s.Read(0, 8*n)).To(HaveBytes(want))
		})

	// "For a flush request, *length* and *offset* are reserved, and MUST be set to all-zero." What a server
	// makes of others is up to it; a payload does not follow.
	It("has no payload, whatever its length", ID("flush.range"),
		MAY("trans.end.violation.server", "trans.simple.required"),
		Needs(feature.Flush), Provokes("cmd.flush.zero"),
		TrippedBy(quirk.FlushRangeAsPayload, "no answer"),
		func(ctx context.Context) {
			for _, q := range []wire.Request{
				{Type: wire.CmdFlush, Length: 512}, {Type: wire.CmdFlush, Offset: 512}, {Type: wire.CmdFlush, Offset: 1 << 63, Length: 1 << 31},
			} {
				s := Enter(ctx)

				r := s.Do(q)

				Expect(r).To(BeReplyOrEnd())
				Expect(s.InStepOrGone()).To(BeInStep())
				Observe(ctx, "NBD_CMD_FLUSH with offset and length", "%v, %v", r.End, r.Error)
				s.Leave()
			}
		})
})
