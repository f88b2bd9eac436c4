package trial

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"time"

	"nbdconform/conformance/clause"
	"nbdconform/conformance/spec"
	"nbdconform/conformance/target"
	"nbdconform/reports/recording"
	"nbdconform/reports/result"
)

// A Trial is one spec being tried. It travels in the context of the spec's body.
type Trial struct {
	bench        *Bench
	spec         *spec.Spec
	rec          *recording.Recorder
	sessions     []*Session
	observations []result.Observation
	waited       string // the first answer that did not come in time
	payload      uint64 // the longest that was asked for or sent, bytes
	exhausted    string // that the spec's own time was over before that of an answer, or ""
	started      time.Time
	excuse       string // why the target could not do better, or ""
	stop         stop
}

// Late reports whether half of the time is over that a spec has. Loops that
// depend on how much a server has to tell end then.
func Late(ctx context.Context) bool {
	t := from(ctx)
	return time.Since(t.started) > t.bench.body()/2
}

type key struct{}

func with(ctx context.Context, t *Trial) context.Context { return context.WithValue(ctx, key{}, t) }

func from(ctx context.Context) *Trial {
	t, ok := ctx.Value(key{}).(*Trial)
	if !ok {
		harness("the context is not that of a trial")
	}
	return t
}

// FactsOf returns what is known of the target that is being tried.
func FactsOf(ctx context.Context) Facts { return from(ctx).bench.Facts }

// Observe records what the target does where the document leaves it open.
func Observe(ctx context.Context, topic, format string, args ...any) {
	t := from(ctx)
	o := result.Observation{Topic: topic, Value: fmt.Sprintf(format, args...)}
	if t.spec != nil {
		o.Spec = t.spec.ID
	}
	t.observations = append(t.observations, o)
}

// Run tries one spec. It returns when the target serves again, or never will.
func (b *Bench) Run(ctx context.Context, s *spec.Spec) Outcome {
	if by := b.Dead(); by != "" {
		return Outcome{Verdict: result.Blocked, BlockedBy: by, Message: "the target did not come back after " + by}
	}
	if old := b.Facts.Old; old != "" && s.ID != FixedSpec {
		return Outcome{Verdict: result.Blocked, BlockedBy: FixedSpec, Message: "the server speaks " + old}
	}
	if v, why := b.excluded(s); v != "" {
		return Outcome{Verdict: v, Message: why}
	}
	t := &Trial{bench: b, spec: s, rec: b.recorder(), started: time.Now()}
	body, cancel := context.WithTimeout(ctx, b.body())
	a := t.body(body)
	t.stopped()
	t.hangUp() // politely, and so before the context ends
	cancel()
	t.excuse = t.environment(ctx, a)
	if ctx.Err() != nil {
		return Outcome{Verdict: result.Inconclusive, Message: "interrupted"}
	}
	if t.waited != "" {
		b.noteSilence()
	}
	o := t.verdict(a)
	b.afterwards(ctx, t, &o)
	return o
}

// excluded says whether the target or the user rules the spec out.
func (b *Bench) excluded(s *spec.Spec) (result.Verdict, string) {
	for _, f := range s.Needs {
		if !b.Facts.Features[f] {
			return result.Unsupported, fmt.Sprintf("needs %s, which the target does not advertise", f)
		}
	}
	for _, f := range s.Without {
		if b.Facts.Features[f] {
			return result.Unsupported, fmt.Sprintf("is about servers without %s, which the target has", f)
		}
	}
	if b.Facts.Entered && s.AtLeast > b.Facts.Size {
		return result.Unsupported, fmt.Sprintf("needs an export of %d bytes, this one has %d", s.AtLeast, b.Facts.Size)
	}
	if s.Writes && !b.Destructive {
		return result.Skipped, "writes to the export, or tries to: run with --destructive to allow that"
	}
	return "", ""
}

// body runs the body of the spec and returns what ended it, or nil.
func (t *Trial) body(ctx context.Context) (a *abort) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case abort:
			a = &r
		case error:
			a = &abort{verdict: result.Error, message: fmt.Sprintf("harness: %v\n%s", r, debug.Stack())}
		default:
			a = &abort{verdict: result.Error, message: fmt.Sprintf("harness: %v\n%s", r, debug.Stack())}
		}
	}()
	t.spec.Body(with(ctx, t))
	return nil
}

