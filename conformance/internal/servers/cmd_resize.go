package servers

import (
	"context"
	"math"

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

// Specs leave the export with the size that they found it with.

var _ = Describe("NBD_CMD_RESIZE", func() {
	resize := func(s *Session, size uint64) Reply {
		return s.Do(wire.Request{Type: wire.CmdResize, Offset: size})
	}
	granted := func(s *Session, size uint64) {
		if r := resize(s, size); r.Error != wire.OK {
			verdict.Unsupported("needs-resize-to", size, r.Error)
		} else if !r.OK() {
			verdict.Blocked("resize.errors", "resizing-export", r)
		}
	}
	errors := []wire.Errno{wire.EPERM, wire.EIO, wire.ENOSPC, wire.ESHUTDOWN}

	// "the field `offset` in the request header is used to signal the new requested size", and "if the
	// resize was successful, clients MAY now issue other requests up to the new size"
	It("makes the export larger, up to the size in its offset", ID("resize.grow"),
		MUST("resize.then-reply", "resize.offset"),
		Needs(feature.Resize), Writes(), AtLeast(1<<20),
		TrippedBy(quirk.ResizeIgnored, "NBD_ENOSPC"),
		func(ctx context.Context) {
			b := FactsOf(ctx).Block()
			s := Enter(ctx)
			size := s.Size

			s.Beyond() // which leaves out exports that are too large to grow
			r := resize(s, size+8*b)

			Expect(r).To(BeReply())
			if r.Error != wire.OK {
				Observe(ctx, "resize to more", "%v", r.Error)
				return
			}
			defer resize(s, size)
			s.Resized(size + 8*b)
			data := Pattern(9, 2*b)
			Expect(s.Do(wire.Request{Type: wire.CmdWrite, Offset: size + 6*b, Length: 2 * b}, data...)).To(BeReply(WithError(wire.OK)))
			Expect(s.Do(ReadOf(size+6*b, 2*b))).To(BeReply(WithData(data)))
		})

	// "bit 9, `NBD_FLAG_SEND_RESIZE`: exposes support for `NBD_CMD_RESIZE`." NBD_EINVAL is what commands
	// get that are unknown; it is none of the errors of this one.
	It("is known where it is advertised", ID("resize.known"),
		MUST("resize.flag"),
		Needs(feature.Resize), Writes(),
		TrippedBy(quirk.ResizeUnknown, "want anything but NBD_EINVAL"),
		func(ctx context.Context) {
			s := Enter(ctx)

			r := resize(s, s.Size)

			Expect(r.Error).NotTo(Equal(wire.EINVAL), "not-einval-for-own-size", r)
		})

	// "requests beyond the new size but not beyond the old one MUST fail with ENOSPC"
	It("makes the export smaller, so that requests beyond fail with NBD_ENOSPC", ID("resize.shrink"),
		MUST("resize.shrunk.enospc"),
		Needs(feature.Resize), Writes(), AtLeast(1<<20),
		Provokes("size.bounds.client"),
		TrippedBy(quirk.ResizeIgnored, "got success"),
		TrippedBy(quirk.ResizeShrunkEINVAL, "got NBD_EINVAL"),
		func(ctx context.Context) {
			b := FactsOf(ctx).Block()
			s := Enter(ctx)
			size := s.Size
			granted(s, b)
			defer func() { resize(Enter(ctx), size) }()

			for _, q := range []wire.Request{ReadOf(0, 2*b), ReadOf(b, b), {Type: wire.CmdWrite, Offset: 4 * b, Length: b}} {
				var data []byte
				if q.Type == wire.CmdWrite {
					data = Pattern(1, b)
				}
				r := s.Do(q, data...)
				Expect(r).To(BeReplyOrEnd(WithError(wire.ENOSPC)))
				if r.End != Complete {
					return
				}
			}
			s.Resized(b)
			Expect(s.Do(ReadOf(0, b))).To(BeReply(WithLength(b)))
		})

	// What is below both sizes has nothing to do with it.
	It("leaves alone what is in the export before and after", ID("resize.keeps"),
		MUST("baseline.server.read"),
		Needs(feature.Resize), Writes(), AtLeast(1<<20),
		TrippedBy(quirk.ResizeClears, "differs"),
		func(ctx context.Context) {
			b := FactsOf(ctx).Block()
			s := Enter(ctx)
			size := s.Size
			data := s.Write(0, Pattern(2, 4*b))
			granted(s, 4*b)
			defer resize(s, size)

			Expect(s.Do(ReadOf(0, 4*b))).To(BeReply(WithData(data)))
			granted(s, size)
			Expect(s.Do(ReadOf(0, 4*b))).To(BeReply(WithData(data)))
		})

	// "If an error occurs, the server SHOULD reply with one of the following error codes: EPERM, EIO,
	// ENOSPC, ESHUTDOWN"
	It("fails with an error that it has, and changes nothing then", ID("resize.errors"),
		SHOULD("resize.errors"),
		Needs(feature.Resize), Writes(), AtLeast(1<<20),
		TrippedBy(quirk.ResizeWrongError, "resize.errors"),
		TrippedBy(quirk.ResizeUnknown, "resize.errors"),
		func(ctx context.Context) {
			b := FactsOf(ctx).Block()
			s := Enter(ctx)
			size := s.Size

			for _, n := range []uint64{1 << 60, math.MaxUint64 / b * b} {
				r := resize(s, n)

				Expect(r).To(BeReply(WithError(append(errors, wire.OK)...)), "case.size", n)
				if r.Error == wire.OK {
					defer resize(s, size)
					Observe(ctx, "resize to very much", "to %d bytes", n)
					continue
				}
				Expect(s.Do(ReadOf(size/b*b-b, b))).To(BeReply(WithLength(b)))
			}
		})

	// A size that stays as it is is a size.
	It("to the size that the export has changes nothing", ID("resize.same"),
		MUST("resize.offset"),
		Needs(feature.Resize), Writes(),
		TrippedBy(quirk.ResizeByLength, "NBD_ENOSPC"),
		func(ctx context.Context) {
			b := Room(ctx, 1)
			s := Enter(ctx)

			r := resize(s, s.Size)

			Expect(r).To(BeReply())
			Expect(s.Do(ReadOf(FactsOf(ctx).Last(), b))).To(BeReply(WithLength(b)))
		})

	// "the new device size MAY be visible to all clients or just to the one that issued the resize request"
	It("may show on other connections", ID("resize.visible"),
		MAY("resize.visible"),
		Needs(feature.Resize), Writes(), AtLeast(1<<20),
		func(ctx context.Context) {
			b := FactsOf(ctx).Block()
			s := Enter(ctx)
			size := s.Size
			s.Beyond() // which leaves out exports that are too large to grow
			granted(s, size+8*b)
			defer resize(s, size)

			other := Enter(ctx)

			Expect(other.Size).To(BeElementOf(size, size+8*b))
			Observe(ctx, "size on a new connection after a resize", "%d, of old %d and new %d", other.Size, size, size+8*b)
			Expect(other.InStep()).To(BeInStep())
		})
})
