package servers

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	. "nbdconform/conformance/match"
	. "nbdconform/conformance/spec"
	. "nbdconform/conformance/trial"
	"nbdconform/reference/quirk"
	"nbdconform/reference/wire"
)

var _ = Describe("The greeting", func() {
	// "NBD_FLAG_FIXED_NEWSTYLE; MUST be set by servers that support the fixed newstyle
	// protocol", and the fixed newstyle handshake is part of the baseline.
	It("offers the fixed newstyle handshake", ID("greeting.fixed-newstyle"),
		MUST("baseline.server.fixed-newstyle", "flag.handshake.fixed-newstyle", "layout.greeting"),
		TrippedBy(quirk.GreetingNotFixed, "want NBD_FLAG_FIXED_NEWSTYLE"),
		func(ctx context.Context) {
			s := Open(ctx)

			g := s.Greeting()

			Expect(g.Flags&wire.FlagFixedNewstyle).NotTo(BeZero(), "want NBD_FLAG_FIXED_NEWSTYLE, got handshake flags %v", g.Flags)
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

				s.SendFlags(s.Polite() | undefined)
				a := s.Option(wire.OptAbort, nil) // a server that goes on answers this

				Expect(a).To(BeEnded(), "for client flags %#x", uint32(undefined))
			}
		})
})
