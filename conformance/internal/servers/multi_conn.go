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

// "In particular, if this flag is present, then the effects of `NBD_CMD_FLUSH`
// and `NBD_CMD_FLAG_FUA` MUST be visible across all connections when the
// server sends its reply to that command to the client."
var _ = Describe("NBD_FLAG_CAN_MULTI_CONN", func() {
	// The effects of NBD_CMD_FLUSH.
	It("shows every connection what was written and flushed on another", ID("multi-conn.flush"),
		MUST("flag.transmission.multi-conn"),
		Needs(feature.MultiConn, feature.Flush), Writes(), AtLeast(512),
		TrippedBy(quirk.MultiConnPrivate, "differs"),
		func(ctx context.Context) {
			one, other, n := pair(ctx)
			for seed := range byte(3) { // the second and third find the range in caches
				data := one.Write(0, Pattern(seed, n))

				flush(one)

				Expect(other.Read(0, n)).To(HaveBytes(data))
				one, other = other, one
			}
		})

	// The effects of NBD_CMD_FLAG_FUA.
	It("shows every connection what was written with NBD_CMD_FLAG_FUA on another", ID("multi-conn.fua"),
		MUST("flag.transmission.multi-conn"),
		Needs(feature.MultiConn, feature.FUA), Writes(), AtLeast(512),
		TrippedBy(quirk.MultiConnPrivate, "differs"),
		func(ctx context.Context) {
			one, other, n := pair(ctx)
			for seed := range byte(3) {
				data := Pattern(seed, n)

				r := one.Do(wire.Request{Type: wire.CmdWrite, Flags: wire.CmdFlagFUA, Length: n}, data...)

				Expect(r).To(BeReply(WithError(wire.OK)))
				Expect(other.Read(0, n)).To(HaveBytes(data))
				one, other = other, one
			}
		})

	// The effects of NBD_CMD_FLUSH.
	It("shows every connection what was zeroed and flushed on another", ID("multi-conn.zeroes"),
		MUST("flag.transmission.multi-conn"),
		Needs(feature.MultiConn, feature.Flush, feature.WriteZeroes), Writes(), AtLeast(512),
		TrippedBy(quirk.MultiConnPrivate, "differs"),
		func(ctx context.Context) {
			one, other, n := pair(ctx)
			data := one.Write(0, Pattern(1, n))
			flush(one)
			Expect(other.Read(0, n)).To(HaveBytes(data))

			zero(one, 0, n)
			flush(one)

			Expect(other.Read(0, n)).To(HaveBytes(make([]byte, n)))
		})

	// The same, for what several connections write into one block after the other.
	It("loses no write of one connection to those of another", ID("multi-conn.interleaved"),
		MUST("flag.transmission.multi-conn", "cmd.write.then-reply"),
		Needs(feature.MultiConn, feature.Flush), Writes(), AtLeast(16*512),
		TrippedBy(quirk.MultiConnPrivate, "differs"),
		func(ctx context.Context) {
			one, other, _ := pair(ctx)
			n := Room(ctx, 16)
			want := Pattern(9, 16*n)
			for at := uint64(0); at < 16*n; at += 2 * n {
				one.Write(at, want[at:at+n])
				other.Write(at+n, want[at+n:at+2*n])
			}

			flush(one)
			flush(other)

			Expect(one.Read(0, 16*n)).To(HaveBytes(want))
			Expect(other.Read(0, 16*n)).To(HaveBytes(want))
		})
})

// pair opens two connections that have both read the first block.
func pair(ctx context.Context) (one, other *Session, n uint64) {
	n = Room(ctx, 1)
	one, other = Enter(ctx), Enter(ctx)
	one.Read(0, n)
	other.Read(0, n)
	return one, other, n
}

// flush flushes. The spec is blocked if the server refuses.
func flush(s *Session) {
	if r := s.Do(wire.Request{Type: wire.CmdFlush}); !r.OK() {
		verdict.Blocked("flush.succeeds", "flushing", r)
	}
}
