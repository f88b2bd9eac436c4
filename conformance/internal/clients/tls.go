package clients

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"slices"
	"sync"

	. "github.com/onsi/ginkgo/v2"

	"nbdconform/conformance/clause"
	. "nbdconform/conformance/internal/encounter"
	. "nbdconform/conformance/internal/expect"
	. "nbdconform/conformance/internal/spec"
	"nbdconform/conformance/internal/verdict"
	"nbdconform/conformance/subject"
	quirk "nbdconform/reference/quirk/client"
	"nbdconform/reference/server"
	"nbdconform/reference/starttls"
	"nbdconform/reference/wire"
	"nbdconform/reports/result"
)

// secured are activities that a client may do within TLS.
var secured = []subject.Operation{subject.CopyOut, subject.Visit, subject.Map, subject.Info, subject.Compare, subject.CopyIn, subject.List}

var _ = Describe("TLS", func() {
	// "A client ... MUST be able to cope with servers in each of the modes"
	It("can be forced", ID("client.tls.forced"),
		MUST("tls.client.modes", "uri.nbds.tls"),
		Asks(secured[0], secured[1:]...),
		TrippedBy(quirk.WithoutTLS, "want success"),
		func(ctx context.Context) {
			v := Ask(ctx, Told(subject.TLSRequire), Secure(server.ForcedTLS, nil))

			Expect(v).To(GoWell())
		})

	It("can be selective", ID("client.tls.selective"),
		MUST("tls.client.modes"),
		Asks(secured[0], secured[1:]...),
		TrippedBy(quirk.WithoutTLS, "want success"),
		func(ctx context.Context) {
			v := Ask(ctx, Told(subject.TLSRequire), Secure(server.SelectiveTLS, nil), Exporting(func(e *server.Export) { e.TLSOnly = true }))

			Expect(v).To(GoWell())
		})

	// "If the server replies with an error, the client MUST continue without TLS or end the session"
	for name, refusal := range map[string]wire.ReplyType{"unsup": wire.RepErrUnsup, "policy": wire.RepErrPolicy} {
		It("can be lacking: "+name, ID("client.tls.refused."+name),
			MUST("tls.client.starttls.error", "tls.client.modes", "layout.option.magic", "uri.nbds.or-fail"),
			Asks(secured[0], secured[1:]...),
			TrippedBy(quirk.StartTLSAnyway, "an option opens with IHAVEOPT"),
			func(ctx context.Context) {
				v := Ask(ctx, Told(subject.TLSRequire), With(func(c *server.Config) { c.StartTLS = refusal }))

				Expect(v).To(GoWrong())
			})
	}

	// After NBD_REP_ERR_TLS_REQD the client may start TLS, end the session, or carry on with something else; and it
	// may choose the export outright. What it does where it was told nothing of TLS is observed.
	It("may be demanded of a client that does not think of it", ID("client.tls.reqd"),
		MAY("tls.client.tls-reqd.terminate", "tls.client.tls-reqd.starttls", "tls.client.tls-reqd.continue", "tls.client.export-name"),
		Asks(secured[0], secured[1:]...),
		func(ctx context.Context) {
			v := Ask(ctx, Secure(server.ForcedTLS, nil))

			Expect(v).To(TellNoLie())
			for _, c := range v.Conns {
				next := "the end of the connection"
				switch before, _ := afterTLS(c); {
				case len(c.Options) == 0:
				case len(before) == 0:
					next = "NBD_OPT_STARTTLS from the start"
				case c.Sent(wire.OptExportName):
					next = "NBD_OPT_EXPORT_NAME"
				case c.Sent(wire.OptStartTLS, wire.OptAbort):
					next = c.Options[len(before)-1].Option.String()
				}
				Observe(ctx, "FORCEDTLS", "%s in the end, after %d options", next, len(c.Options))
			}
		})

	It("starts as soon as it is granted", ID("client.tls.upgrade"),
		MUST("tls.client.upgrade", "tls.upgrade.all.client"),
		Asks(secured[0], secured[1:]...),
		TrippedBy(quirk.StartTLSInTheClear, "opens no TLS record"),
		func(ctx context.Context) {
			v := Ask(ctx, Told(subject.TLSRequire), Secure(server.ForcedTLS, nil))

			Expect(v).To(GoWell())
		})

	It("is not asked for without fixed newstyle", ID("client.tls.not-fixed"),
		MUST("tls.client.starttls.not-fixed"),
		Asks(secured[0], secured[1:]...),
		Provokes("baseline.server.fixed-newstyle"),
		TrippedBy(quirk.StartTLSNotFixed, "NBD_OPT_STARTTLS"),
		func(ctx context.Context) {
			v := Ask(ctx, Told(subject.TLSRequire), With(func(c *server.Config) { c.Handshake = server.Newstyle }))

			Expect(v).To(UseNo(wire.OptStartTLS))
			Expect(v).To(GoWrong())
		})

	// "support for TLS 1.2 is REQUIRED"
	It("can be of version 1.2", ID("client.tls.1.2"),
		MUST("tls.version.required.client"),
		Asks(secured[0], secured[1:]...),
		TrippedBy(quirk.TLS13Only, "want success"),
		func(ctx context.Context) {
			v := Ask(ctx, Told(subject.TLSRequire), Secure(server.ForcedTLS, func(s *starttls.X509Server) { s.MaxVersion = tls.VersionTLS12 }))

			Expect(v).To(GoWell())
		})

	// "If the TLS handshake fails, the client MUST end the session"
	It("that fails ends the session", ID("client.tls.failed"),
		MUST("tls.handshake.failed.client", "haggling.mandated.hard.client"),
		Asks(secured[0], secured[1:]...),
		Provokes("tls.upgrade.all.server"),
		TrippedBy(quirk.TLSFailureIgnored, "it speaks on in the clear"),
		func(ctx context.Context) {
			var g garbling
			v := Ask(ctx, Told(subject.TLSRequire), With(func(c *server.Config) {
				c.TLS = server.TLS{Mode: server.ForcedTLS, Server: &g}
			}))

			if !g.came() {
				Unsuited("does-not-start-tls")
			}
			Expect(g.plain()).To(BeFalse(), "ended-speaks-plaintext")
			Expect(v).To(GoWrong())
			Expect(g.ended()).To(BeTrue(), "ended-stays-open")
		})

	// "the client MUST NOT make assumptions from an earlier session"
	It("of an earlier session says nothing of this one", ID("client.tls.remembered"),
		MUST("tls.mode.remembered"),
		Asks(secured[0], secured[1:]...),
		TrippedBy(quirk.TLSRemembered, "want success"),
		func(ctx context.Context) {
			Ask(ctx, Told(subject.TLSRequire))
			v := Ask(ctx, Told(subject.TLSRequire), Secure(server.ForcedTLS, nil))

			Expect(v).To(GoWell())
		})

	It("is shut down after NBD_OPT_ABORT", ID("client.tls.abort"),
		MUST("haggling.abort.tls-shutdown"),
		Asks(subject.List, subject.Info),
		TrippedBy(quirk.AbortCutsTLS, "the connection ends without it"),
		func(ctx context.Context) {
			v := Ask(ctx, Told(subject.TLSRequire), Secure(server.ForcedTLS, nil), staying)

			if !Sent(v, wire.OptAbort) {
				Unsuited("leaves-without-abort")
			}
			Expect(v).To(ShutTLS())
		})

	for _, o := range []struct {
		option wire.Option
		clause string
		quirk  quirk.Quirk
	}{
		{wire.OptStructuredReply, "opt.structured-reply.after-starttls", quirk.StructuredKept},
		{wire.OptExtendedHeaders, "opt.extended-headers.after-starttls", quirk.ExtendedKept},
	} {
		It("voids "+o.option.String(), ID("client.tls.voids."+short(o.option)),
			MUST(clauseID(o.clause)),
			Asks(secured[0], secured[1:]...),
			TrippedBy(o.quirk, "want "+o.option.String()+" once more"),
			func(ctx context.Context) {
				v := Ask(ctx, Told(subject.TLSRequire), Secure(server.ForcedTLS, nil),
					Hooked(server.Hooks{Skip: map[string]bool{"tls.forced.other-options": true}}))

				if !Want(result.Nothing, negotiatedEarly(o.option)).Accepts(v) {
					Unsuited("starts-tls-before-negotiates")
				}
				Expect(v).To(Want(result.Term("client.repeats-within-tls", o.option.String()), dependsOn(o.option)))
			})
	}
})

