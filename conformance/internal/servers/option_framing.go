package servers

import (
	"context"

	. "github.com/onsi/ginkgo/v2"

	"nbdconform/conformance/clause"
	"nbdconform/conformance/feature"
	. "nbdconform/conformance/internal/expect"
	. "nbdconform/conformance/internal/match"
	. "nbdconform/conformance/internal/session"
	. "nbdconform/conformance/internal/spec"
	quirk "nbdconform/reference/quirk/server"
	"nbdconform/reference/wire"
)

var _ = Describe("The framing of options", func() {
	// "The client MUST NOT send any option until it has received a final reply to any option it has sent": what
	// a server makes of one that does is open, but it answers or leaves.
	It("may bear several options in one piece", ID("framing.glued"),
		MAY("haggling.violation.hard.server"),
		Needs(feature.FixedNewstyle), Provokes("handshake.option.one-at-a-time"),
		func(ctx context.Context) {
			s := Haggle(ctx)
			first, second := wire.OptionRequest{Option: UnknownOption, Data: []byte("1")}, wire.OptionRequest{Option: UnknownOption + 1}

			sent := s.Raw(second.Append(first.Append(nil)))
			a := s.AnswerTo(first, sent)
			b := s.AnswerTo(second, sent)

			Expect(a).To(BeFinal())
			Expect(b).To(BeFinal())
			Observe(ctx, "two options in one piece", "%s, %s", a.Summary(), b.Summary())
		})

	// "C: 64 bits, 0x49484156454F5054 (ASCII 'IHAVEOPT')"
	It("may end the session over a wrong magic number", ID("framing.magic"),
		MAY("haggling.violation.hard.server"),
		Needs(feature.FixedNewstyle), Provokes("layout.option.magic"),
		func(ctx context.Context) {
			s := Haggle(ctx)
			q := wire.OptionRequest{Option: UnknownOption}
			b := q.Append(nil)
			b[7] ^= 1

			a := s.AnswerTo(q, s.Raw(b))

			Expect(a).To(BeAnsweredWithErrorOrEnd())
			Observe(ctx, "option with a wrong magic number", "%s", a.Summary())
		})

	// "C: 32 bits, length of option data (unsigned)": up to 2^32 - 1, of which a server need not take everything.
	for _, huge := range []struct {
		id       string
		option   wire.Option
		provokes []clause.ID
	}{
		{"list", wire.OptList, []clause.ID{"opt.list.no-data"}},
		{"info", wire.OptInfo, nil},
		{"starttls", wire.OptStartTLS, []clause.ID{"opt.starttls.no-data"}},
		{"unknown", UnknownOption, nil},
	} {
		It("may announce 4294967295 bytes behind "+huge.option.String()+" and harm nobody", ID("framing.huge."+huge.id),
			MUST("baseline.server.fixed-newstyle"),
			Needs(feature.FixedNewstyle), Provokes("haggling.hard.unjustified.client", huge.provokes...),
			TrippedBy(quirk.CrashOnHugeOption, "the server died"),
			func(ctx context.Context) {
				s := HaggleInClear(ctx)

				s.Raw(append(wire.OptionHeader{Option: huge.option, Length: 1<<32 - 1}.Append(nil), Pattern(2, 1<<16)...))

				Expect(Haggle(ctx).InStep()).To(BeInStep(), "case.second-connection")
				s.Close()
				Expect(Haggle(ctx).InStep()).To(BeInStep(), "case.connection-after")
			})
	}
})
