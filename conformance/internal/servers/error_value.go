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

var _ = Describe("An error value", func() {
	// "the allowed values for the error field have been restricted to set of possibilities",
	// of which eight follow.
	It("is one of those that the document defines", ID("error.defined"),
		MUST("layout.error.value"),
		Provokes("size.bounds.client", "cmdflag.documented", "baseline.client.negotiate"),
		TrippedBy(quirk.ErrorUndefined, "a defined error value"),
		func(ctx context.Context) {
			b := Room(ctx, 1)
			f := FactsOf(ctx)
			wrong := append(f.Behind(ReadOf(f.Size, b), ReadOf(1<<63, b)),
				wire.Request{Type: wire.CmdRead, Flags: 1 << 15, Length: b},
				wire.Request{Type: 255},
				wire.Request{Type: wire.CmdResize + 1, Length: b},
			)
			for _, mode := range forms(ctx) {
				for _, q := range wrong {
					r := Enter(ctx, mode...).Do(q)

					Expect(r).To(BeReplyOrEnd(WithDefinedError()))
				}
			}
		})

	// "The server SHOULD NOT return NBD_ENOMEM if at all possible."
	It("is not NBD_ENOMEM, NBD_ENOTSUP or NBD_EOVERFLOW for a read that is in order", ID("error.read"),
		SHOULD("err.enomem", "err.enotsup", "err.eoverflow"),
		TrippedBy(quirk.ReadENOMEM, "got NBD_ENOMEM"),
		func(ctx context.Context) {
			Room(ctx, 1)
			n := min(FactsOf(ctx).Largest(), 1<<20)
			for _, mode := range forms(ctx) {
				s := Enter(ctx, mode...)

				Expect(s.Do(ReadOf(0, n))).To(BeReply(WithoutError(wire.ENOMEM, wire.ENOTSUP, wire.EOVERFLOW)))
			}
		})
})