// verdict weighs what the body saw with what the judge holds against both sides.
func (t *Trial) verdict(a *abort) Outcome {
	o := Outcome{Verdict: result.Pass, Observations: t.observations}
	broken := map[clause.ID]bool{}
	provoked := map[clause.ID]bool{}
	var own, stray []Violation
	for i, s := range t.sessions {
		for _, v := range s.judge.Violations() {
			w := Violation{Violation: v, Spec: t.spec.ID, conn: i}
			switch {
			case v.Side == clause.Client && slices.Contains(t.spec.Provokes, v.Clause):
				provoked[v.Clause] = true
			case v.Side == clause.Client:
				stray = append(stray, w)
			default:
				w.Transcript = s.judge.Transcript().String()
				broken[v.Clause] = true
				o.Violations = append(o.Violations, w)
				if slices.Contains(t.spec.Clauses, v.Clause) {
					own = append(own, w)
				}
			}
		}
	}
	for _, s := range t.sessions {
		for _, c := range s.judge.Exercised() {
			if !broken[c] && !slices.Contains(o.Kept, c) {
				o.Kept = append(o.Kept, c)
			}
		}
	}

	if a != nil && a.verdict == result.Blocked && slices.Contains(t.spec.Clauses, clause.ID(a.blockedBy)) {
		a.verdict, a.blockedBy = result.Fail, "" // what stands in the way is what the spec is about
	}
	switch {
	case a != nil && (a.verdict == result.Fail || a.verdict == result.Blocked) && len(own) == 0 && t.cramped():
		o.Verdict = result.Unsupported
		o.Message = fmt.Sprintf("needs payloads of %d bytes, the server takes %d at most", t.payload, t.bench.Facts.Constraints.MaxPayload)
	case a != nil && t.excuse != "" && len(own) == 0:
		o.Verdict, o.Message = result.Inconclusive, join(t.excuse, a.message)
	case a != nil && t.exhausted != "" && len(own) == 0:
		o.Verdict, o.Message = result.Inconclusive, join(t.exhausted, a.message)
	case a != nil && a.verdict != result.Fail && a.verdict != result.Blocked:
		o.Verdict, o.Message = a.verdict, a.message
	case len(own) > 0:
		o.Verdict, o.Message = result.Fail, fmt.Sprintf("%s: %s", own[0].Clause, own[0].Detail)
		if a != nil {
			o.Message = join(o.Message, a.message)
		}
	case a != nil && a.verdict == result.Fail && t.waited != "":
		o.Verdict, o.Message = result.Hang, join(t.waited, a.message)
	case a != nil && a.verdict == result.Blocked && t.waited != "":
		o.Verdict, o.Message = result.Hang, join(t.waited, a.message)
	case a != nil:
		o.Verdict, o.Message, o.BlockedBy = a.verdict, a.message, a.blockedBy
		if by := t.derailed(); by != "" && o.Verdict == result.Fail {
			o.Verdict, o.BlockedBy = result.Blocked, string(by)
			o.Message = join(fmt.Sprintf("the conversation broke down, see %s", by), a.message)
		}
	case len(o.Violations) > 0: // a server that breaks a rule frees its client of some
	case len(stray) > 0 && t.waited != "":
		o.Verdict, o.Message = result.Hang, t.waited // who gets no answer can't leave as one should
	case len(stray) > 0:
		t.blame(&o, stray[0].Clause, fmt.Sprintf("the spec broke %s without announcing it: %s", stray[0].Clause, stray[0].Detail))
	default:
		for _, c := range t.spec.Provokes {
			if !provoked[c] {
				t.blame(&o, c, fmt.Sprintf("the spec announces that it breaks %s and does not", c))
			}
		}
	}
	if o.Verdict == result.Fail && t.spec.Level == clause.Should {
		o.Verdict = result.Weak
	}
	if why := t.disputed(own); why != "" && o.Verdict == result.Fail {
		o.Verdict, o.Message = result.Weak, join("the clause is disputed: "+why, o.Message)
	}
	if o.Verdict != result.Pass {
		o.Transcript = t.transcript(&o, own)
	}
	t.evidence(&o, own)
	return o
}

// cramped reports whether a spec that is not about payloads moved more than a
// server takes which goes against "SHOULD be at least 2^20".
func (t *Trial) cramped() bool {
	most := uint64(t.bench.Facts.Constraints.MaxPayload)
	return most < 1<<20 && t.payload > most && !slices.ContainsFunc(t.spec.Clauses, func(c clause.ID) bool {
		return strings.HasPrefix(string(c), "size.")
	})
}

