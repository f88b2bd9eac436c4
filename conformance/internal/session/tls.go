package session

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"

	"nbdconform/conformance/feature"
	"nbdconform/conformance/internal/verdict"
	"nbdconform/conformance/judge"
	"nbdconform/reference/client"
	"nbdconform/reference/starttls"
	"nbdconform/reference/wire"
	"nbdconform/reports/recording"
)

// HaggleInClear connects and goes up to where options can be sent, and leaves
// TLS to the spec.
func HaggleInClear(ctx context.Context) *Session {
	s := Open(ctx)
	s.Greeting()
	s.SendFlagsInClear(s.Polite())
	return s
}

// HaggleWithinTLS connects and goes over to TLS.
func HaggleWithinTLS(ctx context.Context) *Session {
	s := HaggleInClear(ctx)
	s.Secure()
	return s
}

// TLSOf is how to do TLS with the target. The spec is unsupported where nobody
// said how.
func TLSOf(ctx context.Context) starttls.Client {
	c := from(ctx).server.Target.Profile().TLS
	if c == nil {
		verdict.Unsupported("tls-credentials-unknown")
	}
	return c
}

// Secure goes over to TLS. The spec is blocked if the server does not play along.
func (s *Session) Secure() {
	a := s.Option(wire.OptStartTLS, nil)
	if a.Type() != wire.RepAck {
		if a.End == HungUp {
			return // as the spec will see; it may be due
		}
		verdict.Blocked("tls.selective.starttls", "starting-tls", a)
	}
	if h := s.Upgrade(TLSOf(s.ctx)); h.End != Complete {
		verdict.Blocked("tls.upgrade.ready", "starting-tls", h)
	}
}

// Upgrade does the TLS handshake; NBD_OPT_STARTTLS has to be acknowledged.
// Afterwards all goes through TLS, and the judge sees the plain text.
func (s *Session) Upgrade(c starttls.Client) HangUp {
	if n := s.raw.Buffered(); n > 0 {
		s.broken = fmt.Errorf("%d bytes follow the acknowledgement of NBD_OPT_STARTTLS in the clear", n)
		return HangUp{End: Malformed, Err: s.broken}
	}
	var conn starttls.Conn
	end, err := s.within(s.attempt.server.limit(0), func(ctx context.Context) (err error) { // calculating may be slow
		conn, err = c.Upgrade(ctx, s.conn)
		return err
	})
	if end != Complete {
		s.attempt.rec.Note(s.index, recording.TLS, "%v", err)
		return HangUp{End: end, Err: err}
	}
	s.attempt.rec.Note(s.index, recording.TLS, "")
	s.tls, s.phase, s.structured, s.extended, s.Contexts = conn, haggling, false, false, nil
	s.judge.Decrypted()
	s.raw = client.NewRaw(judge.Conn(s.attempt.rec.Conn(s.index, conn), s.judge))
	return HangUp{End: Complete}
}

// TLS is the connection within TLS, or nil in the clear.
func (s *Session) TLS() starttls.Conn { return s.tls }

func askTLS(ctx context.Context, b *Server) {
	s := HaggleInClear(ctx)
	a := s.Option(wire.OptStartTLS, nil)
	b.Facts.startTLS = a.Summary()
	if a.Type() != wire.RepAck {
		return
	}
	b.Facts.Features.Add(feature.StartTLS)
	b.Facts.Secure = b.Target.Profile().TLSAlways
	if how := b.Target.Profile().TLS; b.Facts.Secure && how != nil {
		if h := s.Upgrade(how); distrust(h.Err) {
			b.Facts.handshake = h.Err
		}
	}
	s.Close() // what comes next would have to be TLS
}

// distrust reports whether a TLS handshake failed because the server's
// certificate is not one that the user trusts, which is no matter of the protocol.
func distrust(err error) bool {
	_, authority := errors.AsType[x509.UnknownAuthorityError](err)
	_, name := errors.AsType[x509.HostnameError](err)
	_, invalid := errors.AsType[x509.CertificateInvalidError](err)
	return authority || name || invalid
}

// askForcedTLS finds out whether options other than those for exports need TLS.
func askForcedTLS(ctx context.Context, b *Server) {
	if !b.Facts.Features[feature.StartTLS] {
		return
	}
	for _, o := range []wire.Option{wire.OptList, UnknownOption} {
		if HaggleInClear(ctx).Option(o, nil).Type() == wire.RepErrTLSReqd {
			b.Facts.Features.Add(feature.ForcedTLS)
		}
	}
	if b.Facts.Features[feature.ForcedTLS] && b.Target.Profile().TLS != nil {
		b.Facts.Secure = true
	}
}

// askTLSOnly looks for a listed export that needs TLS, other than the one under test.
func askTLSOnly(ctx context.Context, b *Server) {
	if !b.Facts.Features[feature.StartTLS] || b.Facts.Features[feature.ForcedTLS] {
		return
	}
	for _, name := range b.Facts.Exports[:min(len(b.Facts.Exports), maxAsked)] {
		a := HaggleInClear(ctx).Option(wire.OptInfo, wire.InfoRequest{Export: name})
		if a.Type() == wire.RepErrTLSReqd {
			b.Facts.TLSOnly = name
			b.Facts.Features.Add(feature.TLSOnlyExport)
			return
		}
	}
}

// maxAsked bounds the exports that are asked about.
const maxAsked = 16

// EnterFrom enters the transmission phase with the export under test from
// where the session is. The spec is blocked if the server does not play along.
func (s *Session) EnterFrom() {
	if a := s.Go(wire.InfoBlockSize); a.Type() != wire.RepAck {
		verdict.Blocked("baseline.server.go", "entering-transmission-phase", a)
	}
}
