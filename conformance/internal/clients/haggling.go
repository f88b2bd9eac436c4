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
	"nbdconform/reference/wire"
)

var anything = []subject.Operation{subject.CopyOut, subject.CopyIn, subject.Compare, subject.Map, subject.Info, subject.List, subject.Visit, subject.Zero}

// odd is a name that takes care to write in a URI and to read there.
const odd = "disk/a b?c#d%41é"

var _ = Describe("The path of a URI", func() {
	// "the path part of the URI except for the leading `/` character MUST be passed to the server as the export name"
	for _, a := range []subject.Operation{subject.CopyOut, subject.Visit, subject.Map, subject.Compare} {
		It("is the name of the export for "+string(a), ID("client.uri.export."+string(a)),
			MUST("uri.export"),
			Asks(a),
			TrippedBy(quirk.ExportSlash, "want success"),
			func(ctx context.Context) {
				v := Ask(ctx, Exporting(func(e *server.Export) { e.Name = odd }), With(func(c *server.Config) { c.NoDefault = true }))

				Expect(v).To(GoWell())
			})
	}
})

var _ = Describe("Haggling", func() {
	// "The client MUST NOT set any other flags" and sets NBD_FLAG_C_NO_ZEROES
	// "MUST NOT ... unless NBD_FLAG_NO_ZEROES was set by the server"
	It("starts with no flag that was not offered", ID("client.flags.no-zeroes"),
		MUST("flag.client.no-zeroes"),
		Asks(anything[0], anything[1:]...),
		TrippedBy(quirk.NoZeroesUnoffered, "the server offered"),
		func(ctx context.Context) {
			v := Ask(ctx, Hooked(server.Hooks{Greeting: func(x *server.GreetingExchange) {
				x.Greeting.Flags &^= wire.FlagNoZeroes
			}}))

			Expect(v).To(GoWell())
		})

	It("goes one option at a time", ID("client.one-option"),
		MUST("handshake.option.one-at-a-time"),
		Asks(subject.CopyOut, subject.Visit, subject.CopyIn, subject.Map, subject.Info, subject.List),
		TrippedBy(quirk.OptionsAtOnce, "has no final reply yet"),
		func(ctx context.Context) {
			v := Ask(ctx, Hooked(server.Hooks{OptionReply: func(x *server.OptionExchange) { x.Delay = pause }}))

			Expect(v).To(GoWell())
		})

	// "If the server replies with NBD_REP_ERR_SHUTDOWN, the client MUST initiate a soft disconnect."
	for _, o := range []wire.Option{wire.OptGo, wire.OptStructuredReply, wire.OptSetMetaContext, wire.OptList, wire.OptListMetaContext, wire.OptExtendedHeaders} {
		It("ends with NBD_OPT_ABORT when the server shuts down at "+o.String(), ID("client.shutdown."+short(o)),
			MUST("haggling.shutdown.abort"),
			Asks(asked(o)[0], asked(o)[1:]...),
			TrippedBy(quirk.ShutdownIgnored, "NBD_REP_ERR_SHUTDOWN"),
			func(ctx context.Context) {
				var ways []Way
				if o == wire.OptStructuredReply { // which clients may leave out where they get extended headers
					ways = append(ways, Compact)
				}
				v := Ask(ctx, append(ways, Hooked(server.Hooks{OptionReply: func(x *server.OptionExchange) {
					if x.Is(o) {
						x.Fail(wire.RepErrShutdown, "closing time")
						x.Session.Structured, x.Session.Extended = x.Session.Structured && !x.Is(wire.OptStructuredReply), x.Session.Extended && !x.Is(wire.OptExtendedHeaders)
					}
				}}))...)

				v.Provoked("does-not-use", o)
				Expect(v).To(AbortNext())
			})
	}

	// "The client MUST NOT initiate a hard disconnect" where it could send NBD_OPT_ABORT
	It("ends with NBD_OPT_ABORT when there is no such export", ID("client.abort.unknown"),
		MUST("haggling.hard.unjustified.client", "baseline.client.abort"),
		Asks(subject.CopyOut, subject.Visit, subject.CopyIn, subject.Map, subject.Info),
		TrippedBy(quirk.Abortless, "hangs up without NBD_OPT_ABORT"),
		func(ctx context.Context) {
			v := Ask(ctx, Hooked(server.Hooks{OptionReply: func(x *server.OptionExchange) {
				if x.Is(wire.OptGo, wire.OptInfo) {
					x.Fail(wire.RepErrUnknown, "no such export")
				}
			}}))

			Expect(v).To(GoWrong())
		})

	It("ends with NBD_OPT_ABORT when all is said", ID("client.abort.done"),
		MUST("haggling.hard.unjustified.client", "baseline.client.abort"),
		Asks(subject.List, subject.Info),
		TrippedBy(quirk.Abortless, "hangs up without NBD_OPT_ABORT"),
		func(ctx context.Context) {
			v := Ask(ctx)

			Expect(v).To(GoWell())
		})

	// "the client MUST drop the connection" once NBD_OPT_ABORT was answered
	It("is over after NBD_OPT_ABORT", ID("client.abort.drop"),
		MUST("haggling.abort.drop"),
		Asks(subject.List, subject.Info),
		TrippedBy(quirk.AbortStays, "is sent although NBD_OPT_ABORT was answered"),
		func(ctx context.Context) {
			v := Ask(ctx, staying)

			if !Sent(v, wire.OptAbort) {
				Unsuited("leaves-without-abort")
			}
			Expect(v).To(BeOver())
		})

	// "the client SHOULD gracefully handle the server closing the connection after receiving an `NBD_OPT_ABORT` without
	// it sending a reply."
	It("may end without a reply to NBD_OPT_ABORT", ID("client.abort.unanswered"),
		SHOULD("opt.abort.closed-without-reply"),
		Asks(subject.List, subject.Info),
		Provokes("opt.abort.ack"),
		TrippedBy(quirk.AbortAckDemanded, "want success"),
		func(ctx context.Context) {
			v := Ask(ctx, Hooked(server.Hooks{OptionReply: func(x *server.OptionExchange) {
				if x.Is(wire.OptAbort) {
					x.Silent = true
				}
			}}))

			v.Provoked("leaves-without-abort")
			Expect(v).To(GoWell())
		})

	It("bears information of types that nobody knows", ID("client.info.unknown"),
		MUST("opt.info.unknown-reply"),
		Asks(subject.CopyOut, subject.Visit, subject.CopyIn, subject.Map, subject.Info),
		TrippedBy(quirk.InfoUnknownFatal, "want success"),
		func(ctx context.Context) {
			v := Ask(ctx, Hooked(server.Hooks{OptionReply: func(x *server.OptionExchange) {
				if x.Is(wire.OptGo, wire.OptInfo) {
					x.Insert(wire.RepInfo, wire.Info{Type: 0x7a31, Payload: []byte("unheard of")}.Append(nil))
				}
			}}))

			v.Provoked("uses-neither-opt-go-nor-opt-info")
			Expect(v).To(GoWell())
		})

	// "the client MUST NOT rely on the order of NBD_REP_INFO replies"
	It("bears information in any order", ID("client.info.order"),
		MUST("rep.info.no-order"),
		Asks(subject.CopyOut, subject.Visit, subject.CopyIn, subject.Map, subject.Info),
		TrippedBy(quirk.InfoOrdered, "want success"),
		func(ctx context.Context) {
			v := Ask(ctx, Constrained(512, 4096, 1<<20), Hooked(server.Hooks{OptionReply: func(x *server.OptionExchange) {
				if n := len(x.Replies) - 1; x.Is(wire.OptGo, wire.OptInfo) && n > 1 {
					for i := range n / 2 {
						x.Replies[i], x.Replies[n-1-i] = x.Replies[n-1-i], x.Replies[i]
					}
				}
			}}))

			v.Provoked("asks-nothing-but-info-export")
			Expect(v).To(GoWell())
		})
})
