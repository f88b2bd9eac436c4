package servers

import (
	"context"

	. "github.com/onsi/ginkgo/v2"

	. "nbdconform/conformance/internal/expect"
	. "nbdconform/conformance/internal/match"
	. "nbdconform/conformance/internal/session"
	. "nbdconform/conformance/internal/spec"
	quirk "nbdconform/reference/quirk/server"
	"nbdconform/reference/wire"
)

var _ = Describe("The cookie of a reply", func() {
	// "In each reply message (whether simple or structured), the server MUST use the same
	// value for cookie as was sent by the client in the corresponding request, treating the
	// cookie as an opaque field."
	It("is that of the request, whatever its value", ID("cookie.values"),
		MUST("trans.cookie.echo"),
		TrippedBy(quirk.ReplyCookieOffByOne, "trans.cookie.echo"),
		TrippedBy(quirk.ReplyCookie32Bit, "trans.cookie.echo"),
		func(ctx context.Context) {
			b := Room(ctx, 2)
			for _, mode := range forms(ctx) {
				s := Enter(ctx, mode...)
				for _, cookie := range []uint64{
					0, 1, 1<<32 - 1, 1 << 32, 1<<63 - 1, 1 << 63, 1<<64 - 1, 0x0102030405060708,
					uint64(wire.RequestMagic)<<32 | uint64(wire.SimpleReplyMagic), uint64(wire.StructuredMagic),
				} {
					Expect(withCookie(s, cookie, ReadOf(0, 2*b))).To(BeReply(WithLength(2*b)), "case.cookie", cookie)
				}
			}
		})

	// "(all with the same value for "cookie")"
	It("is the same in every chunk", ID("cookie.chunks"),
		MUST("trans.cookie.echo", "cmd.read.cover"),
		Writes(),
		TrippedBy(quirk.ChunkCookieDiffers, "trans.cookie.echo"),
		func(ctx context.Context) {
			b := Room(ctx, 16)
			for _, mode := range forms(ctx) {
				s := Enter(ctx, mode...)
				want := s.Zero(0, 16*b)
				copy(want[8*b:], s.Write(8*b, Pattern(10, b)))

				r := withCookie(s, 0xfedcba9876543210, ReadOf(0, 16*b))

				Expect(r).To(BeReply(WithData(want)))
			}
		})

	// "Clients SHOULD use a cookie that is distinct from all other currently pending
	// transactions, but MAY reuse cookies that are no longer in flight"
	It("may come again once the request was answered", ID("cookie.reuse"),
		MUST("trans.cookie.echo", "baseline.server.read"),
		Writes(),
		TrippedBy(quirk.SecondRequestUnanswered, "no answer within"),
		TrippedBy(quirk.ReplyTwice, "trans.cookie.echo"),
		func(ctx context.Context) {
			b := Room(ctx, 4)
			for _, mode := range forms(ctx) {
				s := Enter(ctx, mode...)
				data := s.Write(0, Pattern(11, 4*b))

				for i := range uint64(12) {
					at := i % 4 * b
					Expect(withCookie(s, 7, ReadOf(at, b))).To(BeReply(WithData(data[at : at+b])))
				}
			}
		})

	// "cookies need not be consecutive"
	It("tells requests apart that differ in one bit of it", ID("cookie.bits"),
		MUST("trans.cookie.echo"),
		TrippedBy(quirk.ReplyCookie32Bit, "trans.cookie.echo"),
		func(ctx context.Context) {
			b := Room(ctx, 1)
			s := Enter(ctx)
			batch := s.Batch()
			for bit := range 64 {
				q := ReadOf(0, b)
				q.Cookie = 1 << bit
				batch.Add(q)
			}

			batch.Send()

			for bit := range 64 {
				Expect(s.Await(1 << bit)).To(BeReply(WithLength(b)))
			}
		})
})

// withCookie sends a request with just this cookie, and waits for the reply.
func withCookie(s *Session, cookie uint64, q wire.Request) Reply {
	q.Cookie = cookie
	s.Expect(q)
	s.Raw(s.Encode(q))
	return s.Await(cookie)
}
