package clients

import (
	"context"

	. "github.com/onsi/ginkgo/v2"

	. "nbdconform/conformance/internal/encounter"
	. "nbdconform/conformance/internal/expect"
	. "nbdconform/conformance/internal/spec"
	"nbdconform/conformance/subject"
	"nbdconform/reference/export"
	quirk "nbdconform/reference/quirk/client"
	"nbdconform/reference/server"
	"nbdconform/reference/wire"
	"nbdconform/reports/result"
)

// What every server bears, by the section "Size constraints".
const (
	defaultMinimum    = 512
	defaultMaxPayload = wire.DefaultMaxPayload
)

// silentAboutSizes keeps the server from saying anything of size constraints.
var silentAboutSizes = Hooked(server.Hooks{OptionReply: func(x *server.OptionExchange) {
	x.Drop(func(r wire.OptionReply) bool {
		i, err := wire.ParseInfo(r.Data)
		return r.Type == wire.RepInfo && err == nil && i.Type == wire.InfoBlockSize
	})
}})

var _ = Describe("A server that says nothing of size constraints", func() {
	// "If size constraints have not been advertised [...] a client desiring maximum interoperability SHOULD constrain
	// its requests to a minimum block size of 2^9 (512)"; "Clients that do not implement querying for size constraints
	// SHOULD abide by the rules laid out in the section "Size constraints""
	for _, a := range []subject.Operation{subject.CopyOut, subject.CopyIn, subject.Compare, subject.Visit, subject.Zero, subject.Trim} {
		It("is asked for multiples of 512 bytes by "+string(a), ID("client.default-sizes.minimum."+string(a)),
			SHOULD("size.default.client.minimum", "interop.client.constraints"),
			Asks(a),
			TrippedBy(quirk.Odd, "want multiples of 512"), TrippedBy(quirk.UnaskedOdd, "size constraints, for which it did not ask"),
			func(ctx context.Context) {
				v := Ask(ctx, silentAboutSizes)

				Expect(v).To(keepToSizes(result.Term("client.multiples-of-512"), func(q wire.Request) bool {
					return q.Offset%defaultMinimum == 0 && q.Length%defaultMinimum == 0
				}))
			})
	}

	// "and limit NBD_CMD_READ and NBD_CMD_WRITE commands to a maximum payload size of 2^25 (33,554,432)."
	for _, a := range []subject.Operation{subject.CopyOut, subject.CopyIn, subject.Compare} {
		It("is asked for no more than 2^25 bytes at once by "+string(a), ID("client.default-sizes.max-payload."+string(a)),
			SHOULD("size.default.client.max-payload", "interop.client.constraints"),
			Asks(a),
			TrippedBy(quirk.Huge, "want 2^25 bytes of data at most"), TrippedBy(quirk.UnaskedHuge, "size constraints, for which it did not ask"),
			func(ctx context.Context) {
				v := Ask(ctx, silentAboutSizes, OfSize(defaultMaxPayload+1<<20))

				Expect(v).To(keepToSizes(result.Term("at-most-2-25-bytes-of-data"), func(q wire.Request) bool {
					return q.Type != wire.CmdRead && q.Type != wire.CmdWrite || q.Length <= defaultMaxPayload
				}))
			})
	}
})

// keepToSizes matches a visit in which all requests that have to be aligned are fine.
func keepToSizes(want result.Value, fine func(wire.Request) bool) *Expectation {
	return conns(want, func(c *Conn) result.Value {
		asked := false
		for _, o := range c.Options {
			if q, err := wire.ParseInfoRequest(o.Data); o.Option == wire.OptGo && err == nil {
				asked = asked || q.Wants(wire.InfoBlockSize)
			}
		}
		for _, q := range c.Requests {
			switch q.Type {
			case wire.CmdRead, wire.CmdWrite, wire.CmdTrim, wire.CmdWriteZeroes: // of the others it is disputed
			default:
				continue
			}
			if fine(q) {
				continue
			}
			if !asked {
				return result.Term("client.sends-unasked-sizes", q)
			}
			return result.Term("client.sends-unsized", q)
		}
		return result.Nothing
	})
}

var _ = Describe("A long reply", func() {
	// "for maximum portability, any payload not exceeding 2^25 (33,554,432) bytes SHOULD NOT be considered a denial
	// of service attack". Of a read the client itself chooses the length; of a block status the server does, and
	// should not send more than 2^20 descriptors.
	It("of 2^20 descriptors is no attack", ID("client.long-reply.status"),
		SHOULD("size.dos.limit.client"),
		Asks(subject.Map),
		TrippedBy(quirk.ShyOfLength, "want success"),
		func(ctx context.Context) {
			const size, runs = 1 << 29, 12 // of 2^12 descriptors, so that there is not much to print
			v := Ask(ctx, Exporting(func(e *server.Export) { e.Disk = export.New(size) }), Hooked(server.Hooks{Reply: func(x *server.Exchange) {
				if x.Request.Flags&wire.CmdFlagReqOne != 0 || x.Request.Length < size {
					return
				}
				x.EachStatus(func(s *wire.BlockStatus) {
					s.Extents = make([]wire.Extent, size/512)
					for i := range s.Extents {
						s.Extents[i] = wire.Extent{Length: 512, Status: uint64(i) >> runs % 2 * uint64(wire.StateHole|wire.StateZero)}
					}
				})
			}}))

			v.Provoked("does-not-ask-block-status-of-all")
			Expect(v).To(GoWell())
		})

	// "Notwithstanding any maximum payload size advertised, either the server or the client MAY initiate a hard
	// disconnect if a payload length of either a request or a reply would be large enough to be deemed a denial of
	// service attack"
	It("of 2^26 bytes may be one", ID("client.long-reply.error"),
		MAY("size.dos.client", "trans.extended.long-reply"),
		Asks(transfers[0], transfers[1:]...),
		Provokes("layout.chunk.type", "chunk.max-payload"),
		func(ctx context.Context) {
			v := Ask(ctx, Hooked(server.Hooks{Reply: func(x *server.Exchange) {
				if x.Is(wire.CmdRead) && x.Session.Structured {
					e := wire.ErrorChunk{Error: wire.EIO, Message: "there is more to it"}
					x.Chunks(x.Chunk(0xfa31, append(e.Append(nil), make([]byte, 1<<26)...)))
				}
			}}))

			v.Provoked("reads-nothing-structured-replies")
			Expect(v).To(GoWrong())
			Observe(ctx, "error chunk of 2^26 bytes", "%s", manner(v))
		})
})

// manner is how the client ended the sessions that went wrong.
func manner(v *Visit) string {
	if EndedSoft(v) {
		return "NBD_CMD_DISC"
	}
	return "the end of the connection"
}

var _ = Describe("Information about an export", func() {
	// A client may refuse to go on if it does not get the information that it asked for.
	It("may be no more than NBD_INFO_EXPORT", ID("client.info.export-alone"),
		MAY("opt.info.client-refuse"),
		Asks(into[0], into[1:]...),
		func(ctx context.Context) {
			v := Ask(ctx, Hooked(server.Hooks{OptionReply: func(x *server.OptionExchange) {
				x.Drop(func(r wire.OptionReply) bool {
					i, err := wire.ParseInfo(r.Data)
					return r.Type == wire.RepInfo && err == nil && i.Type != wire.InfoExport
				})
			}}))

			v.Provoked("asks-nothing-but-info-export")
			Expect(v).To(TellNoLie())
			Observe(ctx, "NBD_INFO_EXPORT alone", "success is %v", v.Report.Succeeded())
		})
})
