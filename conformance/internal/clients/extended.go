package clients

import (
	"context"

	. "github.com/onsi/ginkgo/v2"

	. "nbdconform/conformance/internal/encounter"
	. "nbdconform/conformance/internal/expect"
	. "nbdconform/conformance/internal/spec"
	"nbdconform/conformance/subject"
	quirk "nbdconform/reference/quirk/client"
	"nbdconform/reference/server"
)

var _ = Describe("Extended headers", func() {
	for _, a := range []subject.Operation{subject.CopyIn, subject.CopyOut, subject.Map} {
		It("are used in every request of "+string(a), ID("client.extended."+string(a)),
			MUST("trans.extended.request", "trans.extended.write-payload", "cmdflag.payload-len.nonzero"),
			AboutExtendedHeaders(), Asks(a),
			TrippedBy(extendedTrip[a], extendedText[a]),
			func(ctx context.Context) {
				v := Ask(ctx)

				used := false
				for _, c := range v.Conns {
					used = used || c.Session != nil && c.Session.Extended
				}
				if !used {
					Unsuited("does-not-negotiate-extended-headers")
				}
				Expect(v).To(GoWell())
			})
	}
})

var (
	extendedTrip = map[subject.Operation]quirk.Quirk{
		subject.CopyIn: quirk.WriteUnannounced, subject.CopyOut: quirk.CompactHeader, subject.Map: quirk.PayloadEmpty,
	}
	extendedText = map[subject.Operation]string{
		subject.CopyIn: "without NBD_CMD_FLAG_PAYLOAD_LEN", subject.CopyOut: "a request is due", subject.Map: "NBD_CMD_FLAG_PAYLOAD_LEN and length 0",
	}
)

var _ = Describe("A resize", func() {
	It("is asked for only where the server offers it", ID("client.resize.unadvertised"),
		MUST("resize.needs-flag"),
		Asks(subject.Resize),
		TrippedBy(quirk.ResizeUnadvertised, "NBD_CMD_RESIZE is sent"),
		func(ctx context.Context) {
			v := Ask(ctx, To(2*Size))

			Expect(v).To(GoWrong())
		})

	It("that shrinks waits for what is under way", ID("client.resize.shrink"),
		MUST("resize.outstanding"),
		Asks(subject.Resize),
		TrippedBy(quirk.ResizeOutstanding, "resize.outstanding"),
		func(ctx context.Context) {
			v := Ask(ctx, Resizable(), To(Size/2))

			Expect(v).To(GoWell())
		})

	It("that grows is waited for", ID("client.resize.grow"),
		MUST("resize.between"),
		Asks(subject.Resize),
		TrippedBy(quirk.ResizeBetween, "resize.between"),
		func(ctx context.Context) {
			v := Ask(ctx, Resizable(), To(2*Size), Hooked(server.Hooks{Reply: func(x *server.Exchange) {
				x.Delay = pause
			}}))

			Expect(v).To(GoWell())
		})
})
