package servers

import (
	"context"
	"maps"
	"slices"

	. "github.com/onsi/ginkgo/v2"

	"nbdconform/conformance/feature"
	. "nbdconform/conformance/internal/expect"
	. "nbdconform/conformance/internal/match"
	. "nbdconform/conformance/internal/session"
	. "nbdconform/conformance/internal/spec"
	quirk "nbdconform/reference/quirk/server"
	"nbdconform/reference/wire"
)

var _ = Describe("NBD_CMD_BLOCK_STATUS", func() {
	// "only NBD_REPLY_TYPE_BLOCK_STATUS for structured replies, and only
	// NBD_REPLY_TYPE_BLOCK_STATUS_EXT for extended headers"
	It("is answered by NBD_REPLY_TYPE_BLOCK_STATUS_EXT with extended headers", ID("extended.status"),
		MUST("chunk.block-status-ext.always", "chunk.block-status-ext.length", "chunk.block-status-ext.count",
			"chunk.block-status-ext.count-nonzero", "chunk.block-status-ext.extent-nonzero",
			"chunk.block-status-ext.high-bits", "chunk.block-status.per-context"),
		Needs(feature.ExtendedHeaders, feature.BaseAllocation),
		TrippedBy(quirk.StatusNarrow, "chunk.block-status-ext.always"),
		TrippedBy(quirk.StatusWideOdd, "chunk.block-status-ext.length"),
		TrippedBy(quirk.StatusMiscounted, "chunk.block-status-ext.count:"),
		TrippedBy(quirk.StatusUncounted, "chunk.block-status-ext.count-nonzero"),
		TrippedBy(quirk.StatusWideEmptyExtent, "chunk.block-status-ext.extent-nonzero"),
		TrippedBy(quirk.StatusHighBits, "chunk.block-status-ext.high-bits"),
		TrippedBy(quirk.StatusMissingContext, "chunk.block-status.per-context"),
		func(ctx context.Context) {
			b := Room(ctx, 1)
			s := Enter(ctx, ExtendedHeaders, EveryContext)
			for _, n := range []uint64{b, FactsOf(ctx).Last() + b} {
				for _, flags := range []wire.CommandFlags{0, wire.CmdFlagReqOne} {
					r := s.Do(wire.Request{Type: wire.CmdBlockStatus, Flags: flags, Length: n})

					Expect(r).To(BeReply(WithError(wire.OK)), "case.length", n)
					Expect(r.Extents).To(HaveLen(len(s.Contexts)), "shown", r)
				}
			}
		})

	// "This chunk type MUST NOT be used unless extended headers were negotiated"
	It("is answered by NBD_REPLY_TYPE_BLOCK_STATUS without them", ID("narrow.status"),
		MUST("chunk.block-status-ext.unnegotiated"),
		Needs(feature.BaseAllocation),
		TrippedBy(quirk.StatusWide, "chunk.block-status-ext.unnegotiated"),
		func(ctx context.Context) {
			b := Room(ctx, 1)
			s := Enter(ctx, BaseAllocation)

			Expect(s.Do(wire.Request{Type: wire.CmdBlockStatus, Length: b})).To(BeReply(WithError(wire.OK)))
		})

	// "Servers MUST NOT advertise this bit unless the client successfully negotiates extended
	// headers"
	It("does not take a payload without extended headers", ID("filter.flag.unnegotiated"),
		MUST("flag.transmission.block-status-payload.negotiated"),
		Needs(feature.BaseAllocation),
		TrippedBy(quirk.PayloadFlagUnnegotiated, "flag.transmission.block-status-payload.negotiated"),
		func(ctx context.Context) {
			s := Enter(ctx, BaseAllocation)

			Expect(s.Flags&wire.FlagBlockStatusPayload).To(BeZero(), "got-transmission-flags", s.Flags)
		})

	// "SHOULD NOT advertise this bit in response to NBD_OPT_GO if the client does not negotiate
	// metacontexts with NBD_OPT_SET_META_CONTEXT"
	It("does not take a payload where no context was selected", ID("filter.flag.no-contexts"),
		SHOULD("flag.transmission.block-status-payload.contexts"),
		Needs(feature.ExtendedHeaders),
		TrippedBy(quirk.PayloadFlagWithoutContexts, "flag.transmission.block-status-payload.contexts"),
		func(ctx context.Context) {
			s := Enter(ctx, ExtendedHeaders)

			Expect(s.Flags&wire.FlagBlockStatusPayload).To(BeZero(), "got-transmission-flags", s.Flags)
		})

	// "If the server does not support the payload form [...] the server MUST gracefully consume
	// the client's payload before failing with NBD_EINVAL."
	It("with a payload fails where that is not advertised", ID("filter.unsupported"),
		MUST("cmd.block-status.payload.unsupported"),
		Needs(feature.ExtendedHeaders, feature.BaseAllocation), Without(feature.BlockStatusPayload),
		Provokes("cmdflag.payload-len.needs-flag"),
		TrippedBy(quirk.FilterUnadvertisedEIO, "want a reply with NBD_EINVAL"),
		TrippedBy(quirk.FilterUnadvertisedUnread, "want a reply with NBD_EINVAL"),
		func(ctx context.Context) {
			b := Room(ctx, 1)
			s := Enter(ctx, ExtendedHeaders, BaseAllocation)

			r := filtered(s, 0, 0, b, slices.Collect(maps.Keys(s.Contexts))...)

			Expect(r).To(BeReply(WithError(wire.EINVAL)))
			Expect(s.InStep()).To(BeInStep())
		})
})

