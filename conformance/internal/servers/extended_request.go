package servers

import (
	"context"
	"fmt"

	. "github.com/onsi/ginkgo/v2"

	"nbdconform/conformance/feature"
	. "nbdconform/conformance/internal/expect"
	. "nbdconform/conformance/internal/match"
	. "nbdconform/conformance/internal/session"
	. "nbdconform/conformance/internal/spec"
	quirk "nbdconform/reference/quirk/server"
	"nbdconform/reference/wire"
)

var _ = Describe("An extended request", func() {
	// "all server replies MUST use an extended reply; the server MUST NOT use simple replies even
	// when there is no payload"
	It("gets an extended reply, whatever it is about", ID("extended.every-command"),
		MUST("trans.extended.no-simple", "trans.extended.reply", "trans.extended.offset"),
		Needs(feature.ExtendedHeaders), Writes(),
		TrippedBy(quirk.ExtendedSimple, "trans.extended.no-simple"),
		TrippedBy(quirk.ExtendedStructured, "trans.extended.reply"),
		TrippedBy(quirk.ExtendedOffsetZero, "trans.extended.offset"),
		func(ctx context.Context) {
			b := Room(ctx, 4)
			s := Enter(ctx, ExtendedHeaders)
			data := s.Write(b, Pattern(1, 2*b))
			Expect(s.Do(ReadOf(b, 2*b))).To(BeReply(AsChunks(), WithData(data)))
			for _, t := range payloadless(s) {
				r := s.Do(wire.Request{Type: t, Offset: 2 * b, Length: b})

				Expect(r).To(BeReply(AsChunks()), "shown", t)
			}
			if s.Flags&wire.FlagSendFlush != 0 {
				Expect(s.Do(wire.Request{Type: wire.CmdFlush})).To(BeReply(AsChunks()))
			}
		})

	// "all server replies MUST use an extended reply"
	It("that fails gets an extended reply", ID("extended.errors"),
		MUST("trans.extended.no-simple", "trans.extended.reply", "trans.extended.offset"),
		Needs(feature.ExtendedHeaders), Provokes("size.bounds.client"),
		TrippedBy(quirk.ExtendedErrorSimple, "trans.extended.no-simple"),
		TrippedBy(quirk.ExtendedStructured, "trans.extended.reply"),
		TrippedBy(quirk.ExtendedOffsetZero, "trans.extended.offset"),
		func(ctx context.Context) {
			b := Room(ctx, 1)
			s := Enter(ctx, ExtendedHeaders)

			r := s.Do(ReadOf(s.Beyond(), b))

			Expect(r).To(BeReplyOrEnd(AsChunks(), WithAnyError()))
			if r.End == Complete {
				Expect(s.InStep()).To(BeInStep())
			}
		})

	// "offset which MUST match the offset of the client's request (even in reply types such as
	// NBD_REPLY_TYPE_OFFSET_DATA where the payload itself contains a different offset)"
	It("finds its offset in every chunk of the reply", ID("extended.offset"),
		MUST("trans.extended.offset"),
		Needs(feature.ExtendedHeaders), Writes(),
		TrippedBy(quirk.ExtendedOffsetZero, "trans.extended.offset"),
		TrippedBy(quirk.ExtendedOffsetOfChunk, "trans.extended.offset"),
		func(ctx context.Context) {
			b := Room(ctx, 64)
			s := Enter(ctx, ExtendedHeaders)
			want := s.Zero(0, 64*b) // and data between holes, so that there are chunks to send
			for _, at := range []uint64{16 * b, 48 * b} {
				copy(want[at:], s.Write(at, Pattern(byte(at/b), 8*b)))
			}

			Expect(s.Do(ReadOf(b, 63*b))).To(BeReply(WithData(want[b:])))
			Expect(s.Do(ReadOf(52*b, b))).To(BeReply(WithData(want[52*b : 53*b])))
		})

	// "C: (*length* bytes of data if *flags* includes NBD_CMD_FLAG_PAYLOAD_LEN)"
	It("carries the data of NBD_CMD_WRITE", ID("extended.write"),
		MUST("cmd.write.then-reply", "baseline.server.write"),
		Needs(feature.ExtendedHeaders), Writes(),
		TrippedBy(quirk.WriteLost, "differs"), TrippedBy(quirk.WriteIncomplete, "differs"),
		func(ctx context.Context) {
			b := Room(ctx, 2)
			s := Enter(ctx, ExtendedHeaders)
			for seed := range byte(2) { // what stood there may be the first pattern
				data := Pattern(seed, b)
				r := s.Do(wire.Request{Type: wire.CmdWrite, Offset: b, Length: b}, data...)

				Expect(r).To(BeReply(WithError(wire.OK)))
				Expect(s.Read(b, b)).To(HaveBytes(data))
			}
		})

	// "for other commands, the flag will trigger an NBD_EINVAL error unless the command documents
	// an optional payload form"
	It("with a payload that the command does not have fails with NBD_EINVAL", ID("extended.stray-payload"),
		MUST("cmdflag.payload-len.einval"),
		Needs(feature.ExtendedHeaders), Attempts(), Provokes("cmdflag.documented"),
		TrippedBy(quirk.StrayPayloadUnread, "want a reply with NBD_EINVAL"),
		TrippedBy(quirk.StrayPayloadEPERM, "want a reply with NBD_EINVAL"),
		func(ctx context.Context) {
			b := Room(ctx, 1)
			for _, t := range append([]wire.Command{wire.CmdRead}, payloadless(Enter(ctx, ExtendedHeaders))...) {
				s := Enter(ctx, ExtendedHeaders)

				r := s.Do(wire.Request{Type: t, Flags: wire.CmdFlagPayloadLen, Length: b}, Pattern(2, b)...)

				Expect(r).To(BeReplyOrEnd(WithError(wire.EINVAL)), "shown", t)
				Expect(s.InStepOrGone()).To(BeInStep())
				s.Leave()
			}
		})

	// "in all other cases, a server SHOULD gracefully consume *length* bytes of payload (even if
	// it then replies with an NBD_EINVAL failure [...]), and proceed with the next client command"
	It("with a payload that the command does not have leaves the session going", ID("extended.consume"),
		SHOULD("trans.extended.consume"),
		Needs(feature.ExtendedHeaders), Provokes("cmdflag.documented"),
		TrippedBy(quirk.StrayPayloadHangup, "the server ended the connection"),
		TrippedBy(quirk.StrayPayloadUnread, "want a reply with an error"),
		func(ctx context.Context) {
			Room(ctx, 1)
			for _, n := range []uint64{1, 4096, 64 << 10} {
				s := Enter(ctx, ExtendedHeaders)
				if n > uint64(s.Constraints.MaxPayload) {
					break
				}

				r := s.Do(wire.Request{Type: wire.CmdRead, Flags: wire.CmdFlagPayloadLen, Length: n}, Orders(n)...)

				Expect(r).To(BeReply(WithAnyError()), "case.payload-length", n)
				Expect(s.InStep()).To(BeInStep())
				s.Leave()
			}
		})

	// "A server SHOULD initiate hard disconnect if a client sets the NBD_CMD_FLAG_PAYLOAD_LEN
	// flag and uses a *length* larger than a server's advertised or default maximum payload length"
	It("that announces more than the maximum payload size ends the session", ID("extended.payload-too-long"),
		SHOULD("trans.extended.payload-too-long"),
		Needs(feature.ExtendedHeaders), Provokes("cmdflag.documented"),
		TrippedBy(quirk.PayloadTooLongAwaited, "the connection stayed open"),
		func(ctx context.Context) {
			s := Enter(ctx, ExtendedHeaders)
			q := wire.Request{
				Type: wire.CmdRead, Flags: wire.CmdFlagPayloadLen, Cookie: 1, Length: uint64(s.Constraints.MaxPayload) + 1,
			}

			s.Raw(q.AppendExtended(nil)) // and not a byte more
			h := s.End()                 // behind an error reply, perhaps

			Expect(h.End).To(Equal(HungUp), "ended-after", h)
		})
})

