package servers

import (
	"context"

	. "github.com/onsi/ginkgo/v2"

	. "nbdconform/conformance/internal/expect"
	. "nbdconform/conformance/internal/match"
	. "nbdconform/conformance/internal/session"
	. "nbdconform/conformance/internal/spec"
	"nbdconform/conformance/internal/verdict"
	quirk "nbdconform/reference/quirk/server"
	"nbdconform/reference/wire"
)

var _ = Describe("NBD_CMD_WRITE beyond the end of the export", func() {
	// "The server SHOULD return `NBD_ENOSPC` if it receives a write request including one or more sectors
	// beyond the size of the device"; "The server SHOULD report an `NBD_EINVAL` error if the client's request
	// [...] would exceed the export size".
	It("fails with NBD_ENOSPC or NBD_EINVAL when it crosses the end", ID("write.bounds.crossing"),
		SHOULD("err.write.bounds", "size.bounds.write", "err.eoverflow"),
		Writes(), AtLeast(2*512), Provokes("size.bounds.client"),
		TrippedBy(quirk.WriteBeyondAccepted, "want a reply with NBD_ENOSPC or NBD_EINVAL"),
		TrippedBy(quirk.WriteBeyondEIO, "want a reply with NBD_ENOSPC or NBD_EINVAL"),
		TrippedBy(quirk.WriteEOVERFLOW, "NBD_EOVERFLOW"),
		func(ctx context.Context) {
			s := Enter(ctx)
			n := Room(ctx, 2)

			r := s.Do(wire.Request{Type: wire.CmdWrite, Offset: s.Beyond() - n, Length: 2 * n}, Pattern(1, 2*n)...)

			Expect(r).To(BeReplyOrEnd(WithError(wire.ENOSPC, wire.EINVAL)))
		})

	// The same, where nothing of the range is within the export.
	It("fails with NBD_ENOSPC or NBD_EINVAL when it starts at the end or behind it", ID("write.bounds.outside"),
		SHOULD("err.write.bounds", "size.bounds.write"),
		Writes(), Provokes("size.bounds.client"),
		TrippedBy(quirk.WriteBeyondAccepted, "want a reply with NBD_ENOSPC or NBD_EINVAL"),
		func(ctx context.Context) {
			for _, outside := range farOffsets(ctx) {
				s := Enter(ctx)
				n := Room(ctx, 1)

				r := s.Do(wire.Request{Type: wire.CmdWrite, Offset: outside, Length: n}, Pattern(1, n)...)

				Expect(r).To(BeReplyOrEnd(WithError(wire.ENOSPC, wire.EINVAL)), "case.offset", outside)
				s.Leave()
			}
		})

	// "The server MUST write the data to disk, and then send the reply message."
	It("does not succeed without storing the data", ID("write.bounds.success"),
		MUST("cmd.write.then-reply", "cmd.write.error"),
		Writes(), Provokes("size.bounds.client"),
		TrippedBy(quirk.WriteBeyondAccepted, "want an error, or the data"),
		TrippedBy(quirk.WriteErrorHidden, "want an error, or the data"),
		func(ctx context.Context) {
			s := Enter(ctx)
			n := Room(ctx, 1)
			data := Pattern(7, n)

			r := s.Do(wire.Request{Type: wire.CmdWrite, Offset: s.Beyond(), Length: n}, data...)

			if r.OK() { // by a server that lets the export grow
				back := s.Do(ReadOf(s.Beyond(), n))
				Expect(back.Data).To(HaveBytes(data), "error-or-data-past-end", back)
			} else {
				Expect(r).To(BeReplyOrEnd(WithAnyError()))
			}
		})

	// "Length and offset define the location and amount of data to be written."
	It("changes nothing in front of its offset", ID("write.bounds.shifted"),
		MUST("layout.write.range"),
		Writes(), AtLeast(3*512), Provokes("size.bounds.client"),
		TrippedBy(quirk.RangeShifted, "differs"),
		func(ctx context.Context) {
			n, at := Room(ctx, 3), FactsOf(ctx).Last()
			s, before := Stored(ctx, at-2*n, Pattern(1, 2*n))

			s.Do(wire.Request{Type: wire.CmdWrite, Offset: at, Length: 2 * n}, Pattern(2, 2*n)...)
			s.Leave()

			Expect(Enter(ctx).Read(at-2*n, 2*n)).To(HaveBytes(before))
		})

	// "64 bits, offset (unsigned)", "32 bits, length (unsigned)": their sum can be beyond 2^64.
	It("changes nothing at the start of the export when it goes beyond 2^64", ID("write.bounds.wrapped"),
		MUST("layout.write.range"),
		Writes(), AtLeast(2*512), Provokes("size.bounds.client"),
		TrippedBy(quirk.RangeWrapped, "differs"),
		func(ctx context.Context) {
			n := Room(ctx, 2)
			s, first := Stored(ctx, 0, Pattern(1, 2*n))

			r := s.Do(wire.Request{Type: wire.CmdWrite, Offset: -n, Length: 2 * n}, Pattern(2, 2*n)...)
			s.Leave()

			Expect(r).To(BeReplyOrEnd(WithAnyError()))
			Expect(Enter(ctx).Read(0, 2*n)).To(HaveBytes(first))
		})

	// "C: (*length* bytes of data if the request is of type `NBD_CMD_WRITE`)": also of one that fails.
	It("has its payload taken for data, not for requests", ID("write.bounds.payload"),
		MUST("trans.cookie.echo", "cmd.write.error"),
		Writes(), Provokes("size.bounds.client"),
		TrippedBy(quirk.WriteRefusedPayloadObeyed, "cookie 0xbad0"),
		func(ctx context.Context) {
			s := Enter(ctx)
			n := Room(ctx, 1)

			r := s.Do(wire.Request{Type: wire.CmdWrite, Offset: s.Beyond(), Length: n}, Orders(n)...)

			Expect(r).To(BeReplyOrEnd(WithAnyError()))
			Expect(s.InStepOrGone()).To(BeInStep())
		})
})

// farOffsets are aligned offsets at the end of the export and behind it. Where
// the export goes nearly as far as offsets can, they are few. Where there is none
// the spec ends as unsupported.
func farOffsets(ctx context.Context) (all []uint64) {
	f := FactsOf(ctx)
	n := f.Block()
	end, ok := f.End()
	if !ok {
		verdict.Unsupported("needs-room-past-end")
	}
	for _, at := range []uint64{end, Sum(end, n) / n * n, max(end, 1<<32), max(end, 1<<63), -(2 * n), -n} {
		if at >= f.Size {
			all = append(all, at)
		}
	}
	return all
}
