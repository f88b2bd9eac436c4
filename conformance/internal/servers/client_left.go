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

// The document says nothing of what becomes of a client that leaves without a
// word. That the server goes on serving others is what each of these shows:
// after every spec another connection must be served.
var _ = Describe("A client that leaves without NBD_CMD_DISC", func() {
	It("does not take the server along when it was idle", ID("left.idle"),
		MUST("baseline.server.read"),
		Provokes("trans.end.unjustified.client"),
		TrippedBy(quirk.SlotLeaked, "the server serves no further connection"),
		func(ctx context.Context) {
			s := Enter(ctx)
			Expect(s.InStep()).To(BeInStep())

			s.Close()
		})

	It("does not take the server along in the middle of a request", ID("left.mid-request"),
		MUST("baseline.server.read"),
		Provokes("trans.end.unjustified.client"),
		TrippedBy(quirk.SlotLeaked, "the server serves no further connection"),
		func(ctx context.Context) {
			b := Room(ctx, 1)
			q := ReadOf(0, b).Append(nil)
			for _, n := range []int{1, 4, 14, len(q) - 1} {
				s := Enter(ctx)
				s.Raw(q[:n])

				s.Close()

				Expect(Enter(ctx).InStep()).To(BeInStep(), "case.after-request-bytes", n)
			}
		})

	It("does not take the server along in the middle of a payload", ID("left.mid-payload"),
		MUST("baseline.server.read"),
		Writes(),
		Provokes("trans.end.unjustified.client"),
		TrippedBy(quirk.SlotLeaked, "the server serves no further connection"),
		func(ctx context.Context) {
			b := Room(ctx, 1)
			q := wire.Request{Type: wire.CmdWrite, Length: b}.Append(nil)
			for _, n := range []uint64{0, 1, b - 1} {
				s := Enter(ctx)
				s.Raw(append(q, Pattern(19, n)...))

				s.Close()

				Expect(Enter(ctx).InStep()).To(BeInStep(), "case.after-payload-bytes", n)
			}
		})

	It("does not take the server along with requests in flight", ID("left.in-flight"),
		MUST("baseline.server.read"),
		Provokes("trans.end.unjustified.client"),
		TrippedBy(quirk.SlotLeaked, "the server serves no further connection"),
		func(ctx context.Context) {
			Room(ctx, 1)
			n := min(FactsOf(ctx).Largest(), 1<<20)
			for _, mode := range forms(ctx) {
				s := Enter(ctx, mode...)
				batch := s.Batch()
				for range 64 {
					batch.Add(ReadOf(0, n))
				}
				batch.Send()

				s.Close()

				servesOthers(ctx)
			}
		})

	It("may be answered when it has closed its own direction alone", ID("left.half-closed"),
		MAY("trans.end.violation.server"),
		Provokes("trans.end.unjustified.client"),
		func(ctx context.Context) {
			b := Room(ctx, 1)
			s := Enter(ctx)
			cookie := s.Send(ReadOf(0, b))

			s.CloseWrite()
			r := s.Await(cookie)

			Observe(ctx, "read in flight when the client closes its direction", "%s", outcome(r))
			if r.End == Complete {
				Observe(ctx, "afterwards", "%v", s.End())
			}
			s.Close()
		})
})

var _ = Describe("A client that takes no replies", func() {
	// "NBD_FLAG_CAN_MULTI_CONN: Indicates that the server operates entirely without cache, or
	// that the cache it uses is shared among all connections": that connections don't wait
	// for each other, it does not say.
	It("may hold others up while it stays, and not longer", ID("left.not-reading"),
		MAY("trans.order.process"),
		Needs(feature.MultiConn),
		Provokes("trans.end.unjustified.client"),
		func(ctx context.Context) {
			b := Room(ctx, 1)
			n := min(FactsOf(ctx).Largest(), 1<<20)
			deaf, other := Enter(ctx), Enter(ctx)
			batch := deaf.Batch()
			for range 64 {
				batch.Add(ReadOf(0, n))
			}
			batch.Send()

			r := other.Do(ReadOf(0, b))
			deaf.Close()

			Observe(ctx, "read while another client takes no replies", "%s", outcome(r))
			servesOthers(ctx)
		})
})

// servesOthers expects that connections are served one after another, for as
// long as it may take the server to notice that a client is gone.
func servesOthers(ctx context.Context) {
	for range 32 {
		s := Enter(ctx)
		Expect(s.InStep()).To(BeInStep())
		s.Leave()
	}
}
