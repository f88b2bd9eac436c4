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

var _ = Describe("NBD_CMD_CACHE", func() {
	// "A server MAY advertise NBD_FLAG_SEND_CACHE even if the command has no effect or always
	// fails with NBD_EINVAL"
	It("succeeds or fails, and carries no data", ID("cache.reply"),
		MUST("layout.chunk.type", "layout.reply.magic", "cmd.cache.error"),
		Needs(feature.Cache),
		TrippedBy(quirk.CacheAnsweredWithData, "layout.chunk.type"),
		func(ctx context.Context) {
			b := Room(ctx, 4)
			for _, mode := range forms(ctx) {
				s := Enter(ctx, mode...)
				for _, q := range []wire.Request{cache(0, b), cache(b, 3*b), cache(FactsOf(ctx).Last(), b)} {
					r := s.Do(q)

					Expect(r).To(BeReply(WithoutContent()))
					Observe(ctx, "NBD_CMD_CACHE", "%v", r.Error)
				}
				Expect(s.InStep()).To(BeInStep())
			}
		})

	// "The server SHOULD NOT return NBD_ENOTSUP except as documented in response to
	// NBD_CMD_WRITE_ZEROES", and NBD_EOVERFLOW likewise.
	It("fails with no error that is meant for something else", ID("cache.errors"),
		SHOULD("err.enotsup", "err.eoverflow", "err.enomem"),
		Needs(feature.Cache),
		TrippedBy(quirk.CacheENOTSUP, "got NBD_ENOTSUP"),
		func(ctx context.Context) {
			b := Room(ctx, 1)
			s := Enter(ctx)

			Expect(s.Do(cache(0, b))).To(BeReply(WithoutError(wire.ENOTSUP, wire.EOVERFLOW, wire.ENOMEM)))
		})

	// "other than any difference in performance, there MUST NOT be any difference in
	// semantics compared to if the client had not used this command"
	It("changes no contents", ID("cache.no-effect"),
		MUST("cmd.cache.no-effect"),
		Needs(feature.Cache), Writes(),
		TrippedBy(quirk.CacheDestroys, "differs"),
		func(ctx context.Context) {
			b := Room(ctx, 8)
			s := Enter(ctx)
			want := append(s.Write(0, Pattern(20, 4*b)), s.Zero(4*b, 4*b)...)

			for _, q := range []wire.Request{cache(0, b), cache(b, 4*b), cache(0, 8*b)} {
				s.Do(q)

				Expect(s.Read(0, 8*b)).To(HaveBytes(want))
			}
		})

	// "failure on this operation does not imply that further read and write requests on this
	// area will fail"
	It("does not stand in the way of writes", ID("cache.then-write"),
		MUST("cmd.cache.no-effect"),
		Needs(feature.Cache), Writes(),
		TrippedBy(quirk.WriteLost, "differs"),
		func(ctx context.Context) {
			b := Room(ctx, 4)
			s := Enter(ctx)
			for _, seed := range []byte{21, 22} { // what stood there may be the first pattern
				s.Do(cache(0, 4*b))

				data := s.Write(b, Pattern(seed, 2*b))

				Expect(s.Read(b, 2*b)).To(HaveBytes(data))
			}
		})

	// "The server SHOULD report an NBD_EINVAL error if the client's request [...] would
	// exceed the export size."
	It("fails with NBD_EINVAL beyond the end of the export", ID("cache.beyond"),
		SHOULD("size.bounds.cache"),
		Needs(feature.Cache),
		Provokes("size.bounds.client"),
		TrippedBy(quirk.CacheBeyondAccepted, "want a reply with NBD_EINVAL"),
		func(ctx context.Context) {
			b := Room(ctx, 1)
			last := FactsOf(ctx).Last()
			for _, mode := range forms(ctx) {
				for _, q := range FactsOf(ctx).Behind(
					cache(last, 2*b), cache(last+b, b), cache(1<<62, b), cache(1<<63, b), cache(-b, b), cache(-b, 2*b),
				) {
					s := Enter(ctx, mode...)

					Expect(s.Do(q)).To(BeReplyOrEnd(WithError(wire.EINVAL)))
					Expect(s.InStepOrGone()).To(BeInStep())
				}
			}
		})

	// "if it advertised the command, the server MUST reject any command flags it does not
	// recognize"
	It("fails with a flag that nobody knows", ID("cache.unknown-flag"),
		MUST("cmd.cache.flags"),
		Needs(feature.Cache),
		Provokes("cmdflag.documented"),
		TrippedBy(quirk.CacheFlagsIgnored, "want a reply with an error"),
		func(ctx context.Context) {
			b := Room(ctx, 1)
			for bit := 6; bit < 16; bit++ {
				s := Enter(ctx)
				q := cache(0, b)
				q.Flags = 1 << bit

				Expect(s.Do(q)).To(BeReplyOrEnd(WithAnyError()), "case.flags", q.Flags)
				Expect(s.InStepOrGone()).To(BeInStep())
			}
		})

	// "It also SHOULD return NBD_EINVAL if it receives a request with a flag not explicitly
	// documented as applicable to the given request."
	It("fails with NBD_EINVAL with a flag of another command", ID("cache.inapplicable-flag"),
		SHOULD("err.inapplicable-flag", "err.unknown-flag"),
		Needs(feature.Cache),
		Provokes("cmdflag.documented"),
		TrippedBy(quirk.CacheFlagsIgnored, "want a reply with NBD_EINVAL"),
		func(ctx context.Context) {
			b := Room(ctx, 1)
			for _, flag := range []wire.CommandFlags{
				wire.CmdFlagNoHole, wire.CmdFlagDF, wire.CmdFlagReqOne, wire.CmdFlagFastZero, 1 << 15,
			} {
				s := Enter(ctx)
				q := cache(0, b)
				q.Flags = flag

				Expect(s.Do(q)).To(BeReplyOrEnd(WithError(wire.EINVAL)), "case.flags", flag)
				Expect(s.InStepOrGone()).To(BeInStep())
			}
		})

	// "For commands that do not require a payload in either direction [...], the client MAY
	// request an effect length larger than the maximum payload size; the server SHOULD NOT
	// disconnect, but MAY reply with an NBD_EOVERFLOW or NBD_EINVAL error".
	It("may be about more than a payload", ID("cache.long"),
		SHOULD("size.effect.disconnect"),
		Needs(feature.Cache),
		TrippedBy(quirk.CacheLongHangup, "the server ended the connection"),
		func(ctx context.Context) {
			Room(ctx, 1)
			f := FactsOf(ctx)
			n := f.Last() + f.Block()
			if n <= uint64(f.Constraints.MaxPayload) {
				verdict.Unsupported("maximum-payload-exceeds-export")
			}
			if n > 1<<30 {
				verdict.Unsupported("would-cache-all-bytes", n)
			}
			for _, mode := range forms(ctx) {
				s := Enter(ctx, mode...)

				r := s.Do(cache(0, n))

				Expect(r).To(BeReply())
				Observe(ctx, "NBD_CMD_CACHE of more than the maximum payload size", "%v", r.Error)
				Expect(s.InStep()).To(BeInStep())
			}
		})

	// "server implementations exist which support the command without advertising this bit"
	It("may be answered in any way where it is not advertised", ID("cache.unadvertised"),
		MAY("cmd.cache.use"),
		Without(feature.Cache),
		func(ctx context.Context) {
			b := Room(ctx, 1)
			for _, mode := range forms(ctx) {
				s := Enter(ctx, mode...)

				r := s.Do(cache(0, b))

				Expect(r).To(BeReplyOrEnd(WithoutContent()))
				Observe(ctx, "NBD_CMD_CACHE, not advertised", "%s", outcome(r))
				Expect(s.InStepOrGone()).To(BeInStep())
			}
		})
})

// cache is a request to cache n bytes at offset.
func cache(offset, n uint64) wire.Request {
	return wire.Request{Type: wire.CmdCache, Offset: offset, Length: n}
}
