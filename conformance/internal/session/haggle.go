package session

import (
	"context"

	"nbdconform/conformance/internal/verdict"
	"nbdconform/reference/wire"
	"nbdconform/reports/render/words"
	"nbdconform/reports/result"
)

// Greeting reads the server's greeting.
func (s *Session) Greeting() wire.Greeting {
	var g wire.Greeting
	end, err := s.patience(0, func(ctx context.Context) (err error) {
		g, err = s.raw.Greeting(ctx)
		return err
	})
	if end == Malformed && s.raw.GreetsOldstyle() {
		verdict.Blocked("baseline.server.fixed-newstyle", "oldstyle-negotiation")
	}
	if end != Complete {
		verdict.Blocked("baseline.server.fixed-newstyle", "waiting-for-greeting", end, err)
	}
	s.offered, s.phase = g.Flags, greeted
	return g
}

// SendFlags answers the greeting. Where the target has it all within TLS, and
// the flags allow it, TLS comes next.
func (s *Session) SendFlags(f wire.ClientFlags) {
	s.SendFlagsInClear(f)
	if s.attempt.server.Facts.Secure && f&wire.ClientFlags(s.offered)&wire.FlagCFixedNewstyle != 0 {
		s.Secure()
	}
}

// SendFlagsInClear answers the greeting, and TLS does not come next.
func (s *Session) SendFlagsInClear(f wire.ClientFlags) {
	s.Raw(f.Append(nil))
	s.FlagsSent(f)
}

// FlagsSent tells the session of client flags that were sent by other means.
func (s *Session) FlagsSent(f wire.ClientFlags) { s.chosen, s.phase = f, haggling }

// Polite are the client flags that a well-behaved client sets: those of what the server offered.
func (s *Session) Polite() wire.ClientFlags {
	return wire.ClientFlags(s.offered) & (wire.FlagCFixedNewstyle | wire.FlagCNoZeroes)
}

// Haggle connects and goes up to where options can be sent, within TLS where the
// target insists on that.
func Haggle(ctx context.Context) *Session {
	s := Open(ctx)
	s.Greeting()
	s.SendFlags(s.Polite())
	return s
}

// Offered are the handshake flags of the greeting.
func (s *Session) Offered() wire.HandshakeFlags { return s.offered }

// An Answer is all that a server says to one option.
type Answer struct {
	Request wire.OptionRequest
	Replies []wire.OptionReply // the last one is final if End is Complete
	End     End
	Err     error
}

// data is what an option carries: a value of package wire, or nil.
type data interface{ Append([]byte) []byte }

// Bytes is option data that has no layout.
type Bytes []byte

// Append appends the bytes to b.
func (d Bytes) Append(b []byte) []byte { return append(b, d...) }

// Option sends an option and waits for the final reply.
func (s *Session) Option(o wire.Option, d data) Answer {
	q := wire.OptionRequest{Option: o}
	if d != nil {
		q.Data = d.Append(nil)
	}
	return s.AnswerTo(q, s.Raw(q.Append(nil)))
}

// AnswerTo waits for the replies to an option that was sent by other means.
func (s *Session) AnswerTo(q wire.OptionRequest, sent End) Answer {
	a := Answer{Request: q}
	if sent == Silence {
		a.End = sent
		return a
	}
	if s.broken != nil && s.ending(s.broken) == HungUp {
		s.broken = nil // the write failed; what the server said before it hung up may still be there
	}
	a.End, a.Err = s.patience(0, func(ctx context.Context) (err error) {
		a.Replies, err = s.raw.OptionReplies(ctx)
		return err
	})
	if a.End == Complete && q.Option == wire.OptStructuredReply && a.Type() == wire.RepAck {
		s.structured = true
	}
	if a.End == Complete && q.Option == wire.OptExtendedHeaders && a.Type() == wire.RepAck {
		s.extended = true
	}
	if a.End == Complete && q.Option == wire.OptStartTLS && a.Type() == wire.RepAck && s.tls == nil {
		s.phase = over // in the clear; Upgrade goes on
	}
	if a.End == Complete && q.Option == wire.OptAbort {
		s.phase = over
	}
	if a.End == Complete && q.Option == wire.OptGo && a.Type() == wire.RepAck {
		s.enter(a)
	}
	return a
}

// enter takes over what the server said of the export.
func (s *Session) enter(a Answer) {
	s.phase = transmission
	s.Infos = a.Infos()
	for _, i := range s.Infos {
		switch i.Type {
		case wire.InfoExport:
			if e, err := wire.ParseExportInfo(i.Payload); err == nil {
				s.Size, s.Flags = e.Size, e.Flags
			}
		case wire.InfoBlockSize:
			if c, err := wire.ParseSizeConstraints(i.Payload); err == nil && c.Validate() == nil {
				s.Constraints = c
			}
		}
	}
}

