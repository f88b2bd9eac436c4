package servers

import (
	"context"
	"math/rand/v2"

	. "github.com/onsi/ginkgo/v2"

	. "nbdconform/conformance/internal/expect"
	. "nbdconform/conformance/internal/match"
	. "nbdconform/conformance/internal/session"
	. "nbdconform/conformance/internal/spec"
	quirk "nbdconform/reference/quirk/server"
	"nbdconform/reference/wire"
)

var _ = Describe("What an export stores", func() {
	// "The server MAY process commands out of order, and MAY reply out of order"
	It("is what writes in flight wrote, one beside the other", ID("storage.in-flight"),
		MUST("cmd.write.then-reply", "layout.write.range"),
		Writes(), AtLeast(64*512),
		TrippedBy(quirk.WriteLostSometimes, "differs"),
		func(ctx context.Context) {
			s := Enter(ctx)
			n := Room(ctx, 64)
			want := Pattern(1, 64*n)
			var cookies []uint64
			for i := range uint64(64) {
				at := i * 37 % 64 * n // not in order
				cookies = append(cookies, s.Send(wire.Request{Type: wire.CmdWrite, Offset: at, Length: n}, want[at:at+n]...))
			}

			for _, c := range cookies {
				Expect(s.Await(c)).To(BeReply(WithError(wire.OK)))
			}

			Expect(s.Read(0, 64*n)).To(HaveBytes(want))
		})

	// "In each reply message [...], the server MUST use the same value for cookie as was sent by the client in
	// the corresponding request"
	It("is what succeeded, also where requests in flight fail", ID("storage.failures"),
		MUST("cmd.write.then-reply", "trans.cookie.echo", "cmd.write.error"),
		Writes(), AtLeast(16*512), Provokes("size.bounds.client"),
		TrippedBy(quirk.WriteLostSometimes, "differs"), TrippedBy(quirk.WriteErrorHidden, "want a reply with an error"),
		func(ctx context.Context) {
			s := Enter(ctx)
			n := Room(ctx, 16)
			want := Pattern(3, 16*n)
			b := s.Batch()
			var good, bad []uint64
			for at := uint64(0); at < 16*n; at += n {
				good = append(good, b.Add(wire.Request{Type: wire.CmdWrite, Offset: at, Length: n}, want[at:at+n]...))
				bad = append(bad, b.Add(wire.Request{Type: wire.CmdRead, Offset: s.Beyond(), Length: n}))
			}
			bad = append(bad, b.Add(wire.Request{Type: wire.CmdWrite, Offset: s.Beyond(), Length: n}, Orders(n)...))

			b.Send()

			for _, c := range bad {
				Expect(s.Await(c)).To(BeReplyOrEnd(WithAnyError()))
			}
			var stored []bool
			for _, c := range good {
				r := s.Await(c)
				Expect(r).To(BeReplyOrEnd(WithError(wire.OK)))
				stored = append(stored, r.OK())
			}
			if !s.InStep().None() {
				return // the server left, as it may; which writes were done is unknown
			}
			for i, ok := range stored {
				if at := uint64(i) * n; ok {
					Expect(s.Read(at, n)).To(HaveBytes(want[at:at+n]), "case.offset", at)
				}
			}
		})

	// "The server MUST write the data to disk, and then send the reply message."; "it MUST ensure that the
	// data reads back as zero".
	It("is what a long run of writes, zeroes and reads leads to", ID("storage.script"),
		MUST("cmd.write.then-reply", "layout.write.range", "cmd.write-zeroes.reads-zero"),
		Writes(), AtLeast(1<<18),
		TrippedBy(quirk.WriteLostSometimes, "differs"), TrippedBy(quirk.ZeroesRoundedIn, "differs"),
		func(ctx context.Context) {
			s := Enter(ctx)
			unit := uint64(s.Constraints.Minimum)
			const window = 1 << 18
			model := s.Write(0, Pattern(1, window))
			dice := rand.New(rand.NewPCG(1, 2)) // the same run every time
			for step := range 200 {
				at := dice.Uint64N(window/unit) * unit
				n := min(1+dice.Uint64N(1+dice.Uint64N(window/unit/4)), (window-at)/unit) * unit
				switch dice.IntN(4) {
				case 0:
					Expect(s.Read(at, n)).To(HaveBytes(model[at:at+n]), "case.step-at-offset", step, at)
				case 1:
					copy(model[at:], s.Zero(at, n))
				default:
					copy(model[at:], s.Write(at, Pattern(byte(step), n)))
				}
			}

			Expect(s.Read(0, window)).To(HaveBytes(model))
		})

	// "The server MUST handle all outstanding requests, shut down the TLS session (if one is running), and
	// close the TCP session." An error is an answer as well.
	It("is told by a reply to every write in flight when the client says goodbye", ID("storage.disc"),
		MUST("cmd.disc.outstanding"),
		Writes(), AtLeast(8*512), Provokes("trans.end.soft.inflight"),
		TrippedBy(quirk.DiscDropsOutstanding, "the server ended the connection"),
		func(ctx context.Context) {
			s := Enter(ctx)
			n := Room(ctx, 8)
			b := s.Batch()
			var cookies []uint64
			for at := uint64(0); at < 8*n; at += n {
				cookies = append(cookies, b.Add(wire.Request{Type: wire.CmdWrite, Offset: at, Length: n}, Pattern(4, n)...))
			}
			b.Add(wire.Request{Type: wire.CmdDisc})

			b.Send()

			errors := map[wire.Errno]int{}
			for _, c := range cookies {
				r := s.Await(c)
				Expect(r).To(BeReply())
				errors[r.Error]++
			}
			Observe(ctx, "writes in flight at NBD_CMD_DISC", "%v", errors)
		})
})
