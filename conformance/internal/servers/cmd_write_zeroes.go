package servers

import (
	"context"
	"math"

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

var _ = Describe("NBD_CMD_WRITE_ZEROES", func() {
	// "The server MUST zero out the data on disk, and then send the reply message."
	It("makes its range read as zeroes", ID("zeroes.reads-zero"),
		MUST("cmd.write-zeroes.then-reply", "cmd.write-zeroes.reads-zero", "flag.transmission.unsupported"),
		Needs(feature.WriteZeroes), Writes(), AtLeast(512),
		TrippedBy(quirk.ZeroesLost, "differs"), TrippedBy(quirk.ZeroesTrimmedToGarbage, "differs"),
		TrippedBy(quirk.WriteZeroesAdvertisedOnly, "want a reply with success"),
		func(ctx context.Context) {
			s := Enter(ctx)
			n := Room(ctx, 1)
			s.Write(0, Pattern(1, n))

			r := s.Do(wire.Request{Type: wire.CmdWriteZeroes, Length: n})

			Expect(r).To(BeReply(WithError(wire.OK)))
			Expect(s.Read(0, n)).To(HaveBytes(make([]byte, n)))
		})

	// "*Offset* and *length* define the location and amount of data to be zeroed."
	It("leaves the blocks on both sides alone", ID("zeroes.neighbours"),
		MUST("layout.write-zeroes.range"),
		Needs(feature.WriteZeroes), Writes(), AtLeast(3*512),
		TrippedBy(quirk.ZeroesRoundedOut, "differs"),
		func(ctx context.Context) {
			s := Enter(ctx)
			n := Room(ctx, 3)
			want := s.Write(0, Pattern(1, 3*n))

			copy(want[n:], zero(s, n, n))

			Expect(s.Read(0, 3*n)).To(HaveBytes(want))
		})

	// The same, where the range is no whole number of whatever the storage is made of.
	It("zeroes ranges that start and end within blocks", ID("zeroes.odd-ranges"),
		MUST("layout.write-zeroes.range", "cmd.write-zeroes.reads-zero"),
		Needs(feature.WriteZeroes), Writes(), AtLeast(256<<10),
		TrippedBy(quirk.ZeroesRoundedIn, "differs"), TrippedBy(quirk.ZeroesRoundedOut, "differs"),
		func(ctx context.Context) {
			s := Enter(ctx)
			s.Fine()
			want := s.Write(0, Pattern(1, 256<<10))

			for _, r := range []struct{ at, n uint64 }{
				{0, 1}, {2, 509}, {1023, 2}, {4095, 4098}, {12289, 1}, {16385, 65535}, {131071, 98306}, {262143, 1},
			} {
				copy(want[r.at:], zero(s, r.at, r.n))
			}

			Expect(s.Read(0, 256<<10)).To(HaveBytes(want))
		})

	// The same.
	It("reaches the last block of the export", ID("zeroes.last-block"),
		MUST("layout.write-zeroes.range", "cmd.write-zeroes.reads-zero"),
		Needs(feature.WriteZeroes), Writes(), AtLeast(512),
		TrippedBy(quirk.ZeroesLost, "differs"),
		func(ctx context.Context) {
			s := Enter(ctx)
			n, last := Room(ctx, 1), FactsOf(ctx).Last()
			s.Write(last, Pattern(1, n))

			want := zero(s, last, n)

			Expect(s.Read(last, n)).To(HaveBytes(want))
		})

	// "The server MAY [...] use trimming to zero out the area, [...] but it MUST ensure that the data reads
	// back as zero."
	It("and NBD_CMD_WRITE take turns on the same range", ID("zeroes.overwritten"),
		MUST("cmd.write-zeroes.reads-zero", "cmd.write.then-reply"),
		Needs(feature.WriteZeroes), Writes(), AtLeast(8*512),
		TrippedBy(quirk.ZeroesLost, "differs"), TrippedBy(quirk.WriteLost, "differs"),
		func(ctx context.Context) {
			s := Enter(ctx)
			n := Room(ctx, 8)
			want := s.Write(0, Pattern(1, 8*n))

			copy(want[n:], zero(s, n, 6*n))
			copy(want[3*n:], s.Write(3*n, Pattern(2, 2*n)))
			copy(want[4*n:], zero(s, 4*n, 2*n))
			copy(want[5*n:], s.Write(5*n, Pattern(3, n)))

			Expect(s.Read(0, 8*n)).To(HaveBytes(want))
		})

	// The same, for more than any buffer holds.
	It("zeroes the whole export at once", ID("zeroes.whole"),
		MUST("cmd.write-zeroes.reads-zero", "cmd.write-zeroes.then-reply"),
		Needs(feature.WriteZeroes), Writes(), AtLeast(512),
		TrippedBy(quirk.ZeroesLost, "differs"), TrippedBy(quirk.ZeroesTrimmedToGarbage, "differs"),
		func(ctx context.Context) {
			s := Enter(ctx)
			n := Room(ctx, 1)
			end := s.Size / n * n
			if end > 1<<28 {
				verdict.Unsupported("would-zero-all-bytes", s.Size)
			}
			places := []uint64{0, end / 2 / n * n, end - n}
			for _, at := range places {
				s.Write(at, Pattern(1, n))
			}

			r := s.Do(wire.Request{Type: wire.CmdWriteZeroes, Length: end})

			if (r.Error == wire.EOVERFLOW || r.Error == wire.EINVAL) && end > uint64(s.Constraints.MaxPayload) {
				verdict.Unsupported("refuses-above-maximum-payload", r)
			}
			Expect(r).To(BeReply(WithError(wire.OK)))
			for _, at := range places {
				Expect(s.Read(at, n)).To(HaveBytes(make([]byte, n)), "case.offset", at)
			}
		})

	// The same, beyond the 64 MiB that buffers and drivers often stop at, from and to places within blocks of
	// the storage.
	It("zeroes more than 64 MiB at once, and nothing around", ID("zeroes.long-range"),
		MUST("cmd.write-zeroes.reads-zero", "layout.write-zeroes.range"),
		Needs(feature.WriteZeroes), Writes(), AtLeast(80<<20),
		TrippedBy(quirk.ZeroesCapped, "differs"),
		func(ctx context.Context) {
			s := Enter(ctx)
			n := Room(ctx, 1)
			from, to := n, 72<<20/n*n+n
			places := map[uint64]bool{0: false, from: true, 32 << 20 / n * n: true, 64 << 20 / n * n: true, to - n: true, to: false}
			for at := range places {
				s.Write(at, Pattern(1, n))
			}

			r := s.Do(wire.Request{Type: wire.CmdWriteZeroes, Offset: from, Length: to - from})

			if (r.Error == wire.EOVERFLOW || r.Error == wire.EINVAL) && to-from > uint64(s.Constraints.MaxPayload) {
				verdict.Unsupported("refuses-above-maximum-payload", r)
			}
			Expect(r).To(BeReply(WithError(wire.OK)))
			for at, zeroed := range places {
				want := Pattern(1, n)
				if zeroed {
					clear(want)
				}
				Expect(s.Read(at, n)).To(HaveBytes(want), "case.offset", at)
			}
		})

	// "the client MAY request an effect length larger than the maximum payload size; the server SHOULD NOT
	// disconnect, but MAY reply with an `NBD_EOVERFLOW` or `NBD_EINVAL` error"
	It("is answered where it is longer than the maximum payload size", ID("zeroes.long"),
		SHOULD("size.effect.disconnect"),
		Needs(feature.WriteZeroes), Writes(),
		TrippedBy(quirk.ZeroesLongHangup, "the server ended the connection"),
		func(ctx context.Context) {
			s := Enter(ctx)
			n := Room(ctx, 1)
			long := (uint64(s.Constraints.MaxPayload)/n + 1) * n
			if long > min(s.Size, math.MaxUint32) {
				verdict.Unsupported("needs-room-above-maximum-payload", s.Constraints.MaxPayload)
			}

			r := s.Do(wire.Request{Type: wire.CmdWriteZeroes, Length: long})

			Expect(r).To(BeReply(WithError(wire.OK, wire.EOVERFLOW, wire.EINVAL)))
			Observe(ctx, "NBD_CMD_WRITE_ZEROES beyond the maximum payload size", "%v", r.Error)
		})

	// "bit 6, `NBD_FLAG_SEND_WRITE_ZEROES`: exposes support for `NBD_CMD_WRITE_ZEROES` and
	// `NBD_CMD_FLAG_NO_HOLE`"; "it MUST ensure that the data reads back as zero".
	It("reads as zeroes with NBD_CMD_FLAG_NO_HOLE", ID("zeroes.no-hole"),
		MUST("cmdflag.no-hole.support", "cmd.write-zeroes.reads-zero"),
		Needs(feature.WriteZeroes), Writes(), AtLeast(512),
		TrippedBy(quirk.NoHoleRejected, "want a reply with success"), TrippedBy(quirk.ZeroesLost, "differs"),
		func(ctx context.Context) {
			s := Enter(ctx)
			n := Room(ctx, 1)
			s.Write(0, Pattern(1, n))

			r := s.Do(wire.Request{Type: wire.CmdWriteZeroes, Flags: wire.CmdFlagNoHole, Length: n})

			Expect(r).To(BeReply(WithError(wire.OK)))
			Expect(s.Read(0, n)).To(HaveBytes(make([]byte, n)))
		})

	// "the client MAY set the command flag `NBD_CMD_FLAG_NO_HOLE` to inform the server that the area MUST be
	// fully provisioned". A status of NBD_STATE_HOLE afterwards speaks against that and does not refute it:
	// "the server MAY report a hole even where `NBD_CMD_TRIM` has not been requested".
	It("tells what it makes of NBD_CMD_FLAG_NO_HOLE", ID("zeroes.no-hole.status"),
		MAY("cmdflag.no-hole.provision"),
		Needs(feature.WriteZeroes, feature.BaseAllocation), Writes(), AtLeast(1<<17),
		func(ctx context.Context) {
			s := Enter(ctx, BaseAllocation)
			const n = 1 << 17
			s.Write(0, Pattern(1, n))

			r := s.Do(wire.Request{Type: wire.CmdWriteZeroes, Flags: wire.CmdFlagNoHole, Length: n})

			Expect(r).To(BeReply(WithError(wire.OK)))
			first := s.Status(0, n, 0)[0]
			Observe(ctx, "status after NBD_CMD_FLAG_NO_HOLE", "%v", wire.StateFlags(first.Status))
		})

	// "The client SHOULD NOT request a write length of 0; the behavior of a server on such a request is
	// unspecified although the server SHOULD NOT disconnect."
	It("stays connected at a length of 0", ID("zeroes.zero-length"),
		SHOULD("cmd.write-zeroes.zero-length.stay"),
		Needs(feature.WriteZeroes), Writes(), Provokes("cmd.write-zeroes.zero-length"),
		TrippedBy(quirk.ZeroesZeroLengthHangup, "the server ended the connection"),
		func(ctx context.Context) {
			s := Enter(ctx)

			r := s.Do(wire.Request{Type: wire.CmdWriteZeroes})

			Expect(r).To(BeReply())
			Expect(s.InStep()).To(BeInStep())
			Observe(ctx, "NBD_CMD_WRITE_ZEROES of 0 bytes", "%v", r.Error)
		})

	// "If the server advertised `NBD_FLAG_SEND_FAST_ZERO` but `NBD_CMD_FLAG_FAST_ZERO` is not set, then the
	// server MUST NOT fail with `NBD_ENOTSUP`, even if the operation is no faster"
	It("does not fail with NBD_ENOTSUP without NBD_CMD_FLAG_FAST_ZERO", ID("zeroes.enotsup"),
		MUST("cmd.write-zeroes.enotsup"),
		Needs(feature.WriteZeroes, feature.FastZero), Writes(), AtLeast(512),
		TrippedBy(quirk.ZeroesENOTSUP, "NBD_ENOTSUP"),
		func(ctx context.Context) { slowly(ctx) })

	// "If the server did not advertise `NBD_FLAG_SEND_FAST_ZERO`, then it SHOULD NOT fail with `NBD_ENOTSUP`,
	// regardless of the speed of servicing a request"
	It("does not fail with NBD_ENOTSUP where fast zeroes are not advertised", ID("zeroes.enotsup.unadvertised"),
		SHOULD("cmd.write-zeroes.enotsup.unadvertised"),
		Needs(feature.WriteZeroes), Without(feature.FastZero), Writes(), AtLeast(512),
		TrippedBy(quirk.ZeroesENOTSUP, "NBD_ENOTSUP"),
		func(ctx context.Context) { slowly(ctx) })
})

// zero zeroes n bytes at offset by NBD_CMD_WRITE_ZEROES and returns as many zeroes.
func zero(s *Session, offset, n uint64) []byte {
	r := s.Do(wire.Request{Type: wire.CmdWriteZeroes, Offset: offset, Length: n})
	Expect(r).To(BeReply(WithError(wire.OK)))
	return make([]byte, n)
}

// slowly zeroes without NBD_CMD_FLAG_FAST_ZERO, with and without the other flag of the command.
func slowly(ctx context.Context) {
	s := Enter(ctx)
	n := Room(ctx, 1)
	for _, f := range []wire.CommandFlags{0, wire.CmdFlagNoHole} {
		s.Write(0, Pattern(1, n))

		r := s.Do(wire.Request{Type: wire.CmdWriteZeroes, Flags: f, Length: n})

		Expect(r).To(BeReply(WithoutError(wire.ENOTSUP)))
	}
}
