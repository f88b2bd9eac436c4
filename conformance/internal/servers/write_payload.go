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

var _ = Describe("The payload of NBD_CMD_WRITE", func() {
	// "C: (*length* bytes of data if the request is of type `NBD_CMD_WRITE`)", in a stream of bytes
	// that knows no packets.
	It("is taken byte by byte", ID("payload.dribbled"),
		MUST("cmd.write.then-reply", "baseline.server.write"),
		Writes(), AtLeast(512),
		TrippedBy(quirk.WriteIncomplete, "differs"),
		func(ctx context.Context) {
			s := Enter(ctx)
			n := Room(ctx, 1)
			s.Write(0, Pattern(1, n))
			data := Pattern(2, n)
			q := wire.Request{Type: wire.CmdWrite, Cookie: 7, Length: n}
			s.Expect(q)

			message := q.Append(nil)
			for _, c := range append(message, data[:64]...) {
				s.Raw([]byte{c})
			}
			s.Raw(data[64:])

			Expect(s.Await(7)).To(BeReply(WithError(wire.OK)))
			Expect(s.Read(0, n)).To(HaveBytes(data))
		})

	// "C: (*length* bytes of data if the request is of type `NBD_CMD_WRITE`)"
	It("is taken in two parts, wherever they are cut", ID("payload.split"),
		MUST("cmd.write.then-reply", "baseline.server.write"),
		Writes(), AtLeast(512),
		TrippedBy(quirk.WriteIncomplete, "differs"),
		func(ctx context.Context) {
			s := Enter(ctx)
			n := Room(ctx, 1)
			for i, cut := range []uint64{1, 4, 24, 27, 28, 29, 28 + n/2, 28 + n - 1} {
				data := Pattern(byte(i), n)
				q := wire.Request{Type: wire.CmdWrite, Cookie: cut, Length: n}
				message := append(q.Append(nil), data...)
				s.Expect(q)

				s.Raw(message[:cut])
				s.Raw(message[cut:])

				Expect(s.Await(cut)).To(BeReply(WithError(wire.OK)), "case.cut-after", cut)
				Expect(s.Read(0, n)).To(HaveBytes(data), "case.cut-after", cut)
			}
		})

	// "the client submits requests and the server sends corresponding replies"
	It("ends where the next request begins", ID("payload.glued"),
		MUST("cmd.write.then-reply", "trans.cookie.echo", "baseline.server.write"),
		Writes(), AtLeast(4*512),
		TrippedBy(quirk.SecondRequestUnanswered, "no answer"),
		func(ctx context.Context) {
			s := Enter(ctx)
			n := Room(ctx, 4)
			want := Pattern(5, 4*n)
			b := s.Batch()
			var cookies []uint64
			for at := uint64(0); at < 4*n; at += n {
				cookies = append(cookies, b.Add(wire.Request{Type: wire.CmdWrite, Offset: at, Length: n}, want[at:at+n]...))
			}

			b.Send()

			for _, c := range cookies {
				Expect(s.Await(c)).To(BeReply(WithError(wire.OK)))
			}
			Expect(s.Read(0, 4*n)).To(HaveBytes(want))
		})

	// "If size constraints have not been advertised or agreed on externally, then a server SHOULD support
	// [...] a maximum payload size that is at least 2^25 (33,554,432)"
	It("is as long as 2^25 bytes where no smaller maximum is advertised", ID("payload.default-maximum"),
		SHOULD("size.default.max-payload"),
		Writes(), AtLeast(1<<20),
		TrippedBy(quirk.WriteSmallMaximum, "want a reply with success"),
		func(ctx context.Context) {
			s := Enter(ctx)
			if s.Constraints.MaxPayload < wire.DefaultMaxPayload {
				verdict.Unsupported("needs-maximum-payload-2-25", s.Constraints.MaxPayload)
			}
			n := FactsOf(ctx).Largest()
			data := Pattern(6, n)

			r := s.Do(wire.Request{Type: wire.CmdWrite, Length: n}, data...)

			Expect(r).To(BeReply(WithError(wire.OK)))
			Expect(s.Read(0, n)).To(HaveBytes(data))
		})

	// "The maximum payload size represents the maximum payload length that the server is willing to handle
	// in one request from the client."
	It("is as long as the advertised maximum", ID("payload.maximum"),
		MUST("cmd.write.then-reply", "baseline.server.write"),
		Needs(feature.BlockSize), Writes(), AtLeast(512),
		TrippedBy(quirk.WriteIncomplete, "differs"), TrippedBy(quirk.WriteAcrossENOSPC, "got NBD_ENOSPC"),
		TrippedBy(quirk.WriteLongEPERM, "got NBD_EPERM"),
		func(ctx context.Context) {
			s := Enter(ctx)
			Room(ctx, 1)
			n := FactsOf(ctx).Largest()
			for seed := range byte(2) {
				data := Pattern(seed, n)

				r := s.Do(wire.Request{Type: wire.CmdWrite, Length: n}, data...)

				Expect(r).To(BeReply(WithError(wire.OK)))
				Expect(s.Read(0, n)).To(HaveBytes(data))
			}
		})

	// "the client MUST NOT request a length larger than the maximum payload size"
	It("does no harm when it is longer than the advertised maximum", ID("payload.too-long"),
		MUST("layout.write.range", "trans.cookie.echo"),
		Needs(feature.BlockSize), Writes(), Provokes("size.client.max-payload"),
		TrippedBy(quirk.UnalignedTorn, "differs"),
		func(ctx context.Context) {
			block := Room(ctx, 3)
			s, first := Stored(ctx, 0, Pattern(1, block))
			n := (uint64(s.Constraints.MaxPayload)/block + 1) * block
			if n+block > s.Size || n > wire.DefaultMaxPayload {
				verdict.Unsupported("needs-small-maximum-payload", s.Constraints.MaxPayload)
			}

			r := s.Do(wire.Request{Type: wire.CmdWrite, Offset: block, Length: n}, Pattern(2, n)...)

			Expect(r).To(BeReplyOrEnd())
			Expect(s.InStepOrGone()).To(BeInStep())
			Observe(ctx, "NBD_CMD_WRITE beyond the maximum payload size", "%v, %v", r.End, r.Error)
			s.Leave()
			Expect(Enter(ctx).Read(0, block)).To(HaveBytes(first))
		})

	// "When allowing clients that did not negotiate sizing via NBD, a server that enforces stricter size
	// constraints than the defaults MUST cleanly error commands that fall outside the constraints without
	// corrupting data", and "any payload not exceeding 2^25 (33,554,432) bytes SHOULD NOT be considered a
	// denial of service attack, even if that length is larger than the advertised maximum payload size".
	It("is refused cleanly when it is too long for a server that let the client in without sizing",
		ID("payload.too-long.unnegotiated"),
		MUST("size.enforce.clean", "size.dos.limit.server"),
		Needs(feature.BlockSize), Writes(),
		TrippedBy(quirk.UnalignedTorn, "differs"), TrippedBy(quirk.WriteLongHangup, "the server ended the connection"),
		func(ctx context.Context) {
			maximum := uint64(FactsOf(ctx).Constraints.MaxPayload)
			s := EnterUnsized(ctx)
			block := Room(ctx, 3)
			n := (maximum/block + 1) * block
			if n+block > s.Size || n > wire.DefaultMaxPayload {
				verdict.Unsupported("needs-small-maximum-payload", maximum)
			}
			first := s.Write(0, Pattern(1, block))
			data := Pattern(2, n)

			r := s.Do(wire.Request{Type: wire.CmdWrite, Offset: block, Length: n}, data...)

			Expect(r).To(BeReply())
			Expect(s.InStep()).To(BeInStep())
			Expect(s.Read(0, block)).To(HaveBytes(first))
			if r.OK() {
				Expect(s.Read(n, block)).To(HaveBytes(data[n-block:]))
			}
		})

	// "The client and the server MUST NOT initiate any form of disconnect other than in one of the above
	// circumstances": a client does so here, and the others must not suffer for it.
	It("may stay incomplete without harm to other clients", ID("payload.abandoned"),
		MUST("layout.write.range", "baseline.server.write"),
		Writes(), AtLeast(3*512), Provokes("trans.end.unjustified.client"),
		TrippedBy(quirk.WriteAbandonedBlocks, "no answer"),
		func(ctx context.Context) {
			n := Room(ctx, 3)
			s, want := Stored(ctx, 0, Pattern(1, 3*n))

			q := wire.Request{Type: wire.CmdWrite, Offset: n, Length: n}
			s.Raw(append(q.Append(nil), Pattern(2, n/2)...))
			s.Close()

			s = Enter(ctx)
			got := s.Read(0, 3*n)
			Expect(got[:n]).To(HaveBytes(want[:n]))
			Expect(got[2*n:]).To(HaveBytes(want[2*n:]))
			fresh := s.Write(n, Pattern(3, n))
			Expect(s.Read(n, n)).To(HaveBytes(fresh))
		})
})
