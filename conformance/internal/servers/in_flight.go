package servers

import (
	"context"
	"fmt"

	. "github.com/onsi/ginkgo/v2"

	. "nbdconform/conformance/internal/expect"
	. "nbdconform/conformance/internal/match"
	. "nbdconform/conformance/internal/session"
	. "nbdconform/conformance/internal/spec"
	quirk "nbdconform/reference/quirk/server"
	"nbdconform/reference/wire"
)

var _ = Describe("Requests in flight", func() {
	// "Replies need not be sent in the same order as requests (i.e., requests may be handled
	// by the server asynchronously)", but each is answered, and once.
	for _, n := range []uint64{2, 16, 64} {
		It(fmt.Sprintf("are each answered with their own data, %d of them", n), ID(fmt.Sprintf("in-flight.reads-%d", n)),
			MUST("trans.cookie.echo", "baseline.server.read"),
			Writes(),
			TrippedBy(quirk.RepliesCrossed, "differs"),
			TrippedBy(quirk.SecondRequestUnanswered, "no answer within"),
			TrippedBy(quirk.ReplyTwice, "trans.cookie.echo"),
			func(ctx context.Context) {
				b := Room(ctx, n)
				for _, mode := range forms(ctx) {
					s := Enter(ctx, mode...)
					for at := range n { // block by block: they are to differ
						s.Write(at*b, Pattern(byte(at*5), b))
					}
					batch, cookies := s.Batch(), make([]uint64, n)
					for at := range n {
						cookies[at] = batch.Add(ReadOf(at*b, b))
					}

					batch.Send()

					for at := range n {
						Expect(s.Await(cookies[at])).To(BeReply(WithData(Pattern(byte(at*5), b))))
					}
					Expect(s.InStep()).To(BeInStep())
				}
			})
	}

	// "The server MAY process commands out of order, and MAY reply out of order"
	It("may be answered in another order", ID("in-flight.order"),
		MAY("trans.order.reply"),
		func(ctx context.Context) {
			b := Room(ctx, 16)
			s := Enter(ctx)
			batch, cookies := s.Batch(), []uint64(nil)
			for i := range uint64(32) {
				n := b
				if i%8 == 0 {
					n = 16 * b
				}
				cookies = append(cookies, batch.Add(ReadOf(0, n)))
			}

			batch.Send()

			overtaken := 0
			for i, c := range cookies {
				r := s.Await(c)
				Expect(r).To(BeReply())
				if r.Order <= i {
					overtaken++
				}
			}
			Observe(ctx, "order of replies", "%d of %d replies came before their turn", overtaken, len(cookies))
		})

	// "requests may be handled by the server asynchronously", whatever they are.
	It("may be of all commands", ID("in-flight.mixed"),
		MUST("trans.cookie.echo", "baseline.server.read", "baseline.server.write"),
		Writes(),
		TrippedBy(quirk.SecondRequestUnanswered, "no answer within"),
		TrippedBy(quirk.ReplyTwice, "trans.cookie.echo"),
		func(ctx context.Context) {
			b := Room(ctx, 12)
			for _, mode := range forms(ctx) {
				s := Enter(ctx, mode...)
				old := s.Write(0, Pattern(12, 4*b))
				var reads, others []uint64
				batch := s.Batch()
				for i := range uint64(4) {
					reads = append(reads, batch.Add(ReadOf(i*b, b)))
					q := wire.Request{Type: wire.CmdWrite, Offset: (4 + i) * b, Length: b}
					others = append(others, batch.Add(q, Pattern(13, b)...))
					if s.Flags&wire.FlagSendFlush != 0 {
						others = append(others, batch.Add(wire.Request{Type: wire.CmdFlush}))
					}
					if s.Flags&wire.FlagSendTrim != 0 {
						others = append(others, batch.Add(wire.Request{Type: wire.CmdTrim, Offset: 8 * b, Length: b}))
					}
					if s.Flags&wire.FlagSendWriteZeroes != 0 {
						others = append(others, batch.Add(wire.Request{Type: wire.CmdWriteZeroes, Offset: 10 * b, Length: b}))
					}
				}

				batch.Send()

				for _, c := range others {
					Expect(s.Await(c)).To(BeReply(WithError(wire.OK)))
				}
				for i, c := range reads {
					at := uint64(i) * b
					Expect(s.Await(c)).To(BeReply(WithData(old[at : at+b])))
				}
				Expect(s.InStep()).To(BeInStep())
			}
		})

	// "In this way, the client can correlate which request is receiving a response", and
	// what became of one says nothing of the others.
	It("are not touched by the failure of one among them", ID("in-flight.errors"),
		MUST("trans.cookie.echo", "layout.reply.magic"),
		Writes(),
		Provokes("size.bounds.client", "baseline.client.negotiate", "cmdflag.documented"),
		TrippedBy(quirk.RepliesCrossed, "differs"),
		TrippedBy(quirk.ReadErrorWithPayload, "layout.reply.magic"),
		func(ctx context.Context) {
			b := Room(ctx, 8)
			for _, mode := range forms(ctx) {
				s := Enter(ctx, mode...)
				data := s.Write(0, Pattern(14, 8*b))
				wrong := []wire.Request{
					ReadOf(FactsOf(ctx).Last()+b, b),
					{Type: 255, Length: b},
					{Type: wire.CmdRead, Flags: 1 << 15, Length: b},
				}
				var good, bad []uint64
				batch := s.Batch()
				for i := range uint64(8) {
					good = append(good, batch.Add(ReadOf(i*b, b)))
					bad = append(bad, batch.Add(wrong[i%3]))
				}

				batch.Send()

				for i, c := range good {
					at := uint64(i) * b
					Expect(s.Await(c)).To(BeReplyOrEnd(WithData(data[at : at+b])))
				}
				for _, c := range bad {
					Expect(s.Await(c)).To(BeReplyOrEnd())
				}
				Expect(s.InStepOrGone()).To(BeInStep())
			}
		})

	// "requests may be handled by the server asynchronously": where nobody takes the replies
	// for a while, the connection holds the server up, and nothing gets lost.
	It("may ask for more than the connection holds", ID("in-flight.large"),
		MUST("baseline.server.read", "trans.cookie.echo"),
		Writes(), AtLeast(8<<20),
		TrippedBy(quirk.RepliesCrossed, "differs"),
		TrippedBy(quirk.ReadSmallMaximum, "NBD_EINVAL"),
		func(ctx context.Context) {
			b := Room(ctx, 1)
			piece := min(FactsOf(ctx).Largest(), 1<<20) / b * b
			for _, mode := range forms(ctx) {
				s := Enter(ctx, mode...)
				for at := range uint64(8) {
					s.Write(at*piece, Pattern(byte(at*3), piece))
				}
				batch, cookies := s.Batch(), []uint64(nil)
				for i := range uint64(24) {
					cookies = append(cookies, batch.Add(ReadOf(i%8*piece, piece)))
				}

				batch.Send()

				for i, c := range cookies {
					Expect(s.Await(c)).To(BeReply(WithData(Pattern(byte(i%8*3), piece))))
				}
				Expect(s.InStep()).To(BeInStep())
			}
		})
})
