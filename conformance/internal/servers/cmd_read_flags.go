package servers

import (
	"context"

	. "github.com/onsi/ginkgo/v2"

	. "nbdconform/conformance/internal/expect"
	. "nbdconform/conformance/internal/match"
	. "nbdconform/conformance/internal/session"
	. "nbdconform/conformance/internal/spec"
	quirk "nbdconform/reference/quirk/server"
	"nbdconform/reference/wire"
)

var _ = Describe("A flag of NBD_CMD_READ", func() {
	// "The server SHOULD return NBD_EINVAL if it receives an unknown command flag."
	It("that nobody knows makes it fail with NBD_EINVAL", ID("read.unknown-flag"),
		SHOULD("err.unknown-flag"),
		Provokes("cmdflag.documented"),
		TrippedBy(quirk.UnknownFlagAccepted, "want a reply with NBD_EINVAL"),
		func(ctx context.Context) {
			b := Room(ctx, 1)
			for _, mode := range forms(ctx) {
				for bit := 6; bit < 16; bit++ {
					refusesFlag(ctx, wire.Request{Flags: 1 << bit, Length: b}, mode...)
				}
			}
		})

	// "It also SHOULD return NBD_EINVAL if it receives a request with a flag not explicitly
	// documented as applicable to the given request."
	It("that belongs to another command makes it fail with NBD_EINVAL", ID("read.inapplicable-flag"),
		SHOULD("err.inapplicable-flag"),
		Provokes("cmdflag.documented"),
		TrippedBy(quirk.InapplicableFlagAccepted, "want a reply with NBD_EINVAL"),
		func(ctx context.Context) {
			b := Room(ctx, 1)
			for _, mode := range forms(ctx) {
				for _, flag := range []wire.CommandFlags{
					wire.CmdFlagNoHole, wire.CmdFlagReqOne, wire.CmdFlagFastZero,
				} {
					refusesFlag(ctx, wire.Request{Flags: flag, Length: b}, mode...)
				}
			}
		})

	// NBD_CMD_FLAG_PAYLOAD_LEN is "defined by the experimental EXTENDED_HEADERS extension",
	// which is not negotiated here.
	It("that belongs to an extension makes it fail with NBD_EINVAL", ID("read.extension-flag"),
		SHOULD("err.inapplicable-flag"),
		Provokes("cmdflag.documented"),
		TrippedBy(quirk.UnknownFlagAccepted, "want a reply with NBD_EINVAL"),
		func(ctx context.Context) {
			b := Room(ctx, 1)
			for _, mode := range compactForms(ctx) {
				refusesFlag(ctx, wire.Request{Flags: wire.CmdFlagPayloadLen, Length: b}, mode...)
			}
		})

	// "The server SHOULD return NBD_EINVAL": one fault more does not make it another one.
	It("that is wrong is refused together with a range that is", ID("read.flag-and-range"),
		SHOULD("err.unknown-flag", "err.read.bounds"),
		Provokes("cmdflag.documented", "size.bounds.client"),
		TrippedBy(quirk.ReadBeyondENOSPC, "want a reply with NBD_EINVAL"),
		func(ctx context.Context) {
			b := Room(ctx, 1)
			for _, mode := range forms(ctx) {
				q := wire.Request{Flags: 1 << 14, Offset: FactsOf(ctx).Last() + b, Length: b}
				refusesFlag(ctx, q, mode...)
			}
		})
})

// refusesFlag expects NBD_EINVAL, and that the conversation goes on.
func refusesFlag(ctx context.Context, q wire.Request, mode ...Mode) {
	s := Enter(ctx, mode...)

	Expect(s.Do(q)).To(BeReplyOrEnd(WithError(wire.EINVAL)), "case.flags", q.Flags)
	Expect(s.InStepOrGone()).To(BeInStep())
}
