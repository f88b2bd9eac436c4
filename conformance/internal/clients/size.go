package clients

import (
	"context"

	. "github.com/onsi/ginkgo/v2"

	. "nbdconform/conformance/internal/encounter"
	. "nbdconform/conformance/internal/expect"
	. "nbdconform/conformance/internal/spec"
	"nbdconform/conformance/subject"
	quirk "nbdconform/reference/quirk/client"
)

var _ = Describe("Size constraints", func() {
	// "If the client ... it MUST abide by the block size constraints it receives"
	for _, a := range []subject.Operation{subject.CopyOut, subject.CopyIn, subject.Compare, subject.Visit, subject.Map, subject.Zero, subject.Trim} {
		It("are kept by "+string(a), ID("client.constraints."+string(a)),
			MUST("size.client.abide", "size.align.client", "size.client.max-payload"),
			Asks(a),
			TrippedBy(sizeTrip(a), sizeText(a)),
			func(ctx context.Context) {
				v := Ask(ctx, Constrained(4096, 65536, 131072))

				Expect(v).To(TellNoLie())
			})

		It("are kept with simple replies by "+string(a), ID("client.constraints.simple."+string(a)),
			MUST("size.client.abide", "size.align.client", "size.client.max-payload"),
			Asks(a),
			TrippedBy(sizeTrip(a), sizeText(a)),
			func(ctx context.Context) {
				v := Ask(ctx, Plain, Constrained(4096, 65536, 131072))

				Expect(v).To(TellNoLie())
			})
	}

	// "The client MUST NOT send requests beyond the end of the export"
	for _, a := range []subject.Operation{subject.CopyOut, subject.CopyIn, subject.Map, subject.Compare} {
		for name, size := range map[string]uint64{"odd": Size - 200, "blocks": Size - 512, "half": Size/2 + 1} {
			It("and the size of the export, "+name+", bound "+string(a), ID("client.bounds."+name+"."+string(a)),
				MUST("size.bounds.client"),
				Asks(a),
				TrippedBy(quirk.BeyondEnd, "reaches from"),
				func(ctx context.Context) {
					v := Ask(ctx, OfSize(size))

					Expect(v.Conns).NotTo(BeEmpty(), "program-never-connects")
				})
		}
	}
})

func sizeTrip(a subject.Operation) quirk.Quirk {
	if a == subject.CopyIn {
		return quirk.Oversized
	}
	return quirk.Unaligned
}

func sizeText(a subject.Operation) string {
	if a == subject.CopyIn {
		return "the maximum payload size is 131072"
	}
	return "the minimum block size is 4096"
}
