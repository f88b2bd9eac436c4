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

var _ = Describe("The greeting", func() {
	// "NBD_FLAG_FIXED_NEWSTYLE; MUST be set by servers that support the fixed newstyle
	// protocol", and the fixed newstyle handshake is part of the baseline.
	It("offers the fixed newstyle handshake", ID("greeting.fixed-newstyle"),
		MUST("baseline.server.fixed-newstyle", "flag.handshake.fixed-newstyle", "opt.export-name.fixed-newstyle", "layout.greeting"),
		TrippedBy(quirk.GreetingNotFixed, "takes part in NBD_OPT_LIST"),
		TrippedBy(quirk.HandshakeNewstyle, "want NBD_FLAG_FIXED_NEWSTYLE"),
		TrippedBy(quirk.HandshakeOldstyle, "the server speaks oldstyle negotiation"),
		TrippedBy(quirk.GreetingCutShort, "waiting for the greeting"),
		TrippedBy(quirk.SecondConnectionRefused, "waiting for the greeting"),
		func(ctx context.Context) {
			s := Open(ctx)

			g := s.Greeting()

			if g.Flags&wire.FlagFixedNewstyle != 0 {
				return
			}
			s.SendFlagsInClear(s.Polite())
			more := "hangs up on"
			if a := s.Option(wire.OptList, nil); a.End == Complete {
				more = "takes part in"
			}
			Expect(g.Flags&wire.FlagFixedNewstyle).NotTo(BeZero(),
				"fixed-newstyle-flag", g.Flags, more)
		})

	// "The server SHOULD refuse to allow oldstyle negotiations on the newstyle port." It speaks first, so
	// whoever greets in newstyle does so always.
	It("is in newstyle on every connection", ID("greeting.newstyle-only"),
		SHOULD("handshake.port.newstyle-only", "baseline.server.fixed-newstyle"),
		TrippedBy(quirk.OldstyleNowAndThen, "the server speaks oldstyle negotiation"),
		func(ctx context.Context) {
			for range 4 {
				s := Haggle(ctx)
				s.Leave()
			}
		})

	// "the server MUST drop the TCP connection if the client sets an unknown flag"
	It("ends the session of a client that sets an undefined flag", ID("greeting.client-flags.unknown"),
		MUST("flag.client.unknown.drop"),
		Provokes("flag.client.unknown"),
		TrippedBy(quirk.ClientFlagsUnknownAccepted, "want the end of the session without a word"),
		func(ctx context.Context) {
			for _, undefined := range []wire.ClientFlags{1 << 2, 1 << 15, 1 << 31} {
				s := Open(ctx)
				s.Greeting()

				s.SendFlagsInClear(s.Polite() | undefined)
				a := s.Option(wire.OptList, nil) // a server that goes on answers this

				Expect(a).To(BeEnded(), "case.client-flags-hex", uint32(undefined))
			}
		})

	// "or a flag that does not match something advertised by the server"
	It("ends the session of a client that sets NBD_FLAG_C_NO_ZEROES unoffered", ID("greeting.client-flags.unoffered"),
		MUST("flag.client.unoffered.drop"),
		Without(feature.NoZeroes), Provokes("flag.client.no-zeroes"),
		TrippedBy(quirk.ClientFlagsUnofferedAccepted, "want the end of the session without a word"),
		func(ctx context.Context) {
			s := Open(ctx)
			s.Greeting()

			s.SendFlagsInClear(s.Polite() | wire.FlagCNoZeroes)
			a := s.Option(wire.OptList, nil)

			Expect(a).To(BeEnded())
		})

	// "Servers MAY choose to honour fixed newstyle from clients that didn't set this bit, but relying
	// on this isn't recommended."
	It("may answer options of a client that does not set NBD_FLAG_C_FIXED_NEWSTYLE", ID("greeting.client-flags.none"),
		MAY("flag.client.fixed-newstyle.assumed"),
		Needs(feature.FixedNewstyle), Provokes("flag.client.fixed-newstyle"),
		func(ctx context.Context) {
			s := Open(ctx)
			s.Greeting()
			s.SendFlags(0)

			a := s.Option(wire.OptList, nil)

			Expect(a).To(BeFinal())
			Observe(ctx, "options without NBD_FLAG_C_FIXED_NEWSTYLE", "%v", a.Summary())
		})

	// "C: 32 bits, client flags. This completes the initial phase of negotiation": no answer is due to
	// them, so the first option may follow in the same segment.
	It("reads an option that comes in one piece with the client's flags", ID("greeting.client-flags.glued"),
		MUST("layout.option-reply.answered", "baseline.server.fixed-newstyle"),
		Needs(feature.FixedNewstyle),
		TrippedBy(quirk.ClientFlagsGreedy, "no answer"),
		func(ctx context.Context) {
			s := Open(ctx)
			s.Greeting()
			q := wire.OptionRequest{Option: UnknownOption}

			sent := s.Raw(q.Append(s.Polite().Append(nil)))
			s.FlagsSent(s.Polite())

			Expect(s.AnswerTo(q, sent)).To(BeAnsweredWithError())
		})

	// "C: 64 bits, ... C: 32 bits, option, C: 32 bits, length of option data": fields of a stream,
	// which may arrive in any number of pieces.
	It("reads flags and options that come byte by byte", ID("greeting.dribbled"),
		MUST("baseline.server.fixed-newstyle"),
		Needs(feature.FixedNewstyle),
		TrippedBy(quirk.SegmentsAsMessages, "the server ended the connection"),
		func(ctx context.Context) {
			s := Open(ctx)
			s.Greeting()
			q := wire.OptionRequest{Option: UnknownOption, Data: []byte("a few bytes")}

			s.Dribble(s.Polite().Append(nil))
			s.FlagsSent(s.Polite())
			sent := s.Dribble(q.Append(nil))

			Expect(s.AnswerTo(q, sent)).To(BeAnsweredWithError())
		})
})
