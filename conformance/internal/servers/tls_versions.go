package servers

import (
	"context"
	"crypto/tls"

	. "github.com/onsi/ginkgo/v2"

	"nbdconform/conformance/feature"
	. "nbdconform/conformance/internal/expect"
	. "nbdconform/conformance/internal/match"
	. "nbdconform/conformance/internal/session"
	. "nbdconform/conformance/internal/spec"
	"nbdconform/conformance/internal/verdict"
	quirk "nbdconform/reference/quirk/server"
	"nbdconform/reference/starttls"
	"nbdconform/reference/wire"
)

// handshakeOf does a TLS handshake of exactly this version.
func handshakeOf(ctx context.Context, version uint16) (*Session, HangUp) {
	with, ok := TLSOf(ctx).(*starttls.X509Client)
	if !ok {
		verdict.Unsupported("tls-version-needs-certificates")
	}
	c := *with
	c.MinVersion, c.MaxVersion = version, version
	s := HaggleInClear(ctx)
	Expect(s.Option(wire.OptStartTLS, nil)).To(BeAnswered(wire.RepAck))
	return s, s.Upgrade(&c)
}

var _ = Describe("TLS versions", func() {
	// "NBD implementations supporting TLS MUST support TLS version 1.2"
	It("include 1.2", ID("tls.version.1.2"),
		MUST("tls.version.required.server"),
		Needs(feature.StartTLS),
		TrippedBy(quirk.TLS13Only, "want a handshake of TLS 1.2"),
		func(ctx context.Context) {
			s, h := handshakeOf(ctx, tls.VersionTLS12)

			Expect(h.End).To(Equal(Complete), "handshake-tls-1-2", h, h.Err)
			Expect(s.InStep()).To(BeInStep())
		})

	// "SHOULD support any later versions"
	It("include 1.3", ID("tls.version.1.3"),
		SHOULD("tls.version.later.server"),
		Needs(feature.StartTLS),
		TrippedBy(quirk.TLS12Only, "want a handshake of TLS 1.3"),
		func(ctx context.Context) {
			s, h := handshakeOf(ctx, tls.VersionTLS13)

			Expect(h.End).To(Equal(Complete), "handshake-tls-1-3", h, h.Err)
			Expect(s.InStep()).To(BeInStep())
		})

	// "MAY support older versions but SHOULD NOT do so by default"
	It("do not include older ones by default", ID("tls.version.old"),
		SHOULD("tls.version.older.default.server"),
		Needs(feature.StartTLS),
		TrippedBy(quirk.TLSOldAccepted, "want no handshake of TLS 1.0"),
		func(ctx context.Context) {
			for _, old := range []uint16{tls.VersionTLS10, tls.VersionTLS11} {
				_, h := handshakeOf(ctx, old)

				Expect(h.End).NotTo(Equal(Complete), "no-handshake-of", tls.VersionName(old))
			}
		})
})
