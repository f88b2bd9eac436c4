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

var _ = Describe("NBD_CMD_READ that is not aligned to the minimum block size", func() {
	// "It SHOULD return NBD_EINVAL [...] if a read or write request is not aligned to
	// advertised minimum block sizes."
	It("fails with NBD_EINVAL", ID("align.read"),
		SHOULD("err.read.align"),
		Needs(feature.BlockSize),
		Provokes("size.align.client"),
		TrippedBy(quirk.ReadUnalignedAccepted, "want a reply with NBD_EINVAL"),
		func(ctx context.Context) {
			Room(ctx, 3)
			m := Enter(ctx).Coarse()
			for _, mode := range forms(ctx) {
				for _, q := range []wire.Request{
					ReadOf(m/2, m), ReadOf(0, m/2), ReadOf(m, m+m/2), ReadOf(m/2, m/2), ReadOf(1, 1), ReadOf(m-1, 2),
				} {
					s := Enter(ctx, mode...)

					Expect(s.Do(q)).To(BeReplyOrEnd(WithError(wire.EINVAL)))
					Expect(s.InStepOrGone()).To(BeInStep())
				}
			}
		})

	// "When allowing clients that did not negotiate sizing via NBD, a server that enforces
	// stricter size constraints than the defaults MUST cleanly error commands that fall
	// outside the constraints without corrupting data"
	It("is served or refused cleanly where the client did not ask for size constraints", ID("align.read-unnegotiated"),
		MUST("size.enforce.clean", "opt.info.unrequested-not-assumed"),
		Needs(feature.BlockSize), Writes(),
		TrippedBy(quirk.ReadRounded, "differs"),
		func(ctx context.Context) {
			b := Room(ctx, 3)
			m := Enter(ctx).Coarse()
			s := EnterUnsized(ctx)
			data := s.Write(0, Pattern(8, 3*b))

			for _, q := range []wire.Request{ReadOf(m/2, m), ReadOf(0, m/2), ReadOf(m+1, 1)} {
				r := s.Do(q)

				if r.OK() {
					Expect(r).To(BeReply(WithData(data[q.Offset : q.Offset+q.Length])))
				} else if told(s.Infos) { // the client was told nevertheless
					Expect(r).To(BeReplyOrEnd(WithAnyError()))
				} else {
					Expect(r).To(BeReply(WithAnyError()))
				}
				if r.End != Complete {
					return
				}
			}
		})
})

// told reports whether size constraints are among the information.
func told(infos []wire.Info) bool {
	for _, i := range infos {
		if i.Type == wire.InfoBlockSize {
			return true
		}
	}
	return false
}
