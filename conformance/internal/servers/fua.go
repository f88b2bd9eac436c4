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

var _ = Describe("NBD_CMD_FLAG_FUA", func() {
	// "in which case the server MUST accept all commands with this bit set (even by ignoring the bit)"
	It("is accepted with NBD_CMD_WRITE", ID("fua.write"),
		MUST("cmdflag.fua.accept", "cmd.write.then-reply"),
		Needs(feature.FUA), Writes(), AtLeast(512),
		TrippedBy(quirk.FUARejected, "want a reply with success"), TrippedBy(quirk.WriteLost, "differs"),
		TrippedBy(quirk.WriteFUAEIO, "got NBD_EIO"),
		func(ctx context.Context) {
			s := Enter(ctx)
			n := Room(ctx, 1)
			for seed := range byte(2) {
				data := Pattern(seed, n)

				r := s.Do(wire.Request{Type: wire.CmdWrite, Flags: wire.CmdFlagFUA, Length: n}, data...)

				Expect(r).To(BeReply(WithError(wire.OK)))
				Expect(s.Read(0, n)).To(HaveBytes(data))
			}
		})

	// The same.
	It("is accepted with NBD_CMD_WRITE_ZEROES", ID("fua.write-zeroes"),
		MUST("cmdflag.fua.accept", "cmd.write-zeroes.reads-zero"),
		Needs(feature.FUA, feature.WriteZeroes), Writes(), AtLeast(512),
		TrippedBy(quirk.FUARejected, "want a reply with success"), TrippedBy(quirk.ZeroesLost, "differs"),
		func(ctx context.Context) {
			s := Enter(ctx)
			n := Room(ctx, 1)
			s.Write(0, Pattern(1, n))

			r := s.Do(wire.Request{Type: wire.CmdWriteZeroes, Flags: wire.CmdFlagFUA, Length: n})

			Expect(r).To(BeReply(WithError(wire.OK)))
			Expect(s.Read(0, n)).To(HaveBytes(make([]byte, n)))
		})

	// The same; "If the command does not in fact write data (for instance on an `NBD_CMD_TRIM` in a situation
	// where the command as a whole is ignored), the server MAY ignore this bit".
	It("is accepted with NBD_CMD_TRIM", ID("fua.trim"),
		MUST("cmdflag.fua.accept"),
		Needs(feature.FUA, feature.Trim), Writes(), AtLeast(512),
		TrippedBy(quirk.FUARejected, "want a reply with success"),
		func(ctx context.Context) { acceptsFUA(ctx, wire.Request{Type: wire.CmdTrim, Length: Room(ctx, 1)}) })

	// "The client SHOULD NOT set this bit unless the command has the potential of writing data [...],
	// however note that existing clients are known to set this bit on other commands."
	It("is accepted with NBD_CMD_READ", ID("fua.read"),
		MUST("cmdflag.fua.accept"),
		Needs(feature.FUA), AtLeast(512), Provokes("cmdflag.fua.only-writes"),
		TrippedBy(quirk.FUARejected, "want a reply with success"),
		TrippedBy(quirk.FUAOnlyWithWrites, "want a reply with success"),
		func(ctx context.Context) { acceptsFUA(ctx, ReadOf(0, Room(ctx, 1))) })

	// The same.
	It("is accepted with NBD_CMD_FLUSH", ID("fua.flush"),
		MUST("cmdflag.fua.accept"),
		Needs(feature.FUA, feature.Flush), Provokes("cmdflag.fua.only-writes"),
		TrippedBy(quirk.FUARejected, "want a reply with success"),
		func(ctx context.Context) { acceptsFUA(ctx, wire.Request{Type: wire.CmdFlush}) })

	// The same.
	It("is accepted with NBD_CMD_CACHE", ID("fua.cache"),
		MUST("cmdflag.fua.accept"),
		Needs(feature.FUA, feature.Cache), AtLeast(512), Provokes("cmdflag.fua.only-writes"),
		TrippedBy(quirk.FUARejected, "want a reply with success"),
		func(ctx context.Context) { acceptsFUA(ctx, wire.Request{Type: wire.CmdCache, Length: Room(ctx, 1)}) })

	// The same.
	It("is accepted with NBD_CMD_BLOCK_STATUS", ID("fua.block-status"),
		MUST("cmdflag.fua.accept"),
		Needs(feature.FUA, feature.BaseAllocation), AtLeast(512), Provokes("cmdflag.fua.only-writes"),
		TrippedBy(quirk.FUARejected, "want a reply with success"),
		func(ctx context.Context) {
			acceptsFUA(ctx, wire.Request{Type: wire.CmdBlockStatus, Length: Room(ctx, 1)}, BaseAllocation)
		})

	// The same; "the server MUST [...] close down the TLS session (if one is running) and then close the TCP
	// connection".
	It("is accepted with NBD_CMD_DISC", ID("fua.disc"),
		MUST("cmdflag.fua.accept", "cmd.disc.close"),
		Needs(feature.FUA), Provokes("cmdflag.fua.only-writes"),
		TrippedBy(quirk.DiscIgnored, "the connection stayed open"),
		func(ctx context.Context) {
			s := Enter(ctx)

			b := s.Batch()
			b.Add(wire.Request{Type: wire.CmdDisc, Flags: wire.CmdFlagFUA})
			b.Send()

			Expect(s.End()).To(BeEnded())
		})

	// "This flag is valid for all commands, provided `NBD_FLAG_SEND_FUA` has been negotiated": what becomes
	// of it otherwise is up to the server.
	It("leaves the conversation in step where it is not advertised", ID("fua.unadvertised"),
		MAY("err.inapplicable-flag", "trans.cookie.echo"),
		Without(feature.FUA), Writes(), AtLeast(512), Provokes("flag.transmission.client-use"),
		func(ctx context.Context) {
			s := Enter(ctx)
			n := Room(ctx, 1)

			r := s.Do(wire.Request{Type: wire.CmdWrite, Flags: wire.CmdFlagFUA, Length: n}, Orders(n)...)

			Expect(r).To(BeReplyOrEnd())
			Expect(s.InStepOrGone()).To(BeInStep())
			Observe(ctx, "NBD_CMD_FLAG_FUA unadvertised", "%v, %v", r.End, r.Error)
		})
})

// acceptsFUA sends a request without the flag and then with it. A server that
// serves the first also serves the second.
func acceptsFUA(ctx context.Context, q wire.Request, modes ...Mode) {
	s := Enter(ctx, modes...)
	plain := s.Do(q)
	if q.Type == wire.CmdCache && plain.End == Complete && plain.Error == wire.EINVAL {
		verdict.Unsupported("cache-always-refused", plain)
	}
	if !plain.OK() {
		verdict.Blocked("flag.transmission.unsupported", "same-without-flag", plain)
	}

	q.Flags |= wire.CmdFlagFUA
	r := s.Do(q)

	Expect(r).To(BeReply(WithError(wire.OK)))
}
