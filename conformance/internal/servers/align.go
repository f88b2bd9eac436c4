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

var _ = Describe("A request that is not aligned to the minimum block size", func() {
	// "It SHOULD return `NBD_EINVAL` [...] if a read or write request is not aligned to advertised minimum
	// block sizes."
	It("fails with NBD_EINVAL if it is NBD_CMD_WRITE", ID("align.write"),
		SHOULD("err.write.align"),
		Needs(feature.BlockSize), Writes(), Provokes("size.align.client"),
		TrippedBy(quirk.WriteUnalignedAccepted, "want a reply with NBD_EINVAL"),
		func(ctx context.Context) { refusesUnaligned(ctx, wire.CmdWrite) })

	// "The server SHOULD report an `NBD_EINVAL` error if the client's request is not aligned to advertised
	// minimum block size boundaries"
	It("fails with NBD_EINVAL if it is NBD_CMD_WRITE_ZEROES", ID("align.write-zeroes"),
		SHOULD("size.align.server"),
		Needs(feature.BlockSize, feature.WriteZeroes), Writes(), Provokes("size.align.client"),
		TrippedBy(quirk.ZeroesUnalignedAccepted, "want a reply with NBD_EINVAL"),
		func(ctx context.Context) { refusesUnaligned(ctx, wire.CmdWriteZeroes) })

	// The same.
	It("fails with NBD_EINVAL if it is NBD_CMD_TRIM", ID("align.trim"),
		SHOULD("size.align.server"),
		Needs(feature.BlockSize, feature.Trim), Writes(), Provokes("size.align.client"),
		TrippedBy(quirk.ZeroesUnalignedAccepted, "want a reply with NBD_EINVAL"),
		func(ctx context.Context) { refusesUnaligned(ctx, wire.CmdTrim) })

	// "When allowing clients that did not negotiate sizing via NBD, a server that enforces stricter size
	// constraints than the defaults MUST cleanly error commands that fall outside the constraints without
	// corrupting data"
	It("is served or refused cleanly where the client did not ask for size constraints", ID("align.unnegotiated"),
		MUST("size.enforce.clean", "opt.info.unrequested-not-assumed"),
		Needs(feature.BlockSize), Writes(),
		TrippedBy(quirk.UnalignedTorn, "differs"),
		func(ctx context.Context) {
			minimum := FactsOf(ctx).Constraints.Minimum
			if minimum == 1 {
				verdict.Unsupported("needs-minimum-block-above-1")
			}
			s := EnterUnsized(ctx)
			n := Room(ctx, 3)
			want := s.Write(0, Pattern(1, 3*n))
			data := Pattern(2, n)

			r := s.Do(wire.Request{Type: wire.CmdWrite, Offset: n + uint64(minimum)/2, Length: n}, data...)

			Expect(r).To(BeReply())
			Expect(s.InStep()).To(BeInStep())
			if r.OK() {
				copy(want[n+uint64(minimum)/2:], data)
			}
			Expect(s.Read(0, 3*n)).To(HaveBytes(want))
		})
})

// refusesUnaligned tries a command at an unaligned offset, and with an unaligned length.
func refusesUnaligned(ctx context.Context, c wire.Command) {
	s := Enter(ctx)
	half := s.Coarse() / 2
	n := Room(ctx, 2)
	for _, q := range []wire.Request{
		{Type: c, Offset: half, Length: n}, {Type: c, Length: n - half}, {Type: c, Offset: half, Length: half},
	} {
		var payload []byte
		if c == wire.CmdWrite {
			payload = Pattern(1, q.Length)
		}

		r := s.Do(q, payload...)

		Expect(r).To(BeReplyOrEnd(WithError(wire.EINVAL)))
		if r.End != Complete {
			s = Enter(ctx)
		}
	}
}
