package client

import (
	"context"
	"errors"
	"fmt"
	"net"

	"nbdconform/reference/starttls"
	"nbdconform/reference/wire"
)

// A Negotiation is a session in option haggling: the greeting is over, and no
// export is chosen yet. Its methods must not be called from several goroutines
// at once. It ends with Go, ExportName, Abort or any [*SessionError].
type Negotiation struct {
	raw        *Raw
	cfg        Config
	greeting   wire.HandshakeFlags
	flags      wire.ClientFlags
	tls        starttls.Conn // nil in the clear
	structured bool          // replies come in chunks
	extended   bool          // extended headers were negotiated; structured is set too
	contexts   contexts
	old        *Export       // what oldstyle negotiation said, or nil
	ended      *SessionError // why no option can be sent any more
}

// contexts are the metadata contexts that were selected last.
type contexts struct {
	export string
	list   []wire.MetaContext
}

// Negotiate does the start of the handshake on conn: greeting, flags, TLS if
// cfg asks for it, extended headers likewise and, without those and unless cfg
// says otherwise, structured replies. From here on conn belongs to the
// negotiation: it is closed when the session ends, and at once if Negotiate
// fails.
//
// All methods that take a context end the session if the context ends before
// they are done: an option that is half answered can't be taken back.
func Negotiate(ctx context.Context, conn net.Conn, cfg Config) (*Negotiation, error) {
	n := &Negotiation{raw: NewRaw(conn), cfg: cfg.withDefaults()}
	n.raw.SetLimits(n.cfg.Limits)
	if err := n.greet(ctx); err != nil {
		return nil, n.fail(err)
	}
	early, err := n.early(ctx)
	if err != nil {
		_ = n.Close()
		return nil, err
	}
	if err := n.secure(ctx); err != nil {
		return nil, err
	}
	if early {
		n.structured, n.extended = true, n.cfg.breaks("opt.extended-headers.after-starttls")
		return n, nil
	}
	if n.Fixed() && n.cfg.ExtendedHeaders && n.cfg.breaks("opt.extended-headers.first") {
		if n.structured, err = n.wish(ctx, wire.OptStructuredReply); err != nil {
			_ = n.Close()
			return nil, err
		}
	}
	if n.Fixed() && n.cfg.ExtendedHeaders && n.cfg.Dialect.Chunks() {
		n.extended, err = n.wish(ctx, wire.OptExtendedHeaders)
		n.structured = n.structured || n.extended
	}
	if n.Fixed() && !n.structured && !n.cfg.SimpleReplies && n.cfg.Dialect.Chunks() && err == nil {
		n.structured, err = n.wish(ctx, wire.OptStructuredReply)
	}
	if err != nil {
		_ = n.Close()
		return nil, err
	}
	if h := n.cfg.Hooks; h != nil && h.Negotiated != nil {
		h.Negotiated(ctx, n)
	}
	return n, nil
}

// wish sends an option that the client can do without. The document knows
// UNSUP for it; POLICY and PLATFORM say no as well, and for good.
func (n *Negotiation) wish(ctx context.Context, o wire.Option) (granted bool, err error) {
	err = n.simpleOption(ctx, o)
	if refused(err, wire.RepErrUnsup, wire.RepErrPolicy, wire.RepErrPlatform) && !n.cfg.breaks("baseline.client.simple-reply") {
		return false, nil
	}
	if err != nil && n.cfg.breaks("baseline.client.simple-reply") {
		return false, n.fail(&SessionError{Err: err})
	}
	return err == nil, err
}

