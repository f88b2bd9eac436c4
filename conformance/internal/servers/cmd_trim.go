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

var _ = Describe("NBD_CMD_TRIM", func() {
	// "bit 5, `NBD_FLAG_SEND_TRIM`: exposes support for `NBD_CMD_TRIM`"; "The server MUST NOT set the flag for
	// features it does not support."
	It("succeeds where it is advertised", ID("trim.succeeds"),
		MUST("flag.transmission.unsupported", "trans.end.unjustified.server"),
		Needs(feature.Trim), Writes(), AtLeast(8*512),
		TrippedBy(quirk.TrimAdvertisedOnly, "want a reply with success"),
		TrippedBy(quirk.TrimHangup, "the server ended the connection"),
		func(ctx context.Context) {
			s := Enter(ctx)
			n := 8 * Room(ctx, 8)
			s.Write(0, Pattern(1, n))

			r := s.Do(wire.Request{Type: wire.CmdTrim, Length: n})

			Expect(r).To(BeReply(WithError(wire.OK)))
			switch left := s.Read(0, n); {
			case Zeroes(left):
				Observe(ctx, "what NBD_CMD_TRIM leaves", "zeroes")
			case string(left) == string(Pattern(1, n)):
				Observe(ctx, "what NBD_CMD_TRIM leaves", "what was there")
			default:
				Observe(ctx, "what NBD_CMD_TRIM leaves", "something else")
			}
		})

	// "A hint to the server that the data defined by length and offset is no longer needed."
	It("leaves the blocks on both sides alone", ID("trim.neighbours"),
		MUST("layout.trim.range"),
		Needs(feature.Trim), Writes(), AtLeast(3*512),
		TrippedBy(quirk.TrimRoundedOut, "differs"),
		func(ctx context.Context) {
			s := Enter(ctx)
			n := Room(ctx, 3)
			want := s.Write(0, Pattern(1, 3*n))

			trim(s, n, n)

			got := s.Read(0, 3*n)
			Expect(got[:n]).To(HaveBytes(want[:n]))
			Expect(got[2*n:]).To(HaveBytes(want[2*n:]))
		})

	// "A server [...] MAY round *offset* up and *length* down to meet internal alignment constraints so that
	// only a portion of the client's request is actually discarded."
	It("rounds inwards, not outwards", ID("trim.odd-ranges"),
		MUST("layout.trim.range", "cmd.trim.round"),
		Needs(feature.Trim), Writes(), AtLeast(256<<10),
		TrippedBy(quirk.TrimRoundedOut, "differs"),
		func(ctx context.Context) {
			s := Enter(ctx)
			s.Fine()
			want := s.Write(0, Pattern(1, 256<<10))

			for _, r := range []struct{ at, n uint64 }{{1, 510}, {1023, 2}, {4097, 8190}, {65537, 131070}} {
				trim(s, r.at, r.n)
				copy(want[r.at:r.at+r.n], s.Read(r.at, r.n)) // any contents are fine
			}

			Expect(s.Read(0, 256<<10)).To(HaveBytes(want))
		})

	// "a client MUST NOT make any assumptions about the contents of the export affected by this command,
	// until overwriting it again with `NBD_CMD_WRITE` or `NBD_CMD_WRITE_ZEROES`."
	It("is over when its range is written again", ID("trim.then-write"),
		MUST("cmd.write.then-reply"),
		Needs(feature.Trim), Writes(), AtLeast(8*512),
		TrippedBy(quirk.TrimLate, "differs"),
		func(ctx context.Context) {
			s := Enter(ctx)
			n := 8 * Room(ctx, 8)
			s.Write(0, Pattern(1, n))
			trim(s, 0, n)

			data := s.Write(0, Pattern(2, n))

			Expect(s.Read(0, n)).To(HaveBytes(data))
		})

	// The same.
	It("is over when its range is zeroed", ID("trim.then-zeroes"),
		MUST("cmd.write-zeroes.reads-zero"),
		Needs(feature.Trim, feature.WriteZeroes), Writes(), AtLeast(8*512),
		TrippedBy(quirk.ZeroesTrimmedToGarbage, "differs"),
		func(ctx context.Context) {
			s := Enter(ctx)
			n := 8 * Room(ctx, 8)
			s.Write(0, Pattern(1, n))
			trim(s, 0, n)

			want := zero(s, 0, n)

			Expect(s.Read(0, n)).To(HaveBytes(want))
		})

	// Only the contents are given up: the `NBD_CMD_READ` message is part of the baseline.
	It("leaves its range readable", ID("trim.readable"),
		MUST("baseline.server.read"),
		Needs(feature.Trim), Writes(), AtLeast(8*512),
		TrippedBy(quirk.TrimmedUnreadable, "want a reply with success"),
		func(ctx context.Context) {
			s := Enter(ctx)
			n := 8 * Room(ctx, 8)
			trim(s, 0, n)

			r := s.Do(ReadOf(0, n))

			Expect(r).To(BeReply(WithError(wire.OK)))
		})

	// "It SHOULD return `NBD_EINVAL` if it receives a read or trim request including one or more sectors
	// beyond the size of the device"
	It("fails with NBD_EINVAL when it reaches beyond the end of the export", ID("trim.bounds"),
		SHOULD("err.trim.bounds"),
		Needs(feature.Trim), Writes(), AtLeast(2*512), Provokes("size.bounds.client"),
		TrippedBy(quirk.TrimBeyondAccepted, "want a reply with NBD_EINVAL"),
		TrippedBy(quirk.TrimBeyondENOSPC, "want a reply with NBD_EINVAL"),
		TrippedBy(quirk.RangeOverflowAccepted, "want a reply with NBD_EINVAL"),
		func(ctx context.Context) { refusesBeyond(ctx, wire.CmdTrim, wire.EINVAL) })

	// "the data defined by length and offset", in a reply that reports an error or none.
	It("changes nothing outside its range when it reaches beyond the end of the export", ID("trim.bounds.range"),
		MUST("layout.trim.range"),
		Needs(feature.Trim), Writes(), AtLeast(4*512), Provokes("size.bounds.client"),
		TrippedBy(quirk.RangeWrapped, "differs"), TrippedBy(quirk.RangeShifted, "differs"),
		func(ctx context.Context) { sparesOthers(ctx, wire.CmdTrim) })

	// "the client MAY request an effect length larger than the maximum payload size; the server SHOULD NOT
	// disconnect, but MAY reply with an `NBD_EOVERFLOW` or `NBD_EINVAL` error"
	It("is answered where it is longer than the maximum payload size", ID("trim.long"),
		SHOULD("size.effect.disconnect"),
		Needs(feature.Trim), Writes(),
		TrippedBy(quirk.ZeroesLongHangup, "the server ended the connection"),
		func(ctx context.Context) {
			s := Enter(ctx)
			n := Room(ctx, 1)
			long := (uint64(s.Constraints.MaxPayload)/n + 1) * n
			if long > min(s.Size, math.MaxUint32) {
				verdict.Unsupported("needs-room-above-maximum-payload", s.Constraints.MaxPayload)
			}

			r := s.Do(wire.Request{Type: wire.CmdTrim, Length: long})

			Expect(r).To(BeReply(WithError(wire.OK, wire.EOVERFLOW, wire.EINVAL)))
			Observe(ctx, "NBD_CMD_TRIM beyond the maximum payload size", "%v", r.Error)
		})

	// "The client SHOULD NOT request a trim length of 0; the behavior of a server on such a request is
	// unspecified although the server SHOULD NOT disconnect."
	It("stays connected at a length of 0", ID("trim.zero-length"),
		SHOULD("cmd.trim.zero-length.stay"),
		Needs(feature.Trim), Writes(), Provokes("cmd.trim.zero-length"),
		TrippedBy(quirk.TrimZeroLengthHangup, "the server ended the connection"),
		func(ctx context.Context) {
			s := Enter(ctx)

			r := s.Do(wire.Request{Type: wire.CmdTrim})

			Expect(r).To(BeReply())
			Expect(s.InStep()).To(BeInStep())
			Observe(ctx, "NBD_CMD_TRIM of 0 bytes", "%v", r.Error)
		})
})

// trim trims n bytes at offset. The spec is blocked if the server refuses.
func trim(s *Session, offset, n uint64) {
	if r := s.Do(wire.Request{Type: wire.CmdTrim, Offset: offset, Length: n}); !r.OK() {
		verdict.Blocked("trim.succeeds", "trimming-bytes", n, offset, r)
	}
}
