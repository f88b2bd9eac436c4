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

// transfers are what moves the data of an export.
var transfers = []subject.Operation{subject.CopyOut, subject.Compare, subject.Visit}

// A good server is the least that a client copes with. The other specs of an
// activity are blocked where it does not.
var _ = Describe("A server that behaves", func() {
	for a, trip := range map[subject.Operation]struct {
		clause string
		quirk  quirk.Quirk
	}{
		subject.Visit:   {"baseline.client.fixed-newstyle", quirk.OldstyleOnly},
		subject.Info:    {"baseline.client.fixed-newstyle", quirk.OldstyleOnly},
		subject.List:    {"baseline.client.fixed-newstyle", quirk.OldstyleOnly},
		subject.Map:     {"baseline.client.fixed-newstyle", quirk.OldstyleOnly},
		subject.Zero:    {"baseline.client.fixed-newstyle", quirk.OldstyleOnly},
		subject.Trim:    {"baseline.client.fixed-newstyle", quirk.OldstyleOnly},
		subject.CopyOut: {"baseline.client.read", quirk.ReadShifted},
		subject.Compare: {"baseline.client.read", quirk.ReadShifted},
		subject.CopyIn:  {"baseline.client.write", quirk.WriteShifted},
	} {
		It("is fit for "+string(a), ID(Baseline+"."+string(a)),
			MUST(clauseID(trip.clause)), GoodServer(),
			Asks(a),
			TrippedBy(trip.quirk, "want success"),
			func(ctx context.Context) {
				v := Ask(ctx)

				Expect(v).To(GoWell())
			})
	}

	// "The client MUST use only baseline features unless it negotiates more" ("Baseline")
	for _, a := range []subject.Operation{subject.CopyOut, subject.CopyIn, subject.Compare, subject.Map, subject.Info, subject.Zero, subject.Trim} {
		It("has nothing beyond the baseline used by "+string(a), ID("client.bare."+string(a)),
			MUST("baseline.client.negotiate", "flag.transmission.client-use", "cmd.flush.needs-flag", "cmd.trim.needs-flag",
				"cmd.write-zeroes.needs-flag", "cmd.block-status.needs-context", "cmdflag.df.needs-flag", "cmdflag.fast-zero.needs-flag"),
			Asks(a),
			TrippedBy(bareTrip[a], bareText[a]),
			func(ctx context.Context) {
				v := Ask(ctx, Plain, Omitting(^wire.FlagHasFlags))

				Expect(v).To(SendNo(wire.CmdFlush, wire.CmdTrim, wire.CmdCache, wire.CmdWriteZeroes, wire.CmdBlockStatus, wire.CmdResize))
				if a == subject.CopyOut || a == subject.Compare || a == subject.Info { // others may be refused where they lack something
					Expect(v).To(GoWell())
				}
				Expect(v).To(TellNoLie())
			})
	}

	It("has no fast zeroes asked for that it does not offer", ID("client.bare.fast-zero"),
		MUST("cmdflag.fast-zero.needs-flag"),
		Asks(subject.Zero, subject.CopyIn),
		TrippedBy(quirk.FastZeroUnadvertised, "NBD_CMD_WRITE_ZEROES has NBD_CMD_FLAG_FAST_ZERO"),
		func(ctx context.Context) {
			v := Ask(ctx, Omitting(wire.FlagSendFastZero))

			Expect(v).To(GoWell())
		})

	// "The client MUST be able to cope with simple replies"
	for _, a := range []subject.Operation{subject.CopyOut, subject.CopyIn, subject.Visit} {
		It("may refuse structured replies to "+string(a), ID("client.simple-reply."+string(a)),
			MUST("baseline.client.simple-reply"),
			Asks(a),
			TrippedBy(quirk.StructuredOnly, "want success"),
			func(ctx context.Context) {
				v := Ask(ctx, Plain)

				Expect(v).To(GoWell())
			})
	}

	It("need not do TLS", ID("client.no-tls"),
		MUST("baseline.client.notls"),
		Asks(subject.Visit, subject.CopyOut, subject.CopyIn, subject.Info, subject.List, subject.Map),
		TrippedBy(quirk.InsistsOnTLS, "want none of [NBD_OPT_STARTTLS]"),
		func(ctx context.Context) {
			v := Ask(ctx)

			Expect(v).To(UseNo(wire.OptStartTLS))
			Expect(v).To(GoWell())
		})

	// "[Size constraints]: the client MUST use NBD_OPT_GO" if it can honour them
	It("has its export chosen with NBD_OPT_GO", ID("client.go"),
		MUST("baseline.client.go", "size.client.go"),
		Asks(subject.Visit, subject.CopyOut, subject.CopyIn, subject.Compare, subject.Map, subject.Zero),
		TrippedBy(quirk.ExportName, "want none of [NBD_OPT_EXPORT_NAME]"),
		func(ctx context.Context) {
			v := Ask(ctx)

			Expect(v).To(UseNo(wire.OptExportName))
			Expect(v).To(Use(wire.OptGo))
		})

	for _, a := range []subject.Operation{subject.Visit, subject.CopyOut, subject.CopyIn, subject.Compare, subject.Map, subject.Zero, subject.Trim} {
		It("is left with NBD_CMD_DISC after "+string(a), ID("client.disc."+string(a)),
			MUST("baseline.client.disc", "trans.end.unjustified.client"),
			Asks(a),
			TrippedBy(quirk.Discless, "the client hangs up without NBD_CMD_DISC"),
			func(ctx context.Context) {
				v := Ask(ctx)

				Expect(v).To(GoWell())
			})
	}

	It("hears nothing behind NBD_CMD_DISC", ID("client.disc.silence"),
		MUST("cmd.disc.silence"),
		Asks(subject.Visit, subject.CopyOut, subject.CopyIn, subject.Map),
		Provokes("cmd.disc.close"),
		TrippedBy(quirk.AfterDisc, "is sent after NBD_CMD_DISC"),
		func(ctx context.Context) {
			v := Ask(ctx, Hooked(server.Hooks{Reply: func(x *server.Exchange) {
				if x.Is(wire.CmdDisc) {
					x.Hangup = false
				}
			}}))

			Expect(v).To(TellNoLie())
		})

	It("gets as much data as a write announces", ID("client.write.payload"),
		MUST("cmd.write.payload", "layout.request.magic"),
		Asks(subject.CopyIn),
		TrippedBy(quirk.WriteShort, "want success"),
		func(ctx context.Context) {
			v := Ask(ctx, Omitting(wire.FlagSendWriteZeroes))

			Expect(v).To(GoWell())
		})
})

// What shows that the specs about a bare server can fail.
var (
	bareTrip = map[subject.Operation]quirk.Quirk{
		subject.CopyOut: quirk.DFUnadvertised, subject.CopyIn: quirk.FUAUnadvertised, subject.Compare: quirk.FlushUnadvertised,
		subject.Map: quirk.StatusUnselected, subject.Zero: quirk.ZeroesUnadvertised, subject.Trim: quirk.TrimUnadvertised,
		subject.Info: quirk.OldstyleOnly,
	}
	bareText = map[subject.Operation]string{
		subject.CopyOut: "NBD_CMD_READ has NBD_CMD_FLAG_DF", subject.CopyIn: "has NBD_CMD_FLAG_FUA", subject.Compare: "NBD_CMD_FLUSH is sent",
		subject.Map: "NBD_CMD_BLOCK_STATUS is sent", subject.Zero: "NBD_CMD_WRITE_ZEROES is sent", subject.Trim: "NBD_CMD_TRIM is sent",
		subject.Info: "want success",
	}
)
