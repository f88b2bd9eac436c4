package session

import (
	"context"
	"errors"
	"fmt"
	"time"

	"nbdconform/conformance/feature"
	"nbdconform/conformance/internal/runner"
	"nbdconform/conformance/internal/spec"
	"nbdconform/conformance/subject"
	"nbdconform/reference/wire"
	"nbdconform/reports/result"
)

// ErrUnreachable says that nobody answers at the target's address.
var ErrUnreachable = errors.New("the target can't be reached")

// Options are what the user decides about a run.
type Options struct {
	Export      *string       // the export to test; nil: as the profile says, else the default export, else the first listed one
	Destructive bool          // specs may write to the export
	Timeout     time.Duration // until silence counts as a hang; 0: scaled to the round trip
	Grace       time.Duration // for how long the first silences are borne; 0: not at all in this process, else 15 s
	Record      bool          // keep evidence, see [Server]
	Seed        int64         // of what specs leave to chance
}

// Discover connects to a target and finds out what it has. Only a target that
// nobody can connect to is an error: whatever else is wrong with the server is
// for the specs to find.
func Discover(ctx context.Context, t subject.Server, o Options) (*Server, error) {
	least := 3 * time.Second
	if t.Identity().Provider == subject.InProcess {
		least = time.Second
	}
	b := &Server{Target: t, Destructive: o.Destructive, Record: o.Record, Seed: o.Seed, Patience: PatienceFor(0, least)}
	start := time.Now()
	conn, err := t.Dial(ctx)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	_ = conn.Close()
	b.Patience = PatienceFor(time.Since(start), least)
	if o.Timeout > 0 {
		b.Answer = o.Timeout
	}
	b.grace = o.Grace
	if o.Timeout == 0 && o.Grace == 0 && t.Identity().Provider != subject.InProcess {
		b.grace = firstPatience
	}
	b.Facts = Facts{
		Concurrent:  true, // until askConcurrent finds otherwise
		Constraints: wire.DefaultSizeConstraints,
		Features:    feature.Set{},
		Declared:    feature.SetOf(t.Profile().Features),
		Promised:    t.Profile().Exports,
	}
	b.Facts.Export = t.Profile().Export
	if o.Export != nil {
		b.Facts.Export = *o.Export
	}
	for _, step := range []func(context.Context, *Server){
		askGreeting, askTLS, askForcedTLS, askConcurrent, askList, askTLSOnly, askExport(o.Export == nil && t.Profile().Export == ""), askExtended, askEntry,
	} {
		b.ask(ctx, step)
		if !b.Facts.Old.None() {
			return b, nil // there is nothing to ask by
		}
		if t.Identity().Provider != subject.URI {
			continue
		}
		if b.Facts.stranger != nil {
			return nil, b.Facts.stranger
		}
		if b.lost = b.deserted(ctx); b.lost {
			return b, nil
		}
	}
	if b.Facts.refusal == wire.RepErrTLSReqd && !b.Facts.Features[feature.StartTLS] {
		b.ask(ctx, askMode)
	}
	named := o.Export != nil || t.Identity().Provider == subject.URI && b.Facts.Export != ""
	return b, b.testable(named)
}

// testable is an error where the specs would find nothing to be tried on;
// named says that the user chose the export.
func (b *Server) testable(named bool) error {
	switch {
	case b.Target.Profile().TLSAlways && b.Facts.Greeted && !b.Facts.Secure:
		return fmt.Errorf("the server does not do TLS, which the URI demands: it answers NBD_OPT_STARTTLS with %s", b.Facts.startTLS)
	case b.Facts.handshake != nil:
		return fmt.Errorf("no TLS with the server, which the URI demands: %w", b.Facts.handshake)
	case b.Facts.Entered, b.breaks():
		return nil
	case b.Facts.refusal == wire.RepErrTLSReqd:
		return errors.New("the server insists on TLS: say how to do it, as in nbds://HOST/EXPORT?tls-certificates=DIR")
	case b.Facts.refusal == wire.RepErrUnknown && named && len(b.Facts.Exports) > 0:
		return fmt.Errorf("the server has no export %q: it lists %q", b.Facts.Export, b.Facts.Exports)
	case b.Facts.refusal == wire.RepErrUnknown && len(b.Facts.Exports) == 0:
		return fmt.Errorf("the server has no export %q and lists none: name one with --export", b.Facts.Export)
	}
	return nil
}

// ask runs one step of the discovery on connections of its own. What goes
// wrong is noted and no more.
func (b *Server) ask(ctx context.Context, step func(context.Context, *Server)) {
	t := &attempt{server: b, spec: &spec.Spec{ID: runner.Discovery}, rec: b.recorder()}
	if err := t.do(ctx, func(ctx context.Context) { step(ctx, b) }); err != nil && b.Facts.Trouble.None() {
		b.Facts.Trouble = result.ValueOf(err)
	}
	t.stopped()
	t.hangUp()
	o := runner.Weighed(t, t.spec)
	if t.scene != nil {
		t.scene.Served, t.scene.State = true, subject.Running.String()
	}
	b.Early.Violations = append(b.Early.Violations, o.Violations...)
	b.Early.Kept = append(b.Early.Kept, o.Kept...)
}