// afterTLS splits the options of a connection at NBD_OPT_STARTTLS.
func afterTLS(c *Conn) (before, after []wire.OptionRequest) {
	i := slices.IndexFunc(c.Options, func(o wire.OptionRequest) bool { return o.Option == wire.OptStartTLS })
	if i < 0 {
		return c.Options, nil
	}
	return c.Options[:i], c.Options[i+1:]
}

func has(list []wire.OptionRequest, options ...wire.Option) bool {
	return slices.ContainsFunc(list, func(q wire.OptionRequest) bool { return slices.Contains(options, q.Option) })
}

// negotiatedEarly finds nothing wrong where an option came before TLS.
func negotiatedEarly(o wire.Option) func(*Visit) result.Value {
	return func(v *Visit) result.Value {
		for _, c := range v.Conns {
			if before, after := afterTLS(c); after != nil && has(before, o) {
				return result.Nothing
			}
		}
		return result.Term("client.tls-first")
	}
}

// dependsOn finds what depends on an option that was not sent within TLS.
func dependsOn(o wire.Option) func(*Visit) result.Value {
	return func(v *Visit) result.Value {
		for _, c := range v.Conns {
			_, after := afterTLS(c)
			if has(after, wire.OptStructuredReply, wire.OptExtendedHeaders) {
				continue
			}
			if has(after, wire.OptSetMetaContext) || c.Asked(wire.CmdBlockStatus) {
				return result.Term("client.contexts-selected")
			}
			for _, w := range c.Judge.Violations() {
				if w.Side == clause.Client && w.Clause == "layout.request.magic" {
					return result.Term("client.sends-extended-header", verdict.Term(w.Failure()))
				}
			}
		}
		return result.Nothing
	}
}

// A garbling server answers a TLS handshake by what is none, and listens.
type garbling struct {
	mu    sync.Mutex
	heard bytes.Buffer
	eof   bool
}

func (g *garbling) Upgrade(_ context.Context, nc net.Conn) (starttls.Conn, error) {
	b := make([]byte, 64<<10)
	n, err := nc.Read(b)
	g.hear(b[:n])
	for first := true; err == nil; first = false {
		if first {
			_, _ = nc.Write([]byte("This is a record of no kind of TLS that was ever heard of.\n"))
		}
		n, err = nc.Read(b)
		g.hear(b[:n])
	}
	g.mu.Lock()
	g.eof = errors.Is(err, io.EOF) || !errors.Is(err, net.ErrClosed)
	g.mu.Unlock()
	return nil, errors.New("garbled")
}

func (g *garbling) hear(b []byte) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.heard.Write(b)
}

func (g *garbling) came() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.heard.Len() > 0
}

// plain reports whether an option came.
func (g *garbling) plain() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return bytes.Contains(g.heard.Bytes(), []byte("IHAVEOPT"))
}

func (g *garbling) ended() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.eof
}
