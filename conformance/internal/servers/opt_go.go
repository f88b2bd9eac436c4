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

var _ = Describe("NBD_OPT_GO", func() {
	// "after a successful reply to NBD_OPT_GO (i.e. one or more NBD_REP_INFO then an NBD_REP_ACK),
	// transmission mode is entered immediately"
	It("enters the transmission phase", ID("go.enter"),
		MUST("baseline.server.go", "opt.info.export-before-ack"),
		TrippedBy(quirk.GoUnsupported, "want the final reply NBD_REP_ACK"),
		TrippedBy(quirk.GoNotEntered, "want the conversation to be in step"),
		TrippedBy(quirk.InfoWithoutExport, "is acknowledged without NBD_INFO_EXPORT"),
		func(ctx context.Context) {
			s := Haggle(ctx)

			a := s.Go(wire.InfoBlockSize)

			Expect(a).To(BeAnswered(FactsOf(ctx).OrRefusal(wire.RepAck)...))
			Expect(s.InStep()).To(BeInStep())
		})

	// "The server MUST NOT send any zero padding bytes after the NBD_REP_ACK data, whether or not the client
	// negotiated the NBD_FLAG_C_NO_ZEROES flag."
	It("is followed by no zeroes", ID("go.no-padding"),
		MUST("opt.info.go-no-padding"),
		Needs(feature.Info),
		TrippedBy(quirk.GoPadding, "opt.info.go-no-padding"),
		func(ctx context.Context) {
			for _, flags := range []wire.ClientFlags{wire.FlagCFixedNewstyle, wire.ClientFlags(FactsOf(ctx).Flags)} {
				s := Open(ctx)
				s.Greeting()
				s.SendFlags(flags)

				a := s.Go(wire.InfoBlockSize)

				if a.Type() == wire.RepAck {
					Expect(s.InStep()).To(BeInStep(), "case.client-flags", flags)
				}
			}
		})

	// "If there are no intervening option requests between a successful NBD_OPT_INFO ... and an NBD_OPT_GO
	// with the same parameters (including the list of information items requested), then the server MUST
	// reply with the same set of information"
	It("tells what NBD_OPT_INFO told", ID("go.as-info"),
		MUST("opt.info.repeatable"),
		Needs(feature.Info),
		TrippedBy(quirk.GoOtherSize, "opt.info.repeatable"),
		TrippedBy(quirk.GoOtherFlags, "opt.info.repeatable"),
		func(ctx context.Context) {
			for _, structured := range []bool{false, true} {
				for _, infos := range [][]wire.InfoType{
					nil,
					{wire.InfoBlockSize},
					{wire.InfoDescription, wire.InfoName, wire.InfoBlockSize, wire.InfoExport},
				} {
					s := Haggle(ctx)
					if structured {
						s.Option(wire.OptStructuredReply, nil)
					}
					if s.Option(wire.OptInfo, about(ctx, infos...)).Type() != wire.RepAck {
						continue // it may be asked for its size constraints, or not at all
					}

					a := s.Go(infos...)

					Expect(a).To(BeAnswered(wire.RepAck), "same-as-info")
				}
			}
		})

	// "The client MUST NOT send further option requests unless the final reply from the server indicates an
	// error", and may then.
	It("leaves a client that it refuses to haggle on", ID("go.refused"),
		MUST("baseline.server.go", "haggling.hard.unjustified.server", "haggling.unwelcome.error"),
		TrippedBy(quirk.UnknownExportHangup, "want the conversation to be in step"),
		TrippedBy(quirk.UnknownExportInvalid, "got NBD_REP_ERR_INVALID"),
		func(ctx context.Context) {
			name := MissingExport(ctx)
			s := Haggle(ctx)

			a := s.Option(wire.OptGo, wire.InfoRequest{Export: name, Infos: []wire.InfoType{wire.InfoBlockSize}})

			Expect(a).To(BeAnswered(FactsOf(ctx).OrRefusal(wire.RepErrUnknown)...))
			Expect(s.InStep()).To(BeInStep())
			if FactsOf(ctx).Entered {
				Expect(s.Go(wire.InfoBlockSize)).To(BeAnswered(wire.RepAck), "case.existing-export")
				Expect(s.InStep()).To(BeInStep())
			}
		})

	// "The server MUST ignore any information requests it does not understand."
	It("ignores requests for information that nobody defined", ID("go.unknown-request"),
		MUST("opt.info.unknown-request"),
		Needs(feature.Info),
		TrippedBy(quirk.InfoUnknownRequestRejected, "got NBD_REP_ERR_INVALID"),
		func(ctx context.Context) {
			if !FactsOf(ctx).Entered {
				verdict.Unsupported("export-cannot-be-entered")
			}
			s := Haggle(ctx)

			a := s.Go(0x4e42, wire.InfoBlockSize, 0xfffe)

			Expect(a).To(BeAnswered(wire.RepAck))
			Expect(s.InStep()).To(BeInStep())
		})

	// NBD_FLAG_SEND_DF: the server "MUST leave this flag clear if structured replies have not been
	// negotiated"
	It("does not offer NBD_CMD_FLAG_DF without structured replies", ID("go.flags.df"),
		MUST("flag.transmission.send-df.structured", "opt.structured-reply.extensions-after"),
		Needs(feature.Info),
		TrippedBy(quirk.FlagsDFUnnegotiated, "structured replies were not negotiated"),
		func(ctx context.Context) {
			s := Haggle(ctx)
			s.Option(wire.OptInfo, about(ctx, wire.InfoBlockSize))

			a := s.Go(wire.InfoBlockSize)

			Expect(a).To(BeAnswered(FactsOf(ctx).OrRefusal(wire.RepAck)...))
		})

	// NBD_FLAG_SEND_FAST_ZERO: the server "MUST set this transmission flag to 0 if
	// NBD_FLAG_SEND_WRITE_ZEROES is not set"
	It("offers fast zeroes only with zeroes", ID("go.flags.fast-zero"),
		MUST("flag.transmission.fast-zero.write-zeroes"),
		Needs(feature.FastZero),
		TrippedBy(quirk.FlagsFastZeroAlone, "SEND_FAST_ZERO without SEND_WRITE_ZEROES"),
		func(ctx context.Context) {
			s := Enter(ctx)

			Expect(s.Flags&wire.FlagSendWriteZeroes).NotTo(BeZero(), "send-fast-zero-without-send-write-zeroes", s.Flags)
		})
})
