package encounter

import (
	"time"

	"nbdconform/conformance/subject"
	"nbdconform/reference/export"
	serverquirk "nbdconform/reference/quirk/server"
	"nbdconform/reference/server"
	"nbdconform/reference/starttls"
	"nbdconform/reference/starttls/pki"
	"nbdconform/reference/wire"
)

// Size is the size of the export, unless a spec wants another, in bytes.
const Size = 1 << 20

// A setup is how the server behaves in one visit, and what is asked of the client.
type setup struct {
	size     uint64
	tls      subject.TLS
	activity subject.Operation // instead of the spec's
	config   []func(*server.Config)
	hooks    []func() server.Hooks // of one connection each
	length   uint64                // of caller.Resize
	slow     bool
}

// A Way is one way in which the server is to behave.
type Way func(*setup)

// With changes the server's configuration.
func With(f func(*server.Config)) Way { return func(s *setup) { s.config = append(s.config, f) } }

// Exporting changes the export.
func Exporting(f func(*server.Export)) Way {
	return With(func(c *server.Config) { f(&c.Exports[0]) })
}

// Hooked puts hooks into the server. Specs about what they stimulate ask
// [Visit.Provoked] whether the client ever gave occasion.
func Hooked(h server.Hooks) Way {
	return func(s *setup) { s.hooks = append(s.hooks, func() server.Hooks { return h }) }
}

// EachConn puts hooks into the server that have state of one connection.
func EachConn(f func() server.Hooks) Way { return func(s *setup) { s.hooks = append(s.hooks, f) } }

// Misbehaving gives the server one of its quirks.
func Misbehaving(q serverquirk.Quirk) Way {
	return func(s *setup) {
		switch {
		case q.Config != nil:
			s.config = append(s.config, func(c *server.Config) {
				q.Config(c)
				if h := c.Hooks; h != nil {
					c.Hooks = nil
					s.hooks = append(s.hooks, func() server.Hooks { return *h })
				}
			})
		case q.New != nil:
			s.hooks = append(s.hooks, q.New)
		default:
			s.hooks = append(s.hooks, func() server.Hooks { return q.Hooks })
		}
	}
}

// Omitting takes transmission flags, and what is behind them, from the export.
func Omitting(f wire.TransmissionFlags) Way {
	return Exporting(func(e *server.Export) { e.Omit |= f })
}

// Constrained gives the export size constraints.
func Constrained(minimum, preferred, most uint32) Way {
	return Exporting(func(e *server.Export) {
		e.Constraints = wire.SizeConstraints{Minimum: minimum, Preferred: preferred, MaxPayload: most}
	})
}

// OfSize makes the export as large as that, in bytes.
func OfSize(n uint64) Way { return func(s *setup) { s.size = n } }

// SlowWrites has writes take a moment, so that [Visit.Uncovered] can count them.
func SlowWrites() Way {
	return func(s *setup) {
		s.slow = true
		s.hooks = append(s.hooks, func() server.Hooks {
			return server.Hooks{Wrap: func(e export.Export) export.Export { return &tardy{e} }}
		})
	}
}

// A tardy disk writes slowly.
type tardy struct{ export.Export }

func (d *tardy) WriteAt(b []byte, off uint64) error {
	time.Sleep(20 * time.Millisecond)
	return d.Export.WriteAt(b, off)
}

// To makes a resize go to that size.
func To(n uint64) Way { return func(s *setup) { s.length = n } }

// Doing asks the client for another activity than the spec's first.
func Doing(a subject.Operation) Way { return func(s *setup) { s.activity = a } }

// Told tells the client what to do about TLS.
func Told(t subject.TLS) Way { return func(s *setup) { s.tls = t } }

// Secure has the server do TLS in the mode, and has change, if it is not nil,
// change how.
func Secure(mode server.TLSMode, change func(*starttls.X509Server)) Way {
	return With(func(c *server.Config) {
		s := pki.Shared().Server(false)
		if change != nil {
			change(s)
		}
		c.TLS = server.TLS{Mode: mode, Server: s}
	})
}

// Plain keeps the server from structured replies and extended headers.
var Plain = Hooked(server.Hooks{OptionReply: func(x *server.OptionExchange) {
	if x.Is(wire.OptStructuredReply, wire.OptExtendedHeaders) {
		x.Fail(wire.RepErrUnsup, "")
		x.Session.Structured, x.Session.Extended = false, false
	}
}})

// Compact keeps the server from extended headers.
var Compact = With(func(c *server.Config) { c.NoExtendedHeaders = true })
