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

var _ = Describe("A read-only export", func() {
	// "The server MUST NOT set the flag for features it does not support."
	It("does not advertise commands that only write", ID("read-only.flags"),
		MUST("flag.transmission.unsupported.read-only"),
		Needs(feature.ReadOnly),
		TrippedBy(quirk.FlagsReadOnlyWithTrim, "want neither"),
		func(ctx context.Context) {
			s := Enter(ctx)

			Expect(s.Flags&(wire.FlagSendTrim|wire.FlagSendWriteZeroes)).To(BeZero(),
				"no-writing-flags", s.Flags)
		})

	// "If this flag is set, the server MUST error subsequent write operations to the export."
	It("refuses NBD_CMD_WRITE and stays as it is", ID("read-only.write"),
		MUST("flag.transmission.read-only.writes"),
		Needs(feature.ReadOnly), Attempts(), AtLeast(512),
		TrippedBy(quirk.WriteReadOnlyAccepted, "want a reply with an error"),
		TrippedBy(quirk.ReadOnlyRefusedAndDone, "differs"),
		func(ctx context.Context) {
			s := Enter(ctx)
			before := s.Read(0, Room(ctx, 1))

			r := s.Do(wire.Request{Type: wire.CmdWrite, Length: uint64(len(before))}, inverted(before)...)

			Expect(r).To(BeReply(WithAnyError()))
			Expect(s.Read(0, uint64(len(before)))).To(HaveBytes(before))
		})

	// "Finally, it SHOULD return `NBD_EPERM` if it receives a write or trim request on a read-only export."
	It("answers NBD_CMD_WRITE with NBD_EPERM", ID("read-only.write.eperm"),
		SHOULD("err.write.read-only"),
		Needs(feature.ReadOnly), Attempts(), AtLeast(512),
		TrippedBy(quirk.WriteReadOnlyEINVAL, "want a reply with NBD_EPERM"),
		func(ctx context.Context) {
			s := Enter(ctx)
			before := s.Read(0, Room(ctx, 1))

			r := s.Do(wire.Request{Type: wire.CmdWrite, Length: uint64(len(before))}, before...)

			Expect(r).To(BeReply(WithError(wire.EPERM)))
		})

	// "C: (*length* bytes of data if the request is of type `NBD_CMD_WRITE`)": also of one that fails.
	It("takes the payload of NBD_CMD_WRITE for data and goes on", ID("read-only.write.payload"),
		MUST("trans.cookie.echo", "trans.end.unjustified.server"),
		Needs(feature.ReadOnly), Attempts(), AtLeast(512),
		TrippedBy(quirk.WriteRefusedPayloadObeyed, "cookie 0xbad0"),
		TrippedBy(quirk.WriteRefusedPayloadUnread, "the conversation to be in step"),
		func(ctx context.Context) {
			s := Enter(ctx)
			for _, n := range []uint64{Room(ctx, 1), min(FactsOf(ctx).Largest(), 1<<20)} {
				r := s.Do(wire.Request{Type: wire.CmdWrite, Length: n}, Orders(n)...)

				Expect(r).To(BeReply())
				Expect(s.InStep()).To(BeInStep())
			}
		})

	// "This flag is valid for all commands [...] the server MUST accept all commands with this bit set": for
	// a write that has to fail it changes nothing.
	It("refuses NBD_CMD_WRITE with NBD_CMD_FLAG_FUA", ID("read-only.write.fua"),
		MUST("flag.transmission.read-only.writes"),
		Needs(feature.ReadOnly, feature.FUA), Attempts(), AtLeast(512),
		TrippedBy(quirk.WriteReadOnlyAccepted, "want a reply with an error"),
		func(ctx context.Context) {
			s := Enter(ctx)
			before := s.Read(0, Room(ctx, 1))

			r := s.Do(wire.Request{Type: wire.CmdWrite, Flags: wire.CmdFlagFUA, Length: uint64(len(before))}, inverted(before)...)

			Expect(r).To(BeReply(WithAnyError()))
			Expect(s.Read(0, uint64(len(before)))).To(HaveBytes(before))
		})

	// "If this flag is set, the server MUST error subsequent write operations to the export."
	It("refuses NBD_CMD_WRITE_ZEROES that it advertises", ID("read-only.write-zeroes"),
		MUST("flag.transmission.read-only.writes"),
		Needs(feature.ReadOnly, feature.WriteZeroes), Attempts(), AtLeast(512),
		TrippedBy(quirk.ReadOnlyOffersWrites, "want a reply with an error"),
		func(ctx context.Context) { refusesReadOnly(ctx, wire.CmdWriteZeroes) })

	// "It SHOULD return `NBD_EPERM` if it receives a write zeroes request on a read-only export."
	It("answers NBD_CMD_WRITE_ZEROES that it advertises with NBD_EPERM", ID("read-only.write-zeroes.eperm"),
		SHOULD("cmd.write-zeroes.read-only"),
		Needs(feature.ReadOnly, feature.WriteZeroes), Attempts(), AtLeast(512),
		TrippedBy(quirk.ZeroesReadOnlyEINVAL, "want a reply with NBD_EPERM"),
		func(ctx context.Context) {
			r := Enter(ctx).Do(wire.Request{Type: wire.CmdWriteZeroes, Length: Room(ctx, 1)})

			Expect(r).To(BeReply(WithError(wire.EPERM)))
		})

	// "the server MUST error subsequent write operations", and a client that asks for what was not advertised
	// may also be hung up on.
	It("does not serve NBD_CMD_WRITE_ZEROES that it does not advertise", ID("read-only.write-zeroes.unadvertised"),
		MUST("flag.transmission.read-only.writes"),
		Needs(feature.ReadOnly), Without(feature.WriteZeroes), Attempts(), AtLeast(512),
		Provokes("cmd.write-zeroes.needs-flag"),
		TrippedBy(quirk.ZeroesReadOnlyAccepted, "want a reply with an error"),
		TrippedBy(quirk.ReadOnlyRefusedAndDone, "differs"),
		func(ctx context.Context) { refusesReadOnly(ctx, wire.CmdWriteZeroes) })

	// "If this flag is set, the server MUST error subsequent write operations to the export."
	It("refuses NBD_CMD_TRIM that it advertises", ID("read-only.trim"),
		MUST("flag.transmission.read-only.writes"),
		Needs(feature.ReadOnly, feature.Trim), Attempts(), AtLeast(512),
		TrippedBy(quirk.ReadOnlyOffersWrites, "want a reply with an error"),
		func(ctx context.Context) { refusesReadOnly(ctx, wire.CmdTrim) })

	// "Finally, it SHOULD return `NBD_EPERM` if it receives a write or trim request on a read-only export."
	It("answers NBD_CMD_TRIM that it advertises with NBD_EPERM", ID("read-only.trim.eperm"),
		SHOULD("err.trim.read-only"),
		Needs(feature.ReadOnly, feature.Trim), Attempts(), AtLeast(512),
		TrippedBy(quirk.TrimReadOnlyEINVAL, "want a reply with NBD_EPERM"),
		func(ctx context.Context) {
			r := Enter(ctx).Do(wire.Request{Type: wire.CmdTrim, Length: Room(ctx, 1)})

			Expect(r).To(BeReply(WithError(wire.EPERM)))
		})

	// "the server MUST error subsequent write operations", and a client that asks for what was not advertised
	// may also be hung up on.
	It("does not serve NBD_CMD_TRIM that it does not advertise", ID("read-only.trim.unadvertised"),
		MUST("flag.transmission.read-only.writes"),
		Needs(feature.ReadOnly), Without(feature.Trim), Attempts(), AtLeast(512),
		Provokes("cmd.trim.needs-flag"),
		TrippedBy(quirk.TrimReadOnlyAccepted, "want a reply with an error"),
		func(ctx context.Context) { refusesReadOnly(ctx, wire.CmdTrim) })

	// "The server SHOULD return `NBD_EPERM`" for either; what is not advertised may be unknown as well.
	It("answers NBD_EPERM or NBD_EINVAL to writing commands that it does not advertise", ID("read-only.unadvertised.error"),
		SHOULD("cmd.write-zeroes.read-only", "err.trim.read-only", "err.unknown-command"),
		Needs(feature.ReadOnly), Without(feature.Trim, feature.WriteZeroes), Attempts(), AtLeast(512),
		Provokes("cmd.trim.needs-flag", "cmd.write-zeroes.needs-flag"),
		TrippedBy(quirk.ZeroesReadOnlyAccepted, "want a reply with NBD_EPERM or NBD_EINVAL"),
		func(ctx context.Context) {
			for _, c := range []wire.Command{wire.CmdTrim, wire.CmdWriteZeroes} {
				s := Enter(ctx)

				r := s.Do(wire.Request{Type: c, Length: Room(ctx, 1)})

				Expect(r).To(BeReplyOrEnd(WithError(wire.EPERM, wire.EINVAL)))
				s.Leave()
			}
		})
})

// refusesReadOnly tries a command without payload that would change the
// export, over blocks that are not zero if there are any.
func refusesReadOnly(ctx context.Context, c wire.Command) {
	s := Enter(ctx)
	n := Room(ctx, 1)
	at := uint64(0)
	for end := min(s.Size, 1<<20); at+n < end && Zeroes(s.Read(at, n)); at += n {
		continue
	}
	before := s.Read(at, n)

	r := s.Do(wire.Request{Type: c, Offset: at, Length: n})
	s.Leave()

	if s.Flags&wire.FlagSendTrim != 0 && c == wire.CmdTrim || s.Flags&wire.FlagSendWriteZeroes != 0 && c == wire.CmdWriteZeroes {
		Expect(r).To(BeReply(WithAnyError()))
	} else {
		Expect(r).To(BeReplyOrEnd(WithAnyError()))
	}
	Expect(Enter(ctx).Read(at, n)).To(HaveBytes(before))
}

// inverted is b with every bit turned over.
func inverted(b []byte) []byte {
	c := make([]byte, len(b))
	for i := range b {
		c[i] = ^b[i]
	}
	return c
}
