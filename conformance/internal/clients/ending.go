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
	"nbdconform/reports/result"
)

var _ = Describe("The end of a session", func() {
	// "If the client receives NBD_ESHUTDOWN, it MUST initiate a soft disconnect"
	for name, t := range map[string]wire.Command{"read": wire.CmdRead, "write": wire.CmdWrite, "block-status": wire.CmdBlockStatus, "flush": wire.CmdFlush} {
		asks := map[string][]subject.Operation{
			"read": transfers, "write": {subject.CopyIn}, "block-status": {subject.Map, subject.CopyOut}, "flush": {subject.CopyIn},
		}[name]
		It("is a soft disconnect after NBD_ESHUTDOWN to a "+name, ID("client.eshutdown."+name),
			MUST("trans.end.eshutdown.soft"),
			Asks(asks[0], asks[1:]...),
			TrippedBy(quirk.ShutdownHard, "want NBD_CMD_DISC"),
			func(ctx context.Context) {
				v := Ask(ctx, Hooked(server.Hooks{Reply: func(x *server.Exchange) {
					if x.Is(t) {
						x.Fail(wire.ESHUTDOWN, "closing time")
					}
				}}))

				v.Provoked("never-sends", t)
				Expect(v).To(EndSoft())
			})
	}

	// "a client MUST NOT send a flush ... until it has received the replies to all
	// the writes that it is to cover" on several connections
	It("of a copy is flushed when all connections have their replies", ID("client.flush.connections"),
		MUST("trans.order.flush.connections"),
		Asks(subject.CopyIn),
		TrippedBy(quirk.FlushEarly, "want every write answered"),
		func(ctx context.Context) {
			v := Ask(ctx, SlowWrites())

			writers := 0
			for _, c := range v.Conns {
				if c.Asked(wire.CmdWrite) {
					writers++
				}
			}
			if writers < 2 || v.Flushes == 0 {
				Unsuited("does-not-write-on-several")
			}
			Expect(v).To(Want(result.Term("client.writes-answered-before-flush"), func(v *Visit) result.Value {
				if v.Uncovered > 0 {
					return result.Term("client.writes-uncovered")
				}
				return result.Nothing
			}))
		})
})
