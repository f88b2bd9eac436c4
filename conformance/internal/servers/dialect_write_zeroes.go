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

// The first proposal, of February 2016, for servers that were told to speak it.

var _ = Describe("NBD_CMD_WRITE_ZEROES of 2016", func() {
	zero := func(at, n uint64) wire.Request {
		return wire.Request{Type: wire.CmdWriteZeroes, Offset: at, Length: n}
	}

	// "A request to write zeroes."
	It("makes its range read as zeroes, and no more", ID("rfc-zeroes.range"),
		MUST("write-zeroes-rfc.zeroes"),
		Needs(feature.WriteZeroesRFC), Writes(), AtLeast(3*512),
		TrippedBy(quirk.ZeroesLost, "differs"), TrippedBy(quirk.ZeroesRoundedOut, "differs"),
		func(ctx context.Context) {
			n := Room(ctx, 3)
			s := Enter(ctx)
			want := s.Write(0, Pattern(1, 3*n))

			r := s.Do(zero(n, n))

			Expect(r).To(BeReply(WithError(wire.OK)))
			copy(want[n:], make([]byte, n))
			Expect(s.Read(0, 3*n)).To(HaveBytes(want))
		})

	// "The command is functional equivalent of the NBD_WRITE_COMMAND but without payload sent through the channel."
	It("has no payload", ID("rfc-zeroes.payload"),
		MUST("write-zeroes-rfc.like-write"),
		Needs(feature.WriteZeroesRFC), Writes(), AtLeast(1<<20),
		TrippedBy(quirk.ZeroesSwallow, "no answer in time"),
		func(ctx context.Context) {
			s := Enter(ctx)
			for _, n := range []uint64{Room(ctx, 1), 1 << 20} {
				Expect(s.Do(zero(0, n))).To(BeReply(WithError(wire.OK)))
				Expect(s.InStep()).To(BeInStep())
			}
		})

	// The same.
	It("takes NBD_CMD_FLAG_FUA, as NBD_CMD_WRITE does", ID("rfc-zeroes.fua"),
		MUST("write-zeroes-rfc.like-write"),
		Needs(feature.WriteZeroesRFC, feature.FUA), Writes(), AtLeast(512),
		TrippedBy(quirk.ZeroesFUARefused, "got NBD_EINVAL"),
		func(ctx context.Context) {
			q := zero(0, Room(ctx, 1))
			q.Flags = wire.CmdFlagFUA

			Expect(Enter(ctx).Do(q)).To(BeReply(WithError(wire.OK)))
		})

	// The same.
	It("fails like NBD_CMD_WRITE beyond the end of the export", ID("rfc-zeroes.bounds"),
		MUST("write-zeroes-rfc.like-write"),
		Needs(feature.WriteZeroesRFC), Writes(), AtLeast(512), Provokes("size.bounds.client"),
		TrippedBy(quirk.ZeroesBeyondAccepted, "got success"), TrippedBy(quirk.ZeroesBeyondEIO, "got NBD_EIO"),
		func(ctx context.Context) {
			n := Room(ctx, 1)
			s := Enter(ctx)
			write := s.Do(wire.Request{Type: wire.CmdWrite, Offset: s.Beyond(), Length: n}, make([]byte, n)...)
			if write.End != Complete {
				verdict.Unsupported("needs-connection-kept-after-bounds-error")
			}

			Expect(s.Do(zero(s.Beyond(), n))).To(BeReplyOrEnd(WithError(write.Error)))
		})

	// NBD_CMD_FLAG_NO_HOLE and NBD_CMD_FLAG_FAST_ZERO came later: "The server SHOULD return NBD_EINVAL if it
	// receives a request with a flag not explicitly documented as applicable to the given request".
	It("has no flags but those of NBD_CMD_WRITE", ID("rfc-zeroes.flags"),
		SHOULD("err.inapplicable-flag"),
		Needs(feature.WriteZeroesRFC), Writes(), AtLeast(512), Provokes("cmdflag.documented", "cmdflag.fast-zero.needs-flag"),
		TrippedBy(quirk.InapplicableFlagAccepted, "want a reply with NBD_EINVAL"),
		func(ctx context.Context) {
			n := Room(ctx, 1)
			for _, f := range []wire.CommandFlags{wire.CmdFlagNoHole, wire.CmdFlagFastZero} {
				q := zero(0, n)
				q.Flags = f

				Expect(Enter(ctx).Do(q)).To(BeReplyOrEnd(WithError(wire.EINVAL)))
			}
		})

	// Whether zeroes take up room is not said.
	It("may take up room or leave holes", ID("rfc-zeroes.room"),
		MAY("write-zeroes-rfc.zeroes"),
		Needs(feature.WriteZeroesRFC, feature.BaseAllocation), Writes(), AtLeast(1<<20),
		func(ctx context.Context) {
			s := Enter(ctx, BaseAllocation)
			s.Write(0, Pattern(2, 1<<20))

			Expect(s.Do(zero(0, 1<<20))).To(BeReply(WithError(wire.OK)))
			Observe(ctx, "status of zeroes", "%v", s.Map("base:allocation", 0, 1<<20))
		})
})