var _ = Describe("NBD_CMD_BLOCK_STATUS with a payload", func() {
	needs := Needs(feature.ExtendedHeaders, feature.BaseAllocation, feature.BlockStatusPayload)

	// "a payload that informs the server to limit its replies to the metacontext id(s) in the
	// client's request payload"
	It("is answered for the contexts in the payload and no others", ID("filter.limits"),
		MUST("cmd.block-status.payload.limited", "chunk.block-status.per-context"),
		needs,
		TrippedBy(quirk.FilterIgnored, "cmd.block-status.payload.limited"),
		TrippedBy(quirk.FilterEmpties, "chunk.block-status.per-context"),
		func(ctx context.Context) {
			b := Room(ctx, 1)
			s := Enter(ctx, ExtendedHeaders, EveryContext)
			all := slices.Sorted(maps.Keys(s.Contexts))
			Observe(ctx, "metadata contexts to filter", "%d", len(all))
			for _, id := range all {
				r := filtered(s, 0, 0, b, id)
				Expect(r).To(BeReply(WithError(wire.OK)), "case.for-name", s.Contexts[id])
				Expect(slices.Collect(maps.Keys(r.Extents))).To(Equal([]uint32{id}), "shown", r)
			}

			r := filtered(s, 0, 0, b, all...)

			Expect(r).To(BeReply(WithError(wire.OK)))
			Expect(slices.Sorted(maps.Keys(r.Extents))).To(Equal(all), "shown", r)
		})

	// "C: 64 bits, effect length"
	It("is about the range that the payload says", ID("filter.range"),
		MUST("cmdflag.req-one.length", "cmdflag.req-one.one-extent"),
		needs,
		TrippedBy(quirk.FilterLengthIgnored, "cmdflag.req-one.length"),
		func(ctx context.Context) {
			b := Room(ctx, 3)
			s := Enter(ctx, ExtendedHeaders, BaseAllocation)
			for _, n := range []uint64{b, 2 * b} {
				r := filtered(s, wire.CmdFlagReqOne, b, n, slices.Collect(maps.Keys(s.Contexts))...)

				Expect(r).To(BeReply(WithError(wire.OK)))
			}
		})

	// "If the server [...] detects duplicate or unknown metacontext ids in the client's payload,
	// the server MUST gracefully consume the client's payload before failing with NBD_EINVAL."
	It("fails with NBD_EINVAL if a context was not selected", ID("filter.unknown"),
		MUST("cmd.block-status.payload.unknown-id"),
		needs,
		TrippedBy(quirk.FilterUnknownAccepted, "want a reply with NBD_EINVAL"),
		TrippedBy(quirk.FilterBadEIO, "want a reply with NBD_EINVAL"),
		func(ctx context.Context) {
			b := Room(ctx, 1)
			s := Enter(ctx, ExtendedHeaders, BaseAllocation)
			known := slices.Collect(maps.Keys(s.Contexts))
			for _, ids := range [][]uint32{{unselected(s)}, append(known, unselected(s)), append([]uint32{unselected(s)}, known...)} {
				r := filtered(s, 0, 0, b, ids...)

				Expect(r).To(BeReply(WithError(wire.EINVAL)), "case.for", ids)
				Expect(s.InStep()).To(BeInStep())
			}
		})

	// The same sentence.
	It("fails with NBD_EINVAL if a context is named twice", ID("filter.duplicate"),
		MUST("cmd.block-status.payload.duplicate-id"),
		needs,
		TrippedBy(quirk.FilterDuplicateAccepted, "want a reply with NBD_EINVAL"),
		TrippedBy(quirk.FilterBadHangup, "the server ended the connection"),
		func(ctx context.Context) {
			b := Room(ctx, 1)
			s := Enter(ctx, ExtendedHeaders, BaseAllocation)
			known := slices.Collect(maps.Keys(s.Contexts))

			r := filtered(s, 0, 0, b, append(known, known...)...)

			Expect(r).To(BeReply(WithError(wire.EINVAL)))
			Expect(s.InStep()).To(BeInStep())
		})

	// "The server SHOULD return NBD_EINVAL if it receives a NBD_CMD_BLOCK_STATUS request with an
	// effect length exceeding the size of the export."
	It("fails with NBD_EINVAL if the range ends beyond the export", ID("filter.bounds"),
		SHOULD("cmd.block-status.bounds"),
		needs, Provokes("size.bounds.client"),
		TrippedBy(quirk.FilterBeyondAccepted, "want a reply with NBD_EINVAL"),
		func(ctx context.Context) {
			b := Room(ctx, 1)
			s := Enter(ctx, ExtendedHeaders, BaseAllocation)

			r := filtered(s, 0, 0, s.Beyond()+b, slices.Collect(maps.Keys(s.Contexts))...)

			Expect(r).To(BeReplyOrEnd(WithError(wire.EINVAL)))
			Expect(s.InStepOrGone()).To(BeInStep())
		})

	// "The payload form MUST occupy 8 + n*4 bytes"
	It("that is cut does no harm", ID("filter.cut"),
		MAY("cmd.block-status.payload.length"),
		needs, Provokes("cmd.block-status.payload.length"),
		func(ctx context.Context) {
			b := Room(ctx, 1)
			for _, n := range []int{1, 7, 11} {
				s := Enter(ctx, ExtendedHeaders, BaseAllocation)
				payload := wire.StatusFilter{Length: b, ContextIDs: slices.Collect(maps.Keys(s.Contexts))}.Append(nil)[:n]
				q := wire.Request{Type: wire.CmdBlockStatus, Flags: wire.CmdFlagPayloadLen, Length: uint64(n)}

				r := s.Do(q, payload...)

				Observe(ctx, "NBD_CMD_BLOCK_STATUS with a payload that is cut", "%v", outcome(r))
				Expect(r).To(BeReplyOrEnd(WithAnyError()))
				Expect(s.InStepOrGone()).To(BeInStep())
				s.Leave()
			}
		})

	// "where n is the number of metacontext ids the client is interested in", which may be none.
	It("that names no context gets an answer", ID("filter.none"),
		MAY("cmd.block-status.payload.advertise"),
		needs,
		func(ctx context.Context) {
			b := Room(ctx, 1)
			s := Enter(ctx, ExtendedHeaders, BaseAllocation)

			r := filtered(s, 0, 0, b)

			Observe(ctx, "NBD_CMD_BLOCK_STATUS with a payload that names no context", "%v", outcome(r))
			Expect(r).To(BeReply())
			Expect(s.InStep()).To(BeInStep())
		})
})

// filtered asks for the status of n bytes at offset in some contexts.
func filtered(s *Session, flags wire.CommandFlags, offset, n uint64, ids ...uint32) Reply {
	payload := wire.StatusFilter{Length: n, ContextIDs: ids}.Append(nil)
	q := wire.Request{
		Type: wire.CmdBlockStatus, Flags: flags | wire.CmdFlagPayloadLen, Offset: offset, Length: uint64(len(payload)),
	}
	return s.Do(q, payload...)
}

// unselected is an id that no selected context has.
func unselected(s *Session) uint32 {
	for id := uint32(0x4000); ; id++ {
		if _, taken := s.Contexts[id]; !taken {
			return id
		}
	}
}
