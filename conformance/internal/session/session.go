package session

import (
	"context"
	"errors"
	"net"
	"os"
	"slices"
	"time"

	"nbdconform/conformance/internal/verdict"
	"nbdconform/conformance/judge"
	"nbdconform/reference/client"
	"nbdconform/reference/starttls"
	"nbdconform/reference/wire"
	"nbdconform/reports/recording"
	"nbdconform/reports/render/words"
	"nbdconform/reports/result"
)

// A Session is one judged conversation with the target. It may be used by one
// goroutine at a time.
//
// Methods do not return errors: what the server does, hanging up and silence
// included, is part of the value that they return. Methods that only prepare
// the ground for what a spec is about (Greeting, Structured, Enter, Read,
// Write) end the spec as blocked when the server does not play along.
type Session struct {
	attempt *attempt
	ctx     context.Context
	conn    net.Conn
	raw     *client.Raw
	judge   *judge.Judge
	tls     starttls.Conn // nil in the clear
	index   int           // among the trial's sessions, and in its recording

	offered   wire.HandshakeFlags
	chosen    wire.ClientFlags
	phase     phase
	broken    error // why nothing more can be read, or nil
	closed    bool
	cookie    uint64
	awaiting  map[uint64]*Reply // requests without a complete reply, by cookie
	completed int               // replies that came whole

	// What was negotiated.
	structured  bool
	extended    bool
	Size        uint64 // of the export, bytes
	Flags       wire.TransmissionFlags
	Constraints wire.SizeConstraints
	Contexts    map[uint32]string // selected metadata contexts
	Infos       []wire.Info
}

type phase int

const (
	connected phase = iota
	greeted
	haggling
	transmission
	over
)

// Open connects to the target and says nothing yet.
func Open(ctx context.Context) *Session {
	t := from(ctx)
	if !t.server.Facts.Concurrent && slices.ContainsFunc(t.sessions, (*Session).open) {
		verdict.Unsupported("needs-two-connections")
	}
	dctx, cancel := context.WithTimeout(ctx, t.server.limit(0))
	defer cancel()
	conn, err := t.server.Target.Dial(dctx)
	if err != nil {
		verdict.Inconclusive("connecting", err)
	}
	j := judge.New(judge.Options{Dialect: t.server.Target.Profile().Dialect})
	index := t.rec.Connect()
	s := &Session{
		attempt: t, ctx: ctx, conn: conn, judge: j, raw: client.NewRaw(judge.Conn(t.rec.Conn(index, conn), j)), index: index,
		awaiting: map[uint64]*Reply{}, cookie: 0x1000,
		Constraints: wire.DefaultSizeConstraints,
	}
	t.sessions = append(t.sessions, s)
	return s
}

// An End says how the wait for something ended.
type End int

// The ends of a wait.
const (
	Complete  End = iota // what was waited for came
	HungUp               // the server ended the connection
	Silence              // nothing came in time
	Malformed            // what came can't be the message that is due
)

func (e End) String() string { return words.Phrase(e.Value()) }

// patience runs f with the deadline for an answer that moves n bytes. In
// transmission a server may be busy with a slow disk, which nobody else notices.
func (s *Session) patience(n uint64, f func(context.Context) error) (End, error) {
	b := s.attempt.server
	if s.phase < transmission {
		f = b.quick(n, f)
	}
	return s.within(b.limit(n), f)
}

// within runs f with a deadline, unless the conversation has broken down before.
func (s *Session) within(limit time.Duration, f func(context.Context) error) (End, error) {
	if s.broken != nil {
		return s.ending(s.broken), s.broken
	}
	ctx, cancel := context.WithTimeout(s.ctx, limit)
	defer cancel()
	start := time.Now()
	err := f(ctx)
	if err == nil {
		return Complete, nil
	}
	s.broken = err
	end := s.ending(err)
	if end != Silence {
		return end, err
	}
	s.attempt.rec.Note(s.index, recording.Silence, "nothing within %v", time.Since(start).Round(time.Millisecond))
	if s.attempt.waited != nil {
		return end, err
	}
	if s.ctx.Err() != nil && time.Since(start) < limit*9/10 {
		f := result.Because("exhausted", s.attempt.server.body(), limit.Round(time.Millisecond))
		s.attempt.exhausted = &f
		return end, err
	}
	silence := result.Because("no-answer", min(limit, time.Since(start)).Round(100*time.Millisecond))
	s.attempt.waited = &silence
	return end, err
}

func (s *Session) ending(err error) End {
	switch {
	case client.Ended(err):
		return HungUp
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return Silence
	default:
		return Malformed
	}
}

// Raw sends bytes as they are.
func (s *Session) Raw(b []byte) End {
	end, _ := s.patience(uint64(len(b)), func(ctx context.Context) error { return s.raw.Send(ctx, b) })
	return end
}

// Dribble sends bytes one by one, with a moment between them in which a
// transport may carry each off on its own.
func (s *Session) Dribble(b []byte) (end End) {
	for i := range b {
		if end = s.Raw(b[i : i+1]); end != Complete {
			break
		}
		time.Sleep(100 * time.Microsecond)
	}
	return end
}

// HangUp is how the session ended when its end was waited for.
type HangUp struct {
	End  End
	Rest []byte // what came before the end
	Err  error
}

// End waits for the server to end the connection.
func (s *Session) End() HangUp {
	var h HangUp
	if s.broken != nil && s.ending(s.broken) == HungUp {
		return HangUp{End: HungUp, Err: s.broken}
	}
	s.broken = nil
	waited := s.attempt.waited
	end, err := s.within(s.attempt.server.Answer, func(ctx context.Context) (err error) {
		h.Rest, err = s.raw.EOF(ctx)
		return err
	})
	s.attempt.waited = waited // a server that stays is no server that hangs
	if h.End, h.Err = end, err; end == Complete {
		h.End = HungUp
		s.phase = over
		s.Close()
	}
	return h
}

func (h HangUp) String() string { return words.Phrase(h.Value()) }

// Leave ends the session politely and closes the connection.
func (s *Session) Leave() { s.leave() }

// Close ends the connection without a word. The judge holds that against the
// client where the document does.
func (s *Session) Close() {
	if !s.closed {
		s.closed = true
		_ = s.raw.Conn().Close()
	}
}

// CloseWrite ends the client's direction and leaves the other open, where the
// transport can.
func (s *Session) CloseWrite() {
	if c, ok := s.raw.Conn().(interface{ CloseWrite() error }); ok {
		_ = c.CloseWrite()
	}
}

// leave ends the session politely where that is possible and closes it.
func (s *Session) leave() {
	if s.closed {
		return
	}
	if s.broken == nil { // the context ended with the body of the spec
		ctx, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), s.attempt.server.Answer)
		defer cancel()
		switch s.phase {
		case haggling:
			_ = s.raw.SendOption(ctx, wire.OptionRequest{Option: wire.OptAbort})
		case transmission:
			_ = s.raw.Send(ctx, s.Encode(wire.Request{Type: wire.CmdDisc, Cookie: s.next()}))
		}
	}
	s.Close()
}

// open reports whether the connection takes up a place at the server, as far as is known.
func (s *Session) open() bool {
	return !s.closed && (s.broken == nil || s.ending(s.broken) != HungUp)
}

func (s *Session) next() uint64 {
	s.cookie++
	return s.cookie
}

// Buffered is how many bytes the server sent that nobody has read yet, as far as they have arrived.
func (s *Session) Buffered() int { return s.raw.Buffered() }