// blame decides who is at fault where the spec's own side misbehaves: the
// suite, unless the server was seen to make it impossible to behave before the
// first spec. That does one which lacks the baseline, which breaks rules of the
// same matter, such as the sizes of blocks, or which lets nobody into the
// transmission phase.
func (t *Trial) blame(o *Outcome, c clause.ID, what string) {
	matter, _, _ := strings.Cut(string(c), ".")
	for _, v := range t.bench.Early.Violations {
		if has := string(v.Clause); strings.HasPrefix(has, matter+".") || strings.HasPrefix(has, "baseline.") {
			o.Verdict, o.BlockedBy = result.Blocked, string(v.Clause)
			o.Message = join(fmt.Sprintf("the server breaks %s: %s", v.Clause, v.Detail), what)
			return
		}
	}
	if c == "size.bounds.client" && t.bench.Facts.Size > 1<<63 {
		o.Verdict, o.Message = result.Unsupported, "needs an export that leaves room for requests beyond its end"
		return
	}
	if !t.bench.Facts.Entered {
		o.Verdict, o.BlockedBy = result.Blocked, "baseline.server.go"
		o.Message = join("the transmission phase could not be entered: "+t.bench.Facts.Trouble, what)
		return
	}
	o.Verdict, o.Message = result.Error, "harness: "+what
}

// disputed says what is disputed about the clause that decides: the first that
// the judge saw broken of those that the spec is about, else its main one.
func (t *Trial) disputed(own []Violation) string {
	if len(own) > 0 {
		c, _ := clause.Get(own[0].Clause)
		return c.Disputed
	}
	c, _ := t.spec.Main()
	return c.Disputed
}

// derailed names the clause whose violation made a conversation impossible to follow, or "".
func (t *Trial) derailed() clause.ID {
	for _, s := range t.sessions {
		if by, lost := s.judge.Lost(); lost {
			return by
		}
	}
	return ""
}

// transcript is that of the conversation that mattered: where the clause was
// broken, or the body ended, else the last in which anything was said.
func (t *Trial) transcript(o *Outcome, own []Violation) string {
	if len(own) > 0 {
		return t.sessions[own[0].conn].judge.Transcript().String()
	}
	if c := t.stop.conn; c >= 0 && c < len(t.sessions) {
		return t.marked(c, o)
	}
	for _, s := range slices.Backward(t.sessions) {
		if text := s.judge.Transcript().String(); text != "" {
			return text
		}
	}
	return ""
}

// hangUp closes what the body left open.
func (t *Trial) hangUp() {
	for _, s := range t.sessions {
		s.leave()
	}
}

// afterwards makes sure that the target still serves, and turns the outcome
// into a crash or a hang if it does not.
func (b *Bench) afterwards(ctx context.Context, t *Trial, o *Outcome) {
	err := b.served(ctx)
	for try := 0; err != nil && try < 2 && ctx.Err() == nil; try++ {
		time.Sleep(b.Answer / 10)
		err = b.served(ctx)
	}
	health := b.Target.Health(ctx)
	defer func() { // the verdict may change yet
		if o.Evidence == nil && o.Verdict.Broken() {
			t.evidence(o, nil)
		}
		if o.Transcript == "" && o.Verdict.Broken() {
			o.Transcript = t.transcript(o, nil)
		}
		if s := o.scene; s != nil {
			s.Served, s.State, s.Exit, s.Stderr = err == nil, health.State.String(), health.Exit, health.Stderr
		}
	}()
	if ctx.Err() != nil || err == nil && health.State != target.Exited {
		return
	}
	o.Exit, o.Stderr = health.Exit, health.Stderr
	switch {
	case health.State == target.Exited:
		o.Verdict = result.Crash
		o.Message = join(fmt.Sprintf("the server died: %s", health.Exit), o.Message)
	case health.State == target.Unknown && b.deserted(ctx):
		o.Verdict = result.Crash
		o.Message = join("the server is gone: nobody listens at its address any more", o.Message)
	default:
		o.Verdict = result.Hang
		o.Message = join(fmt.Sprintf("the server serves no further connection: %v", err), o.Message)
	}
	if down := b.Target.Restart(ctx); down != nil {
		o.Message = join(o.Message, fmt.Sprintf("the target can't be tried any further: %v", down))
		b.kill(t.spec.ID)
	}
}

// deserted reports whether nobody listens at the target's address, which for a
// program that is not ours to watch is the only sign that it ended.
func (b *Bench) deserted(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, b.Answer)
	defer cancel()
	conn, err := b.Target.Dial(ctx)
	if err == nil {
		_ = conn.Close()
	}
	return errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.ENOENT)
}

// location is the file and line of a caller, with the path cut to the module.
func location(skip int) string {
	_, file, line, ok := runtime.Caller(skip)
	if !ok {
		return ""
	}
	if i := strings.LastIndex(file, "/conformance/"); i >= 0 {
		file = file[i+1:]
	}
	return fmt.Sprintf("%s:%d", file, line)
}
