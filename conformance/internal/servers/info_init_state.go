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

var _ = Describe("NBD_INFO_INIT_STATE", func() {
	// "adding up to 16 bits of information that the server can advertise to the client at connection
	// time about any known initial state of the export"
	It("has 16 bits of flags", ID("init-state.length"),
		MUST("init-state.length"),
		Needs(feature.InitState),
		TrippedBy(quirk.InitStateLong, "init-state.length"),
		func(ctx context.Context) {
			s := Haggle(ctx)

			a := s.Describe(wire.InfoInitState)

			Expect(a).To(BeAnswered(wire.RepAck))
			Observe(ctx, "initial state", "%v", a.InitState())
			Expect(s.InStep()).To(BeInStep())
		})

	// "NBD_INIT_ZERO (the image reads completely as zero)", "this bit is only valid at connection time"
	It("has NBD_INIT_ZERO only if the export reads as zeroes", ID("init-state.zero"),
		MUST("init-state.zero"),
		Needs(feature.InitState), Writes(), AtLeast(1<<20),
		TrippedBy(quirk.InitStateAlways, "NBD_INIT_ZERO"),
		func(ctx context.Context) {
			b := FactsOf(ctx).Block()
			for _, at := range []uint64{0, 4 * b, FactsOf(ctx).Last()} {
				s := Enter(ctx)
				s.Write(at, Pattern(8, b))

				state := Haggle(ctx).Describe(wire.InfoInitState).InitState()

				Expect(state&wire.InitZero).To(BeZero(), "no-init-zero-over-data", at)
				s.Zero(at, b)
			}
		})

	// "it is easy enough to see completely sparse files with both bits set"
	It("may say that an export is zero that reads so", ID("init-state.zeroed"),
		MAY("init-state.allocation"),
		Needs(feature.InitState, feature.BaseAllocation), Writes(), AtLeast(1<<20),
		func(ctx context.Context) {
			const step = 1 << 20
			s := Enter(ctx, BaseAllocation)
			if s.Size > 1<<30 {
				verdict.Unsupported("needs-quickly-zeroed-export", s.Size)
			}
			for at := uint64(0); at < s.Size; at += step {
				s.Zero(at, min(step, s.Size-at))
			}

			state := Haggle(ctx).Describe(wire.InfoInitState).InitState()

			Observe(ctx, "initial state of zeroes", "%v, base:allocation %v", state, s.Map("base:allocation", 0, s.Size))
			if state&wire.InitZero != 0 {
				Expect(Zeroes(s.Read(s.Size/2/step*step, step))).To(BeTrue(), "zeroes-after-init-zero")
			}
		})
})
