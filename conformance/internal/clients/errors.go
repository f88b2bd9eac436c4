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

// unheard is an error value that no document has.
const unheard wire.Errno = 0x5a17

var _ = Describe("An error value that nobody knows", func() {
	// "The client SHOULD treat an unexpected error value as if it had been `NBD_EINVAL`, rather than disconnecting
	// from the server." What a client does on NBD_EINVAL is its own affair: it is asked twice.
	for _, c := range []struct {
		to   wire.Command
		name string
		asks []subject.Operation
	}{
		{wire.CmdRead, "read", transfers},
		{wire.CmdWrite, "write", []subject.Operation{subject.CopyIn}},
		{wire.CmdBlockStatus, "block-status", []subject.Operation{subject.Map, subject.CopyOut}},
	} {
		for form, ways := range map[string][]Way{"chunk": nil, "simple": {Plain}} {
			if c.to == wire.CmdBlockStatus && ways != nil {
				continue // which there is none of without structured replies
			}
			It("is as good as NBD_EINVAL to a "+c.name+", "+form, ID("client.error.unheard."+c.name+"."+form),
				SHOULD("err.unexpected"),
				Asks(c.asks[0], c.asks[1:]...),
				TrippedBy(quirk.ErrnoFatal, "as after NBD_EINVAL"),
				func(ctx context.Context) {
					failing := func(e wire.Errno) *Visit {
						return Ask(ctx, append(ways[:len(ways):len(ways)], Hooked(server.Hooks{Reply: func(x *server.Exchange) {
							if x.Is(c.to) {
								x.Fail(e, "it is as it is")
							}
						}}))...)
					}
					usual := failing(wire.EINVAL)
					usual.Provoked("never-sends", c.to)

					Expect(failing(unheard)).To(endAs(usual))
				})
		}
	}
})

// endAs matches a visit that ends as another one: the program reports the same,
// and disconnects softly if it did so then.
func endAs(usual *Visit) *Expectation {
	return Want(result.Term("client.same-as-einval"), func(v *Visit) result.Value {
		switch {
		case v.Report.Succeeded() != usual.Report.Succeeded():
			return result.Term("client.success-unlike-einval", v.Report.Succeeded(), usual.Report.Succeeded())
		case EndedSoft(usual) && !EndedSoft(v):
			return result.Term("client.ends-otherwise-than-einval")
		}
		return result.Nothing
	})
}
