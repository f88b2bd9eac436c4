package clients

import (
	"context"
	"strings"

	. "github.com/onsi/ginkgo/v2"

	. "nbdconform/conformance/internal/encounter"
	. "nbdconform/conformance/internal/expect"
	. "nbdconform/conformance/internal/spec"
	"nbdconform/conformance/subject"
	quirk "nbdconform/reference/quirk/client"
	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

var _ = Describe("Metadata contexts", func() {
	// "A client MUST NOT use what depends on structured replies before it has negotiated them"
	for _, a := range []subject.Operation{subject.Map, subject.CopyOut, subject.Info} {
		It("are not selected without structured replies for "+string(a), ID("client.meta.unstructured."+string(a)),
			MUST("opt.set-meta.needs-structured", "opt.structured-reply.extensions-client", "cmd.block-status.needs-context"),
			Asks(a),
			TrippedBy(metaTrip[a], metaText[a]),
			func(ctx context.Context) {
				v := Ask(ctx, Plain)

				Expect(v).To(UseNo(wire.OptSetMetaContext))
				Expect(v).To(SendNo(wire.CmdBlockStatus))
				if a != subject.Map { // of which there may be none
					Expect(v).To(GoWell())
				}
			})
	}

	It("that were listed before an error are disregarded", ID("client.list-meta.error"),
		MUST("opt.list-meta.disregard-on-error"),
		Asks(subject.Info),
		TrippedBy(quirk.ListMetaError, "the program speaks of it"),
		func(ctx context.Context) {
			v := Ask(ctx, Hooked(server.Hooks{OptionReply: func(x *server.OptionExchange) {
				if x.Is(wire.OptListMetaContext) {
					x.Fail(wire.RepErrTooBig, "too many")
					x.Insert(wire.RepMetaContext, wire.MetaContext{Name: "x-ghost:context"}.Append(nil))
				}
			}}))

			v.Provoked("does-not-list-metadata-contexts")
			Expect(strings.Contains(v.Report.Stdout, "x-ghost:context")).To(BeFalse(), "context-before-error-used", v.Report.Stdout)
		})

	It("may be listed with any id", ID("client.list-meta.id"),
		MUST("opt.list-meta.id-disregard"),
		Asks(subject.Info, subject.Map, subject.CopyOut),
		TrippedBy(quirk.ListMetaID, "want success"),
		func(ctx context.Context) {
			v := Ask(ctx, renumber(wire.OptListMetaContext))

			v.Provoked("does-not-list-metadata-contexts")
			Expect(v).To(GoWell())
		})

	// "The client MUST treat the context ID as opaque"
	for _, a := range []subject.Operation{subject.Map, subject.CopyOut} {
		It("may be selected under any id for "+string(a), ID("client.set-meta.id."+string(a)),
			MUST("opt.set-meta.opaque-id"),
			Asks(a),
			TrippedBy(quirk.MetaIDSmall, "want success"),
			func(ctx context.Context) {
				v := Ask(ctx, renumber(wire.OptSetMetaContext))

				v.Provoked("does-not-select-metadata-contexts")
				Expect(v).To(GoWell())
			})

		// "The client MUST ignore any bits that are not described here"
		It("may have unknown flags for "+string(a), ID("client.allocation.unknown."+string(a)),
			MUST("meta.allocation.unknown"),
			Asks(a),
			TrippedBy(unknownTrip[a], unknownText[a]),
			func(ctx context.Context) {
				v := Ask(ctx, Hooked(server.Hooks{Reply: func(x *server.Exchange) {
					x.EachStatus(func(s *wire.BlockStatus) {
						for i := range s.Extents {
							s.Extents[i].Status |= 1 << 5
						}
					})
				}}))

				v.Provoked("does-not-ask-block-status")
				Expect(v).To(GoWell())
			})

		// "the client SHOULD be prepared to handle consecutive descriptors with the same *status* value."
		It("may come with the same status again and again for "+string(a), ID("client.status.same."+string(a)),
			SHOULD("cmd.block-status.same-status"),
			Asks(a),
			TrippedBy(quirk.SameStatusFatal, "want success"),
			func(ctx context.Context) {
				v := Ask(ctx, Hooked(server.Hooks{Reply: func(x *server.Exchange) {
					if x.Request.Flags&wire.CmdFlagReqOne == 0 {
						x.EachStatus(chop)
					}
				}}))

				v.Provoked("does-not-ask-several-descriptors")
				Expect(v).To(GoWell())
			})
	}
})

var (
	metaTrip = map[subject.Operation]quirk.Quirk{
		subject.Map: quirk.MetaUnstructured, subject.CopyOut: quirk.MetaUnstructured, subject.Info: quirk.OldstyleOnly,
	}
	metaText = map[subject.Operation]string{
		subject.Map: "before structured replies were negotiated", subject.CopyOut: "before structured replies were negotiated", subject.Info: "want success",
	}
	unknownTrip = map[subject.Operation]quirk.Quirk{subject.Map: quirk.AllocationFatal, subject.CopyOut: quirk.AllocationUnknown}
	unknownText = map[subject.Operation]string{subject.Map: "want success", subject.CopyOut: "differs first"}
)

// chop cuts descriptors in pieces of 4096 bytes.
func chop(s *wire.BlockStatus) {
	const most = 4096
	var list []wire.Extent
	for _, e := range s.Extents {
		for ; e.Length > most; e.Length -= most {
			list = append(list, wire.Extent{Length: most, Status: e.Status})
		}
		list = append(list, e)
	}
	s.Extents = list
}

// renumber gives metadata contexts ids that nobody would guess.
func renumber(o wire.Option) Way {
	const mask = 0xdeadbe00
	return Hooked(server.Hooks{OptionReply: func(x *server.OptionExchange) {
		if !x.Is(o) || x.Failed() {
			return
		}
		x.Each(wire.RepMetaContext, func(r *wire.OptionReply) {
			if m, err := wire.ParseMetaContext(r.Data); err == nil {
				m.ID ^= mask
				r.Data = m.Append(nil)
			}
		})
		if o == wire.OptSetMetaContext {
			for i := range x.Session.Contexts {
				x.Session.Contexts[i].ID ^= mask
			}
		}
	}})
}