// Type is the type of the final reply, or 0 if there was none.
func (a Answer) Type() wire.ReplyType {
	if a.End != Complete || len(a.Replies) == 0 {
		return 0
	}
	return a.Replies[len(a.Replies)-1].Type
}

// Infos are the contents of the NBD_REP_INFO replies that can be parsed.
func (a Answer) Infos() []wire.Info { return collect(a, wire.RepInfo, wire.ParseInfo) }

// Servers are the contents of the NBD_REP_SERVER replies that can be parsed.
func (a Answer) Servers() []wire.ServerReply {
	return collect(a, wire.RepServer, wire.ParseServerReply)
}

// Contexts are the contents of the NBD_REP_META_CONTEXT replies that can be parsed.
func (a Answer) Contexts() []wire.MetaContext {
	return collect(a, wire.RepMetaContext, wire.ParseMetaContext)
}

func collect[T any](a Answer, t wire.ReplyType, parse func([]byte) (T, error)) []T {
	var all []T
	for _, p := range a.Replies {
		if p.Type == t {
			if v, err := parse(p.Data); err == nil {
				all = append(all, v)
			}
		}
	}
	return all
}

func (a Answer) String() string { return words.Phrase(a.Value()) }

// Structured negotiates structured replies.
func (s *Session) Structured() {
	if a := s.Option(wire.OptStructuredReply, nil); a.Type() != wire.RepAck {
		verdict.Blocked("cmd.read.structured", "negotiating-structured-replies", a)
	}
}

// Extended negotiates extended headers.
func (s *Session) Extended() {
	if a := s.Option(wire.OptExtendedHeaders, nil); a.Type() != wire.RepAck {
		verdict.Blocked("trans.extended.reply", "negotiating-extended-headers", a)
	}
}

// Select selects metadata contexts for the export under test.
func (s *Session) Select(queries ...string) {
	q := wire.MetaContextRequest{Export: s.attempt.server.Facts.Export, Queries: queries}
	a := s.Option(wire.OptSetMetaContext, q)
	if a.Type() != wire.RepAck {
		verdict.Blocked("opt.set-meta.reply", "selecting-metadata-contexts", a)
	}
	s.Contexts = map[uint32]string{}
	for _, c := range a.Contexts() {
		s.Contexts[c.ID] = c.Name
	}
}

// Go asks to enter the transmission phase with the export under test.
func (s *Session) Go(infos ...wire.InfoType) Answer {
	return s.Option(wire.OptGo, wire.InfoRequest{Export: s.attempt.server.Facts.Export, Infos: infos})
}

// ExportName sends NBD_OPT_EXPORT_NAME and reads its answer.
func (s *Session) ExportName(name string) (wire.ExportNameReply, HangUp) {
	q := wire.OptionRequest{Option: wire.OptExportName, Data: []byte(name)}
	s.Raw(q.Append(nil))
	var e wire.ExportNameReply
	zeroes := s.chosen&wire.FlagCNoZeroes == 0
	end, err := s.patience(0, func(ctx context.Context) (err error) {
		e, err = s.raw.ExportNameReply(ctx, zeroes)
		return err
	})
	if end == Complete {
		s.phase, s.Size, s.Flags = transmission, e.Size, e.Flags
	}
	return e, HangUp{End: end, Err: err}
}

// UnknownOption is an option that no document defines.
const UnknownOption wire.Option = 0x6e6f7065

// InStep shows that the conversation is in step: during haggling an unknown
// option is answered, in the transmission phase a small read, or a flush where
// there is nothing to read. It returns what is wrong, or [result.Nothing].
func (s *Session) InStep() result.Value {
	if s.phase == transmission {
		q := ReadOf(0, uint64(s.Constraints.Minimum))
		if q.Length > s.Size {
			if s.Flags&wire.FlagSendFlush == 0 {
				return result.Nothing // nothing can be asked without breaking a rule
			}
			q = wire.Request{Type: wire.CmdFlush}
		}
		if r := s.Do(q); r.End != Complete {
			return r.Value()
		}
		return result.Nothing
	}
	a := s.Option(UnknownOption, nil)
	if a.End != Complete || !a.Type().IsError() || a.Replies[0].Option != UnknownOption {
		return a.Value()
	}
	return result.Nothing
}

// InStepOrGone is InStep after the client broke a rule, over which the server
// may leave at any time.
func (s *Session) InStepOrGone() result.Value {
	wrong := s.InStep()
	if s.broken != nil && s.ending(s.broken) == HungUp {
		return result.Nothing
	}
	return wrong
}

// Summary tells in a few words how the answer ended.
func (a Answer) Summary() string {
	if a.End != Complete {
		return a.End.String()
	}
	return a.Type().String()
}
