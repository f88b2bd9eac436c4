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

// Clients crash and networks fail: whatever the document says of how a client
// ought to leave, the next one is to be served.
var _ = Describe("A client that goes away during the handshake", func() {
	// "The client or the server can disconnect the TCP session without activity at the NBD protocol level."
	It("leaves a server that serves the next one, before options", ID("gone.before-options"),
		MUST("baseline.server.fixed-newstyle"),
		TrippedBy(quirk.CrashOnClientGone, "the server died"),
		func(ctx context.Context) {
			Open(ctx).Close()
			heard := Open(ctx)
			heard.Greeting()
			heard.Close()
			half := Open(ctx)
			half.Greeting()
			half.Raw(half.Polite().Append(nil)[:2])
			half.Close()

			Expect(Haggle(ctx).InStep()).To(BeInStep())
		})

	// The same, at every length of what it has sent.
	It("leaves a server that serves the next one, anywhere in an option", ID("gone.in-option"),
		MUST("baseline.server.fixed-newstyle"),
		Needs(feature.FixedNewstyle), Provokes("haggling.hard.unjustified.client"),
		TrippedBy(quirk.CrashOnClientGone, "the server died"),
		func(ctx context.Context) {
			q := wire.OptionRequest{Option: wire.OptInfo, Data: about(ctx, wire.InfoBlockSize).Append(nil)}
			option := q.Append(nil)
			for _, n := range []int{0, 1, 7, 8, 11, 12, 15, 16, 17, 20, len(option) - 3, len(option) - 1} {
				s := Haggle(ctx)

				s.Raw(option[:n])
				s.Close()
			}

			Expect(Haggle(ctx).InStep()).To(BeInStep())
		})

	// The same, with the server's answer under way.
	It("leaves a server that serves the next one, without hearing an answer", ID("gone.unheard"),
		MUST("baseline.server.fixed-newstyle"),
		Needs(feature.FixedNewstyle), Provokes("haggling.hard.unjustified.client"),
		TrippedBy(quirk.CrashOnClientGone, "the server died"),
		func(ctx context.Context) {
			for _, q := range []wire.OptionRequest{
				{Option: wire.OptList},
				{Option: wire.OptInfo, Data: about(ctx, wire.InfoBlockSize).Append(nil)},
				{Option: wire.OptGo, Data: about(ctx, wire.InfoBlockSize).Append(nil)},
				{Option: wire.OptStructuredReply},
				{Option: UnknownOption, Data: Pattern(4, 100)},
				{Option: wire.OptExportName, Data: []byte(FactsOf(ctx).Export)},
			} {
				s := Haggle(ctx)

				s.Raw(q.Append(nil))
				s.Close()
			}

			Expect(Haggle(ctx).InStep()).To(BeInStep())
		})

	// The same, between options, when much was negotiated already.
	It("leaves a server that serves the next one, between options", ID("gone.between-options"),
		MUST("baseline.server.fixed-newstyle"),
		Needs(feature.FixedNewstyle), Provokes("haggling.hard.unjustified.client"),
		TrippedBy(quirk.CrashOnClientGone, "the server died"),
		func(ctx context.Context) {
			for range 3 {
				s := Haggle(ctx)
				s.Option(wire.OptStructuredReply, nil)
				s.Option(wire.OptList, nil)
				s.Option(wire.OptInfo, about(ctx, wire.InfoBlockSize))

				s.Close()
			}

			Expect(Haggle(ctx).InStep()).To(BeInStep())
		})
})