// payloadless are the commands that change or load a range without a payload,
// as far as the server advertises them.
func payloadless(s *Session) (list []wire.Command) {
	for _, c := range []struct {
		flag wire.TransmissionFlags
		t    wire.Command
	}{
		{wire.FlagSendTrim, wire.CmdTrim},
		{wire.FlagSendCache, wire.CmdCache},
		{wire.FlagSendWriteZeroes, wire.CmdWriteZeroes},
	} {
		if s.Flags&c.flag != 0 {
			list = append(list, c.t)
		}
	}
	return list
}

// wide is a size that takes more than 32 bits, with room behind it.
const wide = 5 << 30

var _ = Describe("A length of more than 32 bits", func() {
	// "Extended messages make it possible to perform 64-bit transactions"; "Length and offset
	// define the location and amount of data to be zeroed."
	It("is not cut by NBD_CMD_WRITE_ZEROES", ID("wide.write-zeroes"),
		MUST("layout.write-zeroes.range"),
		Needs(feature.ExtendedHeaders, feature.WriteZeroes), Writes(), AtLeast(wide),
		TrippedBy(quirk.LengthTruncated, "differs"),
		func(ctx context.Context) {
			b := FactsOf(ctx).Block()
			s := Enter(ctx, ExtendedHeaders)
			from, to := b, uint64(wide)-b
			marks := map[uint64]bool{0: false, b: true, 1 << 31: true, 1 << 32: true, to - b: true, to: false}
			for at := range marks {
				s.Write(at, Pattern(1, b))
			}

			r := s.Do(wire.Request{Type: wire.CmdWriteZeroes, Offset: from, Length: to - from})

			Observe(ctx, "NBD_CMD_WRITE_ZEROES of 5 GiB", "%v", r.Error)
			Expect(r).To(BeReply(WithError(wire.OK, wire.EOVERFLOW, wire.EINVAL)))
			if !r.OK() {
				return
			}
			for at, zeroed := range marks {
				want := Pattern(1, b)
				if zeroed {
					clear(want)
				}
				Expect(s.Read(at, b)).To(HaveBytes(want), "case.offset", at)
			}
		})

	// "For commands that do not require a payload in either direction [...] the client MAY
	// request an effect length larger than the maximum payload size; the server SHOULD NOT disconnect"
	It("does not end the session", ID("wide.stays"),
		SHOULD("size.effect.disconnect"),
		Needs(feature.ExtendedHeaders, feature.BaseAllocation), Attempts(), AtLeast(wide),
		TrippedBy(quirk.LengthWideHangup, "the server ended the connection"),
		func(ctx context.Context) {
			s := Enter(ctx, ExtendedHeaders, BaseAllocation)
			commands := []wire.Command{wire.CmdBlockStatus}
			if s.Flags&wire.FlagSendTrim != 0 {
				commands = append(commands, wire.CmdTrim)
			}
			for _, t := range commands {
				r := s.Do(wire.Request{Type: t, Length: wide})

				Observe(ctx, fmt.Sprintf("%v of 5 GiB", t), "%v", r.Error)
				Expect(r).To(BeReply(WithError(wire.OK, wire.EOVERFLOW, wire.EINVAL)), "shown", t)
				Expect(s.InStep()).To(BeInStep())
			}
		})

	// "If set, the block reads as all zeroes" is said of extents of any length.
	It("does not make NBD_CMD_BLOCK_STATUS lose data behind 4 GiB", ID("wide.status"),
		MUST("layout.allocation.zero"),
		Needs(feature.ExtendedHeaders, feature.BaseAllocation), Writes(), AtLeast(wide),
		TrippedBy(quirk.StatusDataAsZero, "is said to read as zeroes"),
		func(ctx context.Context) {
			b := FactsOf(ctx).Block()
			s := Enter(ctx, ExtendedHeaders, BaseAllocation)
			at := uint64(wide) - 16*b
			s.Write(at, Pattern(2, b))

			longest := uint64(0)
			for from, n := uint64(0), 0; from <= at && n < 1000; n++ {
				for _, e := range s.Status(from, wide-from, 0) {
					zero := wire.StateFlags(e.Status)&wire.StateZero != 0
					Expect(zero && from <= at && at-from < e.Length).
						To(BeFalse(), "zero-extent-over-data", at, e, from)
					from, longest = from+e.Length, max(longest, e.Length)
				}
			}
			Observe(ctx, "longest extent of block status", "takes more than 32 bits: %t", longest>>32 != 0)
		})
})
