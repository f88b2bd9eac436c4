package servers

import (
	"context"
	"slices"

	. "github.com/onsi/ginkgo/v2"

	. "nbdconform/conformance/internal/expect"
	. "nbdconform/conformance/internal/match"
	. "nbdconform/conformance/internal/session"
	. "nbdconform/conformance/internal/spec"
	"nbdconform/conformance/internal/verdict"
	quirk "nbdconform/reference/quirk/server"
	"nbdconform/reference/wire"
)

var _ = Describe("NBD_CMD_WRITE", func() {
	// "The server MUST write the data to disk, and then send the reply message."
	It("stores the data before the reply", ID("write.reads-back"),
		MUST("cmd.write.then-reply", "baseline.server.write"),
		Writes(), AtLeast(512),
		TrippedBy(quirk.WriteLost, "differs"), TrippedBy(quirk.WriteIncomplete, "differs"),
		func(ctx context.Context) {
			s := Enter(ctx)
			n := Room(ctx, 1)

			for seed := range byte(2) { // what stood there may be the first pattern
				data := Pattern(seed, n)
				r := s.Do(wire.Request{Type: wire.CmdWrite, Length: n}, data...)

				Expect(r).To(BeReply(WithError(wire.OK)))
				Expect(s.Read(0, n)).To(HaveBytes(data))
			}
		})

	// "Length and offset define the location and amount of data to be written."
	It("leaves the blocks on both sides alone", ID("write.neighbours"),
		MUST("layout.write.range"),
		Writes(), AtLeast(3*512),
		TrippedBy(quirk.WriteMisplaced, "differs"),
		func(ctx context.Context) {
			s := Enter(ctx)
			n := Room(ctx, 3)
			around := s.Write(0, Pattern(1, 3*n))

			inside := s.Write(n, Pattern(2, n))

			copy(around[n:], inside)
			Expect(s.Read(0, 3*n)).To(HaveBytes(around))
		})

	// "Length and offset define the location and amount of data to be written."
	It("reaches the last block of the export", ID("write.last-block"),
		MUST("layout.write.range", "baseline.server.write"),
		Writes(), AtLeast(512),
		TrippedBy(quirk.WriteMisplaced, "differs"),
		func(ctx context.Context) {
			s := Enter(ctx)
			n := Room(ctx, 1)
			last := FactsOf(ctx).Last()
			data := Pattern(3, n)

			r := s.Do(wire.Request{Type: wire.CmdWrite, Offset: last, Length: n}, data...)

			Expect(r).To(BeReply(WithError(wire.OK)))
			Expect(s.Read(last, n)).To(HaveBytes(data))
		})

	// "64 bits, offset (unsigned)"
	It("tells offsets apart that differ in one bit", ID("write.offset-bits"),
		MUST("layout.write.range"),
		Writes(), AtLeast(4*512),
		TrippedBy(quirk.WriteOffsetTruncated, "differs"),
		func(ctx context.Context) {
			s := Enter(ctx)
			n := Room(ctx, 4)
			offsets := slices.Collect(Doubling(n, s.Size-n))

			for i, at := range offsets {
				s.Write(at, Pattern(byte(i), n))
			}

			for i, at := range offsets {
				Expect(s.Read(at, n)).To(HaveBytes(Pattern(byte(i), n)), "case.offset", at)
			}
		})

	// "The server MUST write the data to disk, and then send the reply message."
	It("fills the export from end to end", ID("write.whole"),
		MUST("cmd.write.then-reply", "layout.write.range"),
		Writes(), AtLeast(512),
		TrippedBy(quirk.WriteLostSometimes, "differs"),
		func(ctx context.Context) {
			s := Enter(ctx)
			n := Room(ctx, 1)
			if s.Size > 1<<28 {
				verdict.Unsupported("would-write-all-bytes", s.Size)
			}
			piece := min(uint64(s.Constraints.MaxPayload), 1<<20) / n * n
			end := s.Size / n * n

			for at := uint64(0); at < end; at += piece {
				s.Write(at, Pattern(byte(at/piece), min(piece, end-at)))
			}

			for at := uint64(0); at < end; at += piece {
				k := min(piece, end-at)
				Expect(s.Read(at, k)).To(HaveBytes(Pattern(byte(at/piece), k)), "case.offset", at)
			}
		})

	// "The minimum block size represents the smallest addressable length and alignment within the export"
	It("writes single bytes where the minimum block size is 1", ID("write.single-bytes"),
		MUST("layout.write.range", "cmd.write.then-reply"),
		Writes(), AtLeast(8192),
		TrippedBy(quirk.WriteRoundedOut, "differs"),
		func(ctx context.Context) {
			s := Enter(ctx)
			s.Fine()
			want := s.Write(0, Pattern(1, 8192))

			for _, at := range []uint64{0, 1, 510, 511, 512, 4095, 4096, 8191} {
				want[at] = ^want[at]
				s.Write(at, want[at:at+1])
			}

			Expect(s.Read(0, 8192)).To(HaveBytes(want))
			s.Write(s.Size-1, []byte{0x5a})
			Expect(s.Read(s.Size-1, 1)).To(HaveBytes([]byte{0x5a}))
		})

	// "although writing to an area that small may require the server to use a less-efficient read-modify-write action"
	It("writes ranges that start and end within blocks", ID("write.odd-ranges"),
		MUST("layout.write.range", "cmd.write.then-reply"),
		Writes(), AtLeast(64<<10),
		TrippedBy(quirk.WriteRoundedOut, "differs"),
		func(ctx context.Context) {
			s := Enter(ctx)
			s.Fine()
			want := s.Write(0, Pattern(1, 64<<10))

			for i, r := range []struct{ at, n uint64 }{
				{1, 510}, {1023, 2}, {1537, 511}, {4095, 4098}, {12287, 1}, {16383, 8194}, {32769, 32766},
			} {
				copy(want[r.at:], s.Write(r.at, Pattern(byte(i+2), r.n)))
			}

			Expect(s.Read(0, 64<<10)).To(HaveBytes(want))
		})

	// "If size constraints have not been advertised or agreed on externally, then a server SHOULD support a
	// default minimum block size of 1"
	It("serves single bytes where no other minimum block size is advertised", ID("write.default-minimum"),
		SHOULD("size.default.minimum"),
		Writes(), AtLeast(512),
		TrippedBy(quirk.WriteMinimumHidden, "want a reply with success"),
		func(ctx context.Context) {
			s := Enter(ctx)
			s.Fine()

			r := s.Do(wire.Request{Type: wire.CmdWrite, Offset: 1, Length: 1}, 0xa5)

			Expect(r).To(BeReply(WithError(wire.OK)))
		})

	// "The client MUST follow the request header with *length* number of bytes to be written to the device."
	It("stores bytes of every value", ID("write.all-values"),
		MUST("cmd.write.then-reply"),
		Writes(), AtLeast(512),
		TrippedBy(quirk.WriteSevenBit, "differs"),
		func(ctx context.Context) {
			s := Enter(ctx)
			data := make([]byte, Room(ctx, 1))
			for i := range data {
				data[i] = byte(i)
			}

			s.Write(0, data)

			Expect(s.Read(0, uint64(len(data)))).To(HaveBytes(data))
		})

	// "C: (*length* bytes of data if the request is of type `NBD_CMD_WRITE`)"
	It("takes data for data even if it looks like the protocol", ID("write.magic"),
		MUST("cmd.write.then-reply", "trans.cookie.echo"),
		Writes(), AtLeast(512),
		TrippedBy(quirk.WriteMagicCut, "differs"),
		func(ctx context.Context) {
			s := Enter(ctx)
			n := Room(ctx, 1)
			old := s.Write(0, Pattern(9, n))
			data := wire.Request{Type: wire.CmdDisc}.Append([]byte("\x00NBDMAGICIHAVEOPT"))
			data = wire.SimpleReply{Cookie: 0x1001}.Append(data)
			data = wire.Chunk{Flags: wire.ReplyFlagDone, Cookie: 0x1001}.Append(data)
			data = wire.OptionRequest{Option: wire.OptAbort}.Append(data)
			data = append(data, old[len(data):]...)

			r := s.Do(wire.Request{Type: wire.CmdWrite, Length: n}, data...)

			Expect(r).To(BeReply(WithError(wire.OK)))
			Expect(s.Read(0, n)).To(HaveBytes(data))
		})

	// "The client SHOULD NOT request a write length of 0; the behavior of a server on such a request is
	// unspecified although the server SHOULD NOT disconnect."
	It("stays connected at a length of 0", ID("write.zero-length"),
		SHOULD("cmd.write.zero-length.stay"),
		Writes(), Provokes("cmd.write.zero-length"),
		TrippedBy(quirk.WriteZeroLengthHangup, "the server ended the connection"),
		func(ctx context.Context) {
			s := Enter(ctx)

			r := s.Do(wire.Request{Type: wire.CmdWrite})

			Expect(r).To(BeReply())
			Expect(s.InStep()).To(BeInStep())
			Observe(ctx, "NBD_CMD_WRITE of 0 bytes", "%v", r.Error)
		})
})