func askGreeting(ctx context.Context, b *Server) {
	start := time.Now()
	s := Open(ctx)
	grace := b.grace
	b.grace = min(grace, strangerPatience) // a greeting is nothing to work on
	defer func() {
		b.grace = grace
		if b.Facts.Old = s.old(); !b.Facts.Greeted && b.Facts.Old.None() {
			b.Facts.stranger = s.stranger()
		}
	}()
	b.Facts.Flags = s.Greeting().Flags
	b.Facts.Greeted = true
	if took := time.Since(start); took > b.RoundTrip {
		b.Patience = PatienceFor(took, b.Answer)
	}
	if b.Facts.Flags&wire.FlagFixedNewstyle != 0 {
		b.Facts.Features.Add(feature.FixedNewstyle)
	}
	if b.Facts.Flags&wire.FlagNoZeroes != 0 {
		b.Facts.Features.Add(feature.NoZeroes)
	}
}

// askConcurrent opens a second connection while one is in use. A server that
// takes one client at a time does not greet it.
func askConcurrent(ctx context.Context, b *Server) {
	Haggle(ctx)
	second := Open(ctx)
	patience := b.Answer
	b.Answer = min(patience, max(time.Second, 20*b.RoundTrip))
	defer func() { b.Answer = patience }()
	end, _ := second.patience(0, func(ctx context.Context) error {
		_, err := second.raw.Greeting(ctx)
		return err
	})
	b.Facts.Concurrent = end == Complete
	second.Close()
}

func askList(ctx context.Context, b *Server) {
	a := Haggle(ctx).Option(wire.OptList, nil)
	if a.Type() != wire.RepAck {
		return
	}
	b.Facts.Features.Add(feature.List)
	b.Facts.Exports = []string{}
	for _, e := range a.Servers() {
		b.Facts.Exports = append(b.Facts.Exports, e.Name)
	}
}

func askExtended(ctx context.Context, b *Server) {
	s := Haggle(ctx)
	if s.Option(wire.OptExtendedHeaders, nil).Type() != wire.RepAck {
		return
	}
	b.Facts.Features.Add(feature.ExtendedHeaders)
	s.Option(wire.OptSetMetaContext, wire.MetaContextRequest{Export: b.Facts.Export, Queries: []string{"base:allocation"}})
	a := s.Option(wire.OptInfo, wire.InfoRequest{Export: b.Facts.Export, Infos: []wire.InfoType{wire.InfoBlockSize}})
	for _, i := range a.Infos() {
		if e, err := wire.ParseExportInfo(i.Payload); i.Type == wire.InfoExport && err == nil && e.Flags&wire.FlagBlockStatusPayload != 0 {
			b.Facts.Features.Add(feature.BlockStatusPayload)
		}
	}
}

// askExport finds out about the export under test; choose lets it take the
// first listed export where there is no default one.
func askExport(choose bool) func(context.Context, *Server) {
	return func(ctx context.Context, b *Server) {
		s := Haggle(ctx)
		info := func() Answer {
			return s.Option(wire.OptInfo, wire.InfoRequest{Export: b.Facts.Export, Infos: []wire.InfoType{wire.InfoBlockSize}})
		}
		a := info()
		if choose && a.Type() != wire.RepAck && len(b.Facts.Exports) > 0 {
			b.Facts.Export = b.Facts.Exports[0]
			a = info()
		}
		if a.Type() == wire.RepAck {
			b.Facts.Features.Add(feature.Info)
		}
		b.Facts.refusal = a.Type()
		for _, i := range a.Infos() {
			if i.Type == wire.InfoBlockSize {
				b.Facts.Features.Add(feature.BlockSize)
			}
		}
		if a = s.Describe(wire.InfoInitState); a.Info(wire.InfoInitState) != nil {
			b.Facts.Features.Add(feature.InitState)
		}
		if s.Option(wire.OptStructuredReply, nil).Type() != wire.RepAck {
			return
		}
		b.Facts.Features.Add(feature.StructuredReply)
		a = s.Option(wire.OptSetMetaContext, wire.MetaContextRequest{Export: b.Facts.Export, Queries: []string{"base:allocation"}})
		if a.Type() != wire.RepAck {
			return
		}
		b.Facts.Features.Add(feature.MetaContext)
		if len(a.Contexts()) > 0 {
			b.Facts.Features.Add(feature.BaseAllocation)
		}
		b.Facts.note(s.Option(wire.OptListMetaContext, wire.MetaContextRequest{Export: b.Facts.Export, Queries: []string{"qemu:"}}))
	}
}

// askEntry enters the transmission phase, with structured replies if the
// server has them since some flags depend on that.
func askEntry(ctx context.Context, b *Server) {
	var modes []Mode
	if b.Facts.Features[feature.StructuredReply] {
		modes = append(modes, StructuredReplies)
	}
	s := Enter(ctx, modes...)
	b.Facts.Entered = true
	b.Facts.Size, b.Facts.Trans, b.Facts.Constraints = s.Size, s.Flags, s.Constraints
	b.Facts.Features.AddAll(feature.Of(s.dialect(), s.Flags))
}
