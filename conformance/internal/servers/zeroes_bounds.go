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

var _ = Describe("NBD_CMD_WRITE_ZEROES beyond the end of the export", func() {
	// "The server SHOULD return `NBD_ENOSPC` if it receives a write zeroes request including one or more
	// sectors beyond the size of the device."; "The server SHOULD report an `NBD_EINVAL` error if the
	// client's request [...] would exceed the export size".
	It("fails with NBD_ENOSPC or NBD_EINVAL", ID("zeroes.bounds"),
		SHOULD("cmd.write-zeroes.bounds", "size.bounds.write"),
		Needs(feature.WriteZeroes), Writes(), AtLeast(2*512), Provokes("size.bounds.client"),
		TrippedBy(quirk.ZeroesBeyondAccepted, "want a reply with NBD_ENOSPC or NBD_EINVAL"),
		TrippedBy(quirk.ZeroesBeyondEIO, "want a reply with NBD_ENOSPC or NBD_EINVAL"),
		func(ctx context.Context) { refusesBeyond(ctx, wire.CmdWriteZeroes, wire.ENOSPC, wire.EINVAL) })

	// "The server MUST zero out the data on disk, and then send the reply message."
	It("does not succeed, as what is not there can't be zeroed", ID("zeroes.bounds.success"),
		MUST("cmd.write-zeroes.error", "cmd.write-zeroes.then-reply"),
		Needs(feature.WriteZeroes), Writes(), Provokes("size.bounds.client"),
		TrippedBy(quirk.ZeroesErrorHidden, "want an error, or zeroes"),
		func(ctx context.Context) {
			s := Enter(ctx)
			n := Room(ctx, 1)

			r := s.Do(wire.Request{Type: wire.CmdWriteZeroes, Offset: s.Beyond(), Length: n})

			if r.OK() { // by a server that lets the export grow
				back := s.Do(ReadOf(s.Beyond(), n))
				Expect(back.Data).To(HaveBytes(make([]byte, n)), "error-or-zeroes-past-end", back)
			} else {
				Expect(r).To(BeReplyOrEnd(WithAnyError()))
			}
		})

	// "*Offset* and *length* define the location and amount of data to be zeroed."
	It("changes nothing outside its range", ID("zeroes.bounds.range"),
		MUST("layout.write-zeroes.range"),
		Needs(feature.WriteZeroes), Writes(), AtLeast(4*512), Provokes("size.bounds.client"),
		TrippedBy(quirk.RangeWrapped, "differs"), TrippedBy(quirk.RangeShifted, "differs"),
		func(ctx context.Context) { sparesOthers(ctx, wire.CmdWriteZeroes) })
})

// refusesBeyond sends a command without payload that crosses the end of the
// export, and others that lie behind it.
func refusesBeyond(ctx context.Context, c wire.Command, errors ...wire.Errno) {
	n := Room(ctx, 2)
	for _, at := range append(farOffsets(ctx), FactsOf(ctx).Last()) {
		s := Enter(ctx)

		r := s.Do(wire.Request{Type: c, Offset: at, Length: 2 * n})

		Expect(r).To(BeReplyOrEnd(WithError(errors...)), "case.offset", at)
		s.Leave()
	}
}

// sparesOthers sends a command without payload that crosses the end of the
// export, and one that crosses 2^64, and looks at what is in front of both.
func sparesOthers(ctx context.Context, c wire.Command) {
	n, last := Room(ctx, 4), FactsOf(ctx).Last()
	s, first := Stored(ctx, 0, Pattern(1, n))
	s.Leave()
	s, before := Stored(ctx, last-n, Pattern(2, n))

	for _, at := range []uint64{last, -n} {
		s.Do(wire.Request{Type: c, Offset: at, Length: 2 * n})
		s.Leave()
		s = Enter(ctx)
	}

	Expect(s.Read(0, n)).To(HaveBytes(first))
	Expect(s.Read(last-n, n)).To(HaveBytes(before))
}
