package clients

import (
	"context"
	"slices"

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

// What is read where a message has to begin, and is the beginning of none.
var noMagic = []byte("This is no reply of any kind that there ever was, nor will it get better if you wait for more.\n")

var _ = Describe("TLS on a connection that is dropped", func() {
	// "If TLS is negotiated, the party initiating the transaction SHOULD shutdown TLS first if it is running."
	It("during haggling is shut down first", ID("client.tls.hard.haggling"),
		SHOULD("haggling.hard.tls-shutdown.client"),
		Asks(secured[0], secured[1:]...),
		Provokes("layout.option-reply.magic"),
		TrippedBy(quirk.HardCutsTLS, "without close_notify"),
		func(ctx context.Context) {
			v := Ask(ctx, Told(subject.TLSRequire), Secure(server.ForcedTLS, nil), Hooked(server.Hooks{OptionReply: func(x *server.OptionExchange) {
				if x.Session.TLS {
					x.Raw = noMagic
				}
			}}))

			v.Provoked("sends-no-option-within-tls")
			dropsTLS(v)
			Expect(v).To(shutTLSFirst())
		})

	It("during transmission is shut down first", ID("client.tls.hard.transmission"),
		SHOULD("trans.end.hard.tls-shutdown.client"),
		Asks(subject.CopyOut, subject.Visit, subject.Map, subject.Compare, subject.CopyIn),
		Provokes("layout.reply.magic"),
		TrippedBy(quirk.HardCutsTLSLater, "without close_notify"),
		func(ctx context.Context) {
			v := Ask(ctx, Told(subject.TLSRequire), Secure(server.ForcedTLS, nil), Hooked(server.Hooks{Reply: func(x *server.Exchange) {
				if !x.Is(wire.CmdDisc) {
					x.Raw = noMagic
				}
			}}))

			v.Provoked("sends-no-request")
			dropsTLS(v)
			Expect(v).To(shutTLSFirst())
		})
})

// shutTLSFirst matches a visit in which TLS is shut down on each connection
// that the client drops over what the server said. It may also take leave
// softly.
func shutTLSFirst() *Expectation {
	return conns(result.Term("client.tls-shut-before-drop"), func(c *Conn) result.Value {
		if droppedTLS(c) && !c.Notified {
			return result.Term("client.ends-without-close-notify")
		}
		return result.Nothing
	})
}

// droppedTLS reports whether the client dropped a connection with TLS over what
// the server said.
func droppedTLS(c *Conn) bool {
	return c.Provoked && c.TLS && c.End != nil && !c.Sent(wire.OptAbort) && !c.Asked(wire.CmdDisc)
}

// dropsTLS ends the spec as unsupported unless the client dropped one.
func dropsTLS(v *Visit) {
	if !slices.ContainsFunc(v.Conns, droppedTLS) {
		Unsuited("does-not-drop-nonsense")
	}
}
