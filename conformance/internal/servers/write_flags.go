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

// Commands with flags that no document defines, and with flags of other
// commands. What only writes has specs here; NBD_CMD_READ, NBD_CMD_CACHE and
// NBD_CMD_BLOCK_STATUS have theirs elsewhere.
var _ = Describe("A command flag", func() {
	for _, c := range []struct {
		command wire.Command
		name    string
		needs   feature.Feature
		stray   []wire.CommandFlags
	}{
		{wire.CmdWrite, "write", feature.Writable, []wire.CommandFlags{
			wire.CmdFlagNoHole, wire.CmdFlagDF, wire.CmdFlagReqOne, wire.CmdFlagFastZero,
		}},
		{wire.CmdWriteZeroes, "write-zeroes", feature.WriteZeroes, []wire.CommandFlags{wire.CmdFlagDF, wire.CmdFlagReqOne}},
		{wire.CmdTrim, "trim", feature.Trim, []wire.CommandFlags{
			wire.CmdFlagNoHole, wire.CmdFlagDF, wire.CmdFlagReqOne, wire.CmdFlagFastZero,
		}},
		{wire.CmdFlush, "flush", feature.Flush, []wire.CommandFlags{
			wire.CmdFlagNoHole, wire.CmdFlagDF, wire.CmdFlagReqOne, wire.CmdFlagFastZero,
		}},
	} {
		// "The server SHOULD return `NBD_EINVAL` if it receives an unknown command flag."
		It("that nobody knows makes "+c.command.String()+" fail with NBD_EINVAL", ID("flags.unknown."+c.name),
			SHOULD("err.unknown-flag"),
			Needs(c.needs), Writes(), AtLeast(512), Provokes("cmdflag.documented"),
			TrippedBy(quirk.UnknownFlagAccepted, "want a reply with NBD_EINVAL"),
			func(ctx context.Context) { refusesFlags(ctx, c.command, 1<<6, 1<<9, 1<<15) })

		// "It also SHOULD return `NBD_EINVAL` if it receives a request with a flag not explicitly documented
		// as applicable to the given request."
		It("of another command makes "+c.command.String()+" fail with NBD_EINVAL", ID("flags.inapplicable."+c.name),
			SHOULD("err.inapplicable-flag"),
			Needs(c.needs), Writes(), AtLeast(512), Provokes("cmdflag.documented"),
			TrippedBy(quirk.InapplicableFlagAccepted, "want a reply with NBD_EINVAL"),
			func(ctx context.Context) { refusesFlags(ctx, c.command, c.stray...) })
	}

	// "C: (*length* bytes of data if the request is of type `NBD_CMD_WRITE`)": also of one that fails.
	It("that nobody knows leaves the payload of NBD_CMD_WRITE what it is", ID("flags.unknown.payload"),
		MUST("trans.cookie.echo"),
		Writes(), AtLeast(512), Provokes("cmdflag.documented"),
		TrippedBy(quirk.WriteRefusedPayloadObeyed, "cookie 0xbad0"),
		func(ctx context.Context) {
			s := Enter(ctx)
			n := Room(ctx, 1)

			r := s.Do(wire.Request{Type: wire.CmdWrite, Flags: 1 << 15, Length: n}, Orders(n)...)

			Expect(r).To(BeReplyOrEnd())
			Expect(s.InStepOrGone()).To(BeInStep())
		})
})

// refusesFlags sends a command with each of the flags.
func refusesFlags(ctx context.Context, c wire.Command, flags ...wire.CommandFlags) {
	for _, f := range flags {
		s := Enter(ctx)
		q := wire.Request{Type: c, Flags: f}
		if c != wire.CmdFlush {
			q.Length = Room(ctx, 1)
		}
		var payload []byte
		if c == wire.CmdWrite {
			payload = Pattern(1, q.Length)
		}

		r := s.Do(q, payload...)

		Expect(r).To(BeReplyOrEnd(WithError(wire.EINVAL)))
		s.Leave()
	}
}