func (n *Negotiation) greet(ctx context.Context) *SessionError {
	g, err := n.raw.Greeting(ctx)
	if err != nil {
		if n.raw.GreetsOldstyle() {
			return n.greetOldstyle(ctx)
		}
		return sessionError("reading the greeting", unwrapOnce(err))
	}
	if n.cfg.breaks("baseline.client.fixed-newstyle") {
		return &SessionError{Err: errors.New("reading the greeting: this client speaks nothing but oldstyle")}
	}
	n.greeting = g.Flags // flags that are not known are to be ignored
	if g.Flags&^(wire.FlagFixedNewstyle|wire.FlagNoZeroes) != 0 && n.cfg.breaks("handshake.flags.unknown") {
		return &SessionError{Err: fmt.Errorf("reading the greeting: unknown flags %v", g.Flags)}
	}
	if g.Flags&wire.FlagFixedNewstyle != 0 {
		n.flags |= wire.FlagCFixedNewstyle
	}
	if g.Flags&wire.FlagNoZeroes != 0 && !n.cfg.Zeroes {
		n.flags |= wire.FlagCNoZeroes
	}
	if err := n.sendFlags(ctx); err != nil {
		return sessionError("sending the client flags", unwrapOnce(err))
	}
	return nil
}

// Greeting are the handshake flags of the server.
func (n *Negotiation) Greeting() wire.HandshakeFlags { return n.greeting }

// Fixed reports whether both sides speak fixed newstyle. Without it
// [Negotiation.ExportName] is the only option.
func (n *Negotiation) Fixed() bool { return n.flags&wire.FlagCFixedNewstyle != 0 }

// Oldstyle reports whether the server spoke oldstyle negotiation.
func (n *Negotiation) Oldstyle() bool { return n.old != nil }

// Structured reports whether replies come in chunks: structured replies or
// extended headers were negotiated.
func (n *Negotiation) Structured() bool { return n.structured }

// Extended reports whether extended headers were negotiated.
func (n *Negotiation) Extended() bool { return n.extended }

// Abort initiates a soft disconnect and closes the connection. That the server
// hangs up without a reply is fine. If ctx ends first, the connection is closed
// without waiting for more.
func (n *Negotiation) Abort(ctx context.Context) error {
	if n.ended != nil {
		return n.ended
	}
	if !n.Fixed() {
		n.end(&SessionError{Err: ErrDisconnected}) // no option but EXPORT_NAME: no soft way
		return nil
	}
	if n.cfg.breaks("haggling.hard.unjustified.client") {
		n.end(&SessionError{Err: ErrDisconnected})
		return nil
	}
	_, err := n.option(ctx, wire.OptionRequest{Option: wire.OptAbort}, 0)
	if n.cfg.breaks("haggling.abort.drop") {
		_, _ = n.Say(ctx, wire.OptionRequest{Option: wire.OptList})
	}
	if n.ended != nil && !n.ended.Violation && Ended(err) && !n.cfg.breaks("opt.abort.closed-without-reply") {
		n.ended, err = nil, nil
	}
	n.end(&SessionError{Err: ErrDisconnected})
	return err
}

// Close is Abort within Config.Grace. It does nothing where the session is over.
func (n *Negotiation) Close() error {
	if n.ended != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), n.cfg.Grace)
	defer cancel()
	return n.Abort(ctx)
}

// fail ends the session with a hard disconnect.
func (n *Negotiation) fail(err *SessionError) error {
	n.end(err)
	return err
}

func (n *Negotiation) end(err *SessionError) {
	if n.ended == nil {
		n.ended = err
	}
	cut := "haggling.abort.tls-shutdown"
	if err.Violation {
		cut = "haggling.hard.tls-shutdown.client"
	}
	if n.tls != nil && n.cfg.breaks(cut) {
		_ = n.tls.NetConn().Close()
		return
	}
	_ = n.raw.conn.Close()
}

func isFormat(err error) bool {
	var f *wire.FormatError
	return errors.As(err, &f)
}

// unwrapOnce takes the gerund off an error of Raw.
func unwrapOnce(err error) error {
	if inner := errors.Unwrap(err); inner != nil {
		return inner
	}
	return err
}

// notFixed is the error of options that the server would not understand.
func notFixed(o wire.Option) error {
	return usage("", "%v needs fixed newstyle negotiation, which the server does not offer", o)
}

var errNoFinal = fmt.Errorf("more than %d replies, or %d bytes of them, without a final one", maxOptionReplies, maxOptionBytes)
