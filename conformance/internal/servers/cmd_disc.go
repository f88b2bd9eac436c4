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

var _ = Describe("NBD_CMD_DISC", func() {
	// "There is no reply to an NBD_CMD_DISC", and "the server MUST [...] close the TCP
	// session".
	It("closes the connection without a reply", ID("disc.close"),
		MUST("cmd.disc.close", "layout.disc.no-reply", "baseline.server.disc"),
		TrippedBy(quirk.DiscIgnored, "the connection stayed open"),
		TrippedBy(quirk.DiscAnswered, "layout.disc.no-reply"),
		func(ctx context.Context) {
			b := Room(ctx, 1)
			for _, mode := range forms(ctx) {
				s := Enter(ctx, mode...)
				Expect(s.Do(ReadOf(0, b))).To(BeReply())

				Expect(s.Disconnect()).To(BeEnded())
			}
		})

	// "The client MAY issue a soft disconnect at any time"
	It("may be the first request", ID("disc.first"),
		MUST("cmd.disc.close", "layout.disc.no-reply"),
		TrippedBy(quirk.DiscIgnored, "the connection stayed open"),
		TrippedBy(quirk.DiscAnswered, "layout.disc.no-reply"),
		func(ctx context.Context) {
			for range 8 { // threads that wait for requests race each other to it
				for _, mode := range forms(ctx) {
					Expect(Enter(ctx, mode...).Disconnect()).To(BeEnded())
				}
			}
		})

	// "A disconnect request. The server MUST handle all outstanding requests [...] and close
	// the TCP session." That they succeed, it does not say.
	It("waits for the replies to the requests before it", ID("disc.outstanding"),
		MUST("cmd.disc.outstanding"),
		Provokes("trans.end.soft.inflight"),
		TrippedBy(quirk.DiscDropsOutstanding, "cmd.disc.outstanding"),
		func(ctx context.Context) {
			b := Room(ctx, 8)
			for _, mode := range forms(ctx) {
				s := Enter(ctx, mode...)
				batch, cookies := s.Batch(), []uint64(nil)
				for i := range uint64(8) {
					cookies = append(cookies, batch.Add(ReadOf(i*b, b)))
				}
				batch.Add(wire.Request{Type: wire.CmdDisc})

				batch.Send()

				for _, c := range cookies {
					r := s.Await(c)
					Expect(r).To(BeReply())
					Observe(ctx, "read in flight at NBD_CMD_DISC", "%v", r.Error)
				}
				s.Close()
			}
		})

	// "The server MUST handle all outstanding requests": the last chunk of a reply has
	// NBD_REPLY_FLAG_DONE, also if nothing comes behind it.
	It("leaves no reply unfinished", ID("disc.unfinished"),
		MUST("chunk.flag.done-last"),
		Needs(feature.StructuredReply),
		Provokes("trans.end.soft.inflight"),
		TrippedBy(quirk.ReadNeverDone, "chunk.flag.done-last"),
		func(ctx context.Context) {
			b := Room(ctx, 8)
			s := Enter(ctx, StructuredReplies)
			batch := s.Batch()
			cookie := batch.Add(ReadOf(0, 8*b))
			batch.Add(wire.Request{Type: wire.CmdDisc})

			batch.Send()

			r := s.Await(cookie)
			if r.End != HungUp || len(r.Chunks) > 0 { // whether a reply is due at all is disputed
				Expect(r).To(BeReply())
			}
			s.Close()
		})

	// "The server MUST handle all outstanding requests": with NBD_CMD_FLAG_FUA and
	// NBD_FLAG_CAN_MULTI_CONN what was written is there for the next connection.
	It("waits for the effect of the writes before it", ID("disc.outstanding-writes"),
		MUST("cmd.disc.outstanding"),
		Needs(feature.FUA, feature.MultiConn), Writes(),
		Provokes("trans.end.soft.inflight"),
		TrippedBy(quirk.DiscDropsOutstanding, "cmd.disc.outstanding"),
		TrippedBy(quirk.WriteLost, "differs"),
		func(ctx context.Context) {
			b := Room(ctx, 8)
			for _, seed := range []byte{17, 18} { // what stood there may be the first pattern
				s := Enter(ctx)
				data := Pattern(seed, b)
				batch, cookies := s.Batch(), []uint64(nil)
				for i := range uint64(8) {
					q := wire.Request{Type: wire.CmdWrite, Flags: wire.CmdFlagFUA, Offset: i * b, Length: b}
					cookies = append(cookies, batch.Add(q, data...))
				}
				batch.Add(wire.Request{Type: wire.CmdDisc})

				batch.Send()

				written := make([]bool, len(cookies))
				for i, c := range cookies {
					r := s.Await(c)
					Expect(r).To(BeReply())
					written[i] = r.OK()
				}
				s.Close()
				next := Enter(ctx)
				for i := range uint64(8) {
					if written[i] {
						Expect(next.Read(i*b, b)).To(HaveBytes(data))
					}
				}
			}
		})

	// "The values of the length and offset fields in a disconnect request MUST be zero."
	// There is no reply that could say so, and the server may hang up in any case.
	It("closes the connection also with a range, which it should not have", ID("disc.range"),
		MUST("cmd.disc.close", "layout.disc.no-reply"),
		Provokes("cmd.disc.zero"),
		TrippedBy(quirk.DiscRangeIgnored, "the connection stayed open"),
		TrippedBy(quirk.DiscAnswered, "layout.disc.no-reply"),
		func(ctx context.Context) {
			for _, q := range []wire.Request{
				{Type: wire.CmdDisc, Length: 512}, {Type: wire.CmdDisc, Offset: 512}, {Type: wire.CmdDisc, Offset: 1 << 63, Length: 1<<32 - 1},
			} {
				s := Enter(ctx)
				batch := s.Batch()
				batch.Add(q)

				batch.Send()

				Expect(s.End()).To(BeEnded())
			}
		})

	// "The server SHOULD return NBD_EINVAL if it receives an unknown command flag", and
	// "there is no reply to an NBD_CMD_DISC".
	It("may close the connection or not with a flag that nobody knows", ID("disc.unknown-flag"),
		MAY("trans.end.violation.server"),
		Provokes("cmdflag.documented"),
		func(ctx context.Context) {
			s := Enter(ctx)
			batch := s.Batch()
			batch.Add(wire.Request{Type: wire.CmdDisc, Flags: 1 << 15})

			batch.Send()
			h := s.End()

			Observe(ctx, "NBD_CMD_DISC with an unknown flag", "%v", h)
		})
})
