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

var _ = Describe("An unknown command", func() {
	// "The server SHOULD return NBD_EINVAL if it receives an unknown command."
	It("fails with NBD_EINVAL", ID("unknown-command.einval"),
		SHOULD("err.unknown-command", "err.enotsup"),
		Provokes("baseline.client.negotiate"),
		TrippedBy(quirk.UnknownCommandAccepted, "want a reply with NBD_EINVAL"),
		TrippedBy(quirk.UnknownCommandENOTSUP, "want a reply with NBD_EINVAL"),
		TrippedBy(quirk.UnknownCommandEIO, "want a reply with NBD_EINVAL"),
		TrippedBy(quirk.HangOnUnknownCommand, "no answer within"),
		TrippedBy(quirk.CrashOnUnknownCommand, "the server died"),
		func(ctx context.Context) {
			for _, mode := range forms(ctx) {
				for _, c := range []wire.Command{9, 10, 16, 127, 128, 255, 256, 0x0100, 0x8000, 0xffff} {
					s := Enter(ctx, mode...)

					Expect(s.Do(wire.Request{Type: c})).To(BeReplyOrEnd(WithError(wire.EINVAL)), "case.command", c)
					Expect(s.InStepOrGone()).To(BeInStep())
				}
			}
		})

	// "(length bytes of data if the request is of type NBD_CMD_WRITE)"
	It("has no payload, whatever its length", ID("unknown-command.no-payload"),
		MUST("layout.request.payload"),
		Provokes("baseline.client.negotiate"),
		TrippedBy(quirk.UnknownCommandSwallows, "no answer within"),
		func(ctx context.Context) {
			b := Room(ctx, 1)
			for _, mode := range forms(ctx) {
				for _, n := range []uint64{wire.RequestSize, b, 1 << 20} {
					s := Enter(ctx, mode...)

					Expect(s.Do(wire.Request{Type: 255, Length: n})).To(BeReplyOrEnd())
					Expect(s.InStepOrGone()).To(BeInStep())
				}
			}
		})

	// "The server SHOULD return NBD_EINVAL if it receives an unknown command", once for
	// each.
	It("fails among others that don't", ID("unknown-command.in-flight"),
		SHOULD("err.unknown-command"),
		Provokes("baseline.client.negotiate"),
		TrippedBy(quirk.UnknownCommandEIO, "want a reply with NBD_EINVAL"),
		func(ctx context.Context) {
			b := Room(ctx, 1)
			s := Enter(ctx)
			var good, bad []uint64
			batch := s.Batch()
			for range 8 {
				good = append(good, batch.Add(ReadOf(0, b)))
				bad = append(bad, batch.Add(wire.Request{Type: 0x7fff, Offset: 1 << 60, Length: b}))
			}

			batch.Send()

			for i := range good {
				Expect(s.Await(good[i])).To(BeReplyOrEnd(WithLength(b)))
				Expect(s.Await(bad[i])).To(BeReplyOrEnd(WithError(wire.EINVAL)))
			}
			Expect(s.InStepOrGone()).To(BeInStep())
		})

	// NBD_CMD_RESIZE is "defined by the experimental RESIZE extension"; to a server that
	// does not have it, it is unknown. The request is for the size that the export has.
	It("is NBD_CMD_RESIZE, where that is not advertised", ID("unknown-command.resize"),
		SHOULD("err.unknown-command"),
		Without(feature.Resize), Attempts(),
		Provokes("resize.needs-flag"),
		TrippedBy(quirk.UnknownCommandAccepted, "want a reply with NBD_EINVAL"),
		func(ctx context.Context) {
			for _, mode := range forms(ctx) {
				s := Enter(ctx, mode...)

				r := s.Do(wire.Request{Type: wire.CmdResize, Offset: s.Size})

				Expect(r).To(BeReplyOrEnd(WithError(wire.EINVAL)))
				Expect(s.InStepOrGone()).To(BeInStep())
			}
		})
})
