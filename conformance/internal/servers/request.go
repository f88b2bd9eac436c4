package servers

import (
	"context"
	"encoding/binary"
	"fmt"

	. "github.com/onsi/ginkgo/v2"

	. "nbdconform/conformance/internal/expect"
	. "nbdconform/conformance/internal/match"
	. "nbdconform/conformance/internal/session"
	. "nbdconform/conformance/internal/spec"
	quirk "nbdconform/reference/quirk/server"
	"nbdconform/reference/wire"
)

var _ = Describe("A request", func() {
	// Section "Request message": 28 bytes, which a stream may deliver in any pieces.
	It("is understood when it comes byte by byte", ID("request.dribbled"),
		MUST("baseline.server.read"),
		Writes(),
		TrippedBy(quirk.ReadWrongData, "differs"),
		TrippedBy(quirk.ReadUnanswered, "no answer within"),
		func(ctx context.Context) {
			b := Room(ctx, 2)
			s := Enter(ctx)
			data := s.Write(0, Pattern(15, 2*b))
			q := ReadOf(0, 2*b)
			q.Cookie = 0xabcdef
			s.Expect(q)

			for _, c := range q.Append(nil) {
				s.Raw([]byte{c})
			}

			Expect(s.Await(q.Cookie)).To(BeReply(WithData(data)))
		})

	// Section "Request message": a server that answers the request before this one has
	// the first bytes of it at hand, and waits for the others.
	It("is understood when it is cut in two, wherever that is", ID("request.split"),
		MUST("baseline.server.read"),
		Writes(),
		TrippedBy(quirk.RepliesCrossed, "differs"),
		TrippedBy(quirk.SecondRequestUnanswered, "no answer within"),
		func(ctx context.Context) {
			b := Room(ctx, 2)
			s := Enter(ctx)
			data := s.Write(0, Pattern(16, 2*b))

			for cut := 1; cut < wire.RequestSize; cut++ {
				first, second := ReadOf(0, b), ReadOf(b, b)
				first.Cookie, second.Cookie = uint64(cut), uint64(cut)<<32
				s.Expect(first)
				s.Expect(second)
				bytes := second.Append(first.Append(nil))

				s.Raw(bytes[:wire.RequestSize+cut])
				Expect(s.Await(first.Cookie)).To(BeReply(WithData(data[:b])))
				s.Raw(bytes[wire.RequestSize+cut:])

				Expect(s.Await(second.Cookie)).To(BeReply(WithData(data[b:])), "case.cut-after", cut)
			}
		})

	// "C: 32 bits, 0x25609513, magic (NBD_REQUEST_MAGIC)": the document says what a client
	// sends, and not what becomes of one that sends anything else.
	It("with another magic number may end the session", ID("request.magic"),
		MAY("trans.end.violation.server"),
		Provokes("layout.request.magic"),
		func(ctx context.Context) {
			b := Room(ctx, 1)
			for _, magic := range []uint32{
				wire.RequestMagic ^ 1<<31, wire.HistoricRequest, wire.TransactionLogMagic, wire.ExtendedRequest,
				wire.SimpleReplyMagic, wire.StructuredMagic, wire.HistoricReply, wire.ExtendedReply, 0,
			} {
				s := Enter(ctx)
				q := ReadOf(0, b)
				q.Cookie = 9
				s.Expect(q)
				bytes := q.Append(nil)
				binary.BigEndian.PutUint32(bytes, magic)

				s.Raw(bytes)
				r := s.Await(q.Cookie)

				Observe(ctx, fmt.Sprintf("request with magic %#08x", magic), "%s", outcome(r))
				s.Close()
				if r.End == Silence {
					return // as with the others
				}
			}
		})
})
