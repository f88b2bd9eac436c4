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

// A server that is killed takes with it what it held in its own memory. What
// the machine holds for it stays, so that these specs show some of the data that
// would be lost with the power, and not all.
var _ = Describe("What a server that is killed leaves", func() {
	// "All write commands [...] that the server completes (i.e. replies to) prior to processing a
	// `NBD_CMD_FLUSH` MUST be written to non-volatile storage prior to replying to that `NBD_CMD_FLUSH`."
	It("is what was written before an NBD_CMD_FLUSH succeeded", ID("durable.flush"),
		MUST("cmd.flush.persist"),
		Needs(feature.Flush), Writes(), AtLeast(1<<20),
		TrippedBy(quirk.FlushLies, "differs"),
		func(ctx context.Context) {
			victim := Durable(ctx)
			s := Enter(ctx)
			n := Room(ctx, 64)
			want := s.Write(0, Pattern(1, 64*n))
			copy(want[8*n:], s.Zero(8*n, 4*n))
			copy(want[10*n:], s.Write(10*n, Pattern(2, n)))
			last := s.Write(FactsOf(ctx).Last(), Pattern(3, n))

			flush(s)
			victim.Kill()

			s = Enter(ctx)
			Expect(s.Read(0, 64*n)).To(HaveBytes(want))
			Expect(s.Read(FactsOf(ctx).Last(), n)).To(HaveBytes(last))
		})

	// "it MUST NOT send its reply to that command until all write operations (if any) associated with that
	// command have been completed and persisted to non-volatile storage"
	It("is what was written with NBD_CMD_FLAG_FUA", ID("durable.fua"),
		MUST("cmdflag.fua.persist"),
		Needs(feature.FUA), Writes(), AtLeast(1<<20),
		TrippedBy(quirk.FUALies, "differs"), TrippedBy(quirk.FlushLies, "differs"),
		func(ctx context.Context) {
			victim := Durable(ctx)
			s := Enter(ctx)
			n := Room(ctx, 16)
			want := Pattern(4, 16*n)
			for at := uint64(0); at < 16*n; at += n {
				q := wire.Request{Type: wire.CmdWrite, Flags: wire.CmdFlagFUA, Offset: at, Length: n}
				Expect(s.Do(q, want[at:at+n]...)).To(BeReply(WithError(wire.OK)))
			}

			victim.Kill()

			Expect(Enter(ctx).Read(0, 16*n)).To(HaveBytes(want))
		})

	// The same.
	It("is what was zeroed with NBD_CMD_FLAG_FUA", ID("durable.fua-zeroes"),
		MUST("cmdflag.fua.persist", "cmd.write-zeroes.reads-zero"),
		Needs(feature.FUA, feature.WriteZeroes), Writes(), AtLeast(1<<20),
		TrippedBy(quirk.FUALies, "differs"),
		func(ctx context.Context) {
			victim := Durable(ctx)
			s := Enter(ctx)
			n := Room(ctx, 16)
			want := s.Write(0, Pattern(5, 16*n))
			if s.Flags&wire.FlagSendFlush != 0 {
				flush(s)
			}
			for _, f := range []wire.CommandFlags{wire.CmdFlagFUA, wire.CmdFlagFUA | wire.CmdFlagNoHole} {
				at := n
				if f != wire.CmdFlagFUA {
					at = 8 * n
				}
				r := s.Do(wire.Request{Type: wire.CmdWriteZeroes, Flags: f, Offset: at, Length: 4 * n})
				Expect(r).To(BeReply(WithError(wire.OK)))
				clear(want[at : at+4*n])
			}

			victim.Kill()

			s = Enter(ctx)
			Expect(s.Read(n, 4*n)).To(HaveBytes(want[n : 5*n]))
			Expect(s.Read(8*n, 4*n)).To(HaveBytes(want[8*n : 12*n]))
		})

	// "the effects of `NBD_CMD_FLUSH` [...] MUST be visible across all connections when the server sends its
	// reply to that command", those of writes on other connections among them.
	It("is what other connections wrote before an NBD_CMD_FLUSH succeeded", ID("durable.multi-conn"),
		MUST("cmd.flush.persist", "flag.transmission.multi-conn"),
		Needs(feature.Flush, feature.MultiConn), Writes(), AtLeast(1<<20),
		TrippedBy(quirk.FlushLies, "differs"),
		func(ctx context.Context) {
			victim := Durable(ctx)
			one, other := Enter(ctx), Enter(ctx)
			n := Room(ctx, 16)
			want := one.Write(0, Pattern(6, 16*n))

			flush(other)
			victim.Kill()

			Expect(Enter(ctx).Read(0, 16*n)).To(HaveBytes(want))
		})
})
