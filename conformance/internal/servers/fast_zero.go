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

var _ = Describe("NBD_CMD_FLAG_FAST_ZERO", func() {
	// "MUST fail quickly with `NBD_ENOTSUP` unless the request can be serviced in less time than a
	// corresponding `NBD_CMD_WRITE`"
	It("has zeroes written, or fails with NBD_ENOTSUP", ID("fast-zero.outcome"),
		MUST("cmd.write-zeroes.fast-zero.enotsup", "cmd.write-zeroes.reads-zero"),
		Needs(feature.FastZero), Writes(), AtLeast(512),
		TrippedBy(quirk.FastZeroEIO, "want a reply with success or NBD_ENOTSUP"), TrippedBy(quirk.ZeroesLost, "differs"),
		func(ctx context.Context) {
			eachFastZero(ctx, func(s *Session, q wire.Request, _ []byte) {
				r := s.Do(q)

				Expect(r).To(BeReply(WithError(wire.OK, wire.ENOTSUP)))
				Observe(ctx, "NBD_CMD_WRITE_ZEROES with "+q.Flags.String(), "%v", r.Error)
				if r.OK() {
					Expect(s.Read(0, q.Length)).To(HaveBytes(make([]byte, q.Length)), "case.with", q.Flags)
				}
			})
		})

	// "and SHOULD NOT alter the contents of the export when returning an `NBD_ENOTSUP` failure"
	It("changes nothing when it fails with NBD_ENOTSUP", ID("fast-zero.unchanged"),
		SHOULD("cmd.write-zeroes.fast-zero.unchanged"),
		Needs(feature.FastZero), Writes(), AtLeast(512),
		TrippedBy(quirk.FastZeroAltered, "differs"),
		func(ctx context.Context) {
			eachFastZero(ctx, func(s *Session, q wire.Request, before []byte) {
				r := s.Do(q)

				if r.Error == wire.ENOTSUP {
					Expect(s.Read(0, q.Length)).To(HaveBytes(before), "case.with", q.Flags)
				}
			})
		})

	// "MUST fail quickly": a server that takes longer than silence is borne is neither fast nor quick.
	It("is answered within the time of a hang", ID("fast-zero.quick"),
		MUST("cmd.write-zeroes.fast-zero.enotsup"),
		Needs(feature.FastZero), Writes(), AtLeast(512),
		TrippedBy(quirk.FastZeroSlow, "no answer"),
		func(ctx context.Context) {
			s := Enter(ctx)

			r := s.Do(wire.Request{Type: wire.CmdWriteZeroes, Flags: wire.CmdFlagFastZero, Length: Room(ctx, 1)})

			Expect(r).To(BeReply())
		})

	// "if `NBD_CMD_FLAG_FAST_ZERO` is set, the server SHOULD NOT fail with `NBD_EOVERFLOW` regardless of the
	// client length"
	It("does not fail with NBD_EOVERFLOW, however long the range", ID("fast-zero.eoverflow"),
		SHOULD("cmd.write-zeroes.fast-zero.eoverflow"),
		Needs(feature.FastZero), Writes(), AtLeast(1<<20),
		TrippedBy(quirk.FastZeroEOVERFLOW, "NBD_EOVERFLOW"),
		func(ctx context.Context) {
			s := Enter(ctx)
			n := min(s.Size, 1<<28) &^ 0xffff

			r := s.Do(wire.Request{Type: wire.CmdWriteZeroes, Flags: wire.CmdFlagFastZero, Length: n})

			Expect(r).To(BeReply(WithoutError(wire.EOVERFLOW)))
		})

	// "If the server did not advertise `NBD_FLAG_SEND_FAST_ZERO`, then it [...] SHOULD fail with `NBD_EINVAL`
	// if the `NBD_CMD_FLAG_FAST_ZERO` flag was set."
	It("fails with NBD_EINVAL where it is not advertised", ID("fast-zero.unadvertised"),
		SHOULD("cmd.write-zeroes.fast-zero.unadvertised"),
		Needs(feature.WriteZeroes), Without(feature.FastZero), Writes(), AtLeast(512),
		Provokes("cmdflag.fast-zero.needs-flag"),
		TrippedBy(quirk.FastZeroUnadvertisedAccepted, "want a reply with NBD_EINVAL"),
		TrippedBy(quirk.FlagsFastZeroHidden, "want a reply with NBD_EINVAL"),
		func(ctx context.Context) {
			s := Enter(ctx)

			r := s.Do(wire.Request{Type: wire.CmdWriteZeroes, Flags: wire.CmdFlagFastZero, Length: Room(ctx, 1)})

			Expect(r).To(BeReplyOrEnd(WithError(wire.EINVAL)))
		})
})

var _ = Describe("NBD_FLAG_SEND_FAST_ZERO", func() {
	// "The server MUST set this transmission flag to 1 if the `NBD_CMD_WRITE_ZEROES` request supports the
	// `NBD_CMD_FLAG_FAST_ZERO` flag". What succeeds may have been ignored; only who knows the flag says
	// NBD_ENOTSUP because of it.
	It("is set by a server that fails with NBD_ENOTSUP for NBD_CMD_FLAG_FAST_ZERO alone", ID("fast-zero.flag"),
		MUST("flag.transmission.fast-zero"),
		Needs(feature.WriteZeroes), Without(feature.FastZero), Writes(), AtLeast(512),
		Provokes("cmdflag.fast-zero.needs-flag"),
		TrippedBy(quirk.FastZeroHidden, "want the flag, or no NBD_ENOTSUP"),
		func(ctx context.Context) {
			s := Enter(ctx)
			n := Room(ctx, 1)

			fast := s.Do(wire.Request{Type: wire.CmdWriteZeroes, Flags: wire.CmdFlagFastZero, Length: n})
			if fast.Error != wire.ENOTSUP {
				return
			}
			slow := s.Do(wire.Request{Type: wire.CmdWriteZeroes, Length: n})

			Expect(slow.Error).To(Equal(wire.ENOTSUP), "fast-zero-flag-or-no-enotsup")
		})
})

// eachFastZero calls f with every combination of flags that the target takes,
// over blocks that hold data.
func eachFastZero(ctx context.Context, f func(s *Session, q wire.Request, before []byte)) {
	s := Enter(ctx)
	n := Room(ctx, 1)
	for _, more := range []wire.CommandFlags{0, wire.CmdFlagNoHole, wire.CmdFlagFUA, wire.CmdFlagNoHole | wire.CmdFlagFUA} {
		if more&wire.CmdFlagFUA == 0 || s.Flags&wire.FlagSendFUA != 0 {
			before := s.Write(0, Pattern(byte(more), n))
			f(s, wire.Request{Type: wire.CmdWriteZeroes, Flags: wire.CmdFlagFastZero | more, Length: n}, before)
		}
	}
}
