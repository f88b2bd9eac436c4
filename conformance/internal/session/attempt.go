package session

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"syscall"
	"time"

	"nbdconform/conformance/clause"
	"nbdconform/conformance/internal/outcome"
	"nbdconform/conformance/internal/runner"
	"nbdconform/conformance/internal/spec"
	"nbdconform/conformance/internal/verdict"
	"nbdconform/conformance/subject"
	"nbdconform/reports/recording"
	"nbdconform/reports/result"
)

// An attempt is one spec that runs. It travels in the context of the spec's body.
type attempt struct {
	server       *Server
	spec         *spec.Spec
	end          *verdict.End // how the body ended early, or nil
	rec          *recording.Recorder
	sessions     []*Session
	observations []result.Observation
	waited       *result.Failure // the first answer that did not come in time
	payload      uint64          // the longest that was asked for or sent, bytes
	exhausted    *result.Failure // the spec's own time ended before that of an answer
	excuse       *result.Failure // why the target could not do better
	started      time.Time
	stop         stop
	scene        *outcome.Scene
}

// Late reports whether half of the time is over that a spec has. Loops that
// depend on how much a server has to tell end then.
func Late(ctx context.Context) bool {
	t := from(ctx)
	return time.Since(t.started) > t.server.body()/2
}

type key struct{}

func with(ctx context.Context, t *attempt) context.Context { return context.WithValue(ctx, key{}, t) }

func from(ctx context.Context) *attempt {
	t, ok := ctx.Value(key{}).(*attempt)
	if !ok {
		verdict.Harness("context-of-no-server-spec")
	}
	return t
}

// FactsOf returns what is known of the target that is being tested.
func FactsOf(ctx context.Context) Facts { return from(ctx).server.Facts }

// Observe records what the target does where the specification leaves it open.
func Observe(ctx context.Context, topic, format string, args ...any) {
	t := from(ctx)
	o := result.Observation{Topic: topic, Value: fmt.Sprintf(format, args...)}
	if t.spec != nil {
		o.Spec = t.spec.ID
	}
	t.observations = append(t.observations, o)
}

// Side implements [runner.Subject].
func (b *Server) Side() clause.Side { return clause.Server }

// Before implements [runner.Subject].
func (b *Server) Before() outcome.Outcome { return b.Early }

// Exclude implements [runner.Subject].
func (b *Server) Exclude(s *spec.Spec) *verdict.Decision {
	if by := b.Dead(); by != "" {
		return excluded(result.Blocked, by, "target-down", by)
	}
	if b.lost && s.ID != FixedSpec {
		return excluded(result.Blocked, FixedSpec, "target-down", runner.Discovery)
	}
	if old := b.Facts.Old; !old.None() && s.ID != FixedSpec {
		return excluded(result.Blocked, FixedSpec, "old-negotiation", old)
	}
	for _, f := range s.Needs {
		if !b.Facts.Features[f] {
			return excluded(result.Unsupported, "", "needs-feature", string(f))
		}
	}
	for _, f := range s.Without {
		if b.Facts.Features[f] {
			return excluded(result.Unsupported, "", "without-feature", string(f))
		}
	}
	if b.Facts.Entered && s.AtLeast > b.Facts.Size {
		return excluded(result.Unsupported, "", "needs-size", s.AtLeast, b.Facts.Size)
	}
	if s.Writes && !b.Destructive {
		return excluded(result.Skipped, "", "needs-destructive")
	}
	return nil
}

func excluded(v result.Verdict, by, code string, values ...any) *verdict.Decision {
	return &verdict.Decision{Verdict: v, BlockedBy: by, Failures: []result.Failure{result.Because(code, values...)}}
}

// Attempt implements [runner.Subject]. It runs the body of a spec and closes
// the connections that the body left open.
func (b *Server) Attempt(ctx context.Context, s *spec.Spec) runner.Attempt {
	t := &attempt{server: b, spec: s, rec: b.recorder(), started: time.Now()}
	body, cancel := context.WithTimeout(ctx, b.body())
	t.end = verdict.Try(func() { s.Body(with(body, t)) })
	t.stopped()
	t.hangUp() // politely, and so before the context ends
	cancel()
	t.excuse = t.environment(ctx)
	if t.waited != nil && ctx.Err() == nil {
		b.noteSilence()
	}
	return t
}

// Seen implements [runner.Attempt].
func (t *attempt) Seen() verdict.Seen {
	seen := verdict.Seen{
		Level: t.spec.Level, Clauses: t.spec.Clauses, End: t.ended(),
		Silent: t.waited, Exhausted: t.exhausted, Excuse: t.excuse, Derailed: t.derailed(),
	}
	provoked := map[clause.ID]bool{}
	for i, s := range t.sessions {
		for _, v := range s.judge.Violations() {
			switch {
			case v.Side == clause.Client && slices.Contains(t.spec.Provokes, v.Clause):
				provoked[v.Clause] = true
			case v.Side == clause.Client:
				seen.Stray = append(seen.Stray, t.failure(i, v))
			case slices.Contains(t.spec.Clauses, v.Clause):
				seen.Own = append(seen.Own, t.failure(i, v))
			default:
				seen.Others++
			}
		}
	}
	for _, c := range t.spec.Provokes {
		if !provoked[c] {
			seen.Kept = append(seen.Kept, c)
		}
	}
	if t.cramped() {
		f := result.Because("cramped", t.payload, t.server.Facts.Constraints.MaxPayload)
		seen.Cramped = &f
	}
	if c := seen.Misbehaved(); c != "" {
		seen.Misled = t.misled(c)
	}
	return seen
}

// cramped reports whether a spec that is not about payloads moved more than a
// server takes which goes against "SHOULD be at least 2^20".
func (t *attempt) cramped() bool {
	most := uint64(t.server.Facts.Constraints.MaxPayload)
	return most < 1<<20 && t.payload > most && !slices.ContainsFunc(t.spec.Clauses, func(c clause.ID) bool {
		return topic(c) == clause.SizeConstraints
	})
}

func topic(id clause.ID) clause.Topic {
	c, _ := clause.Get(id)
	return c.Topic
}

// misled says how the server was seen to make it impossible, before the first
// spec, that the suite keeps c: it lacks the baseline, breaks rules of the same
// topic, such as the sizes of blocks, or lets no client into the transmission
// phase. Nil leaves the blame with the suite.
func (t *attempt) misled(c clause.ID) *verdict.End {
	for _, v := range t.server.Early.Violations {
		if has := topic(v.Clause); has == topic(c) || has == clause.Baseline {
			return &verdict.End{
				Verdict: result.Blocked, BlockedBy: string(v.Clause),
				Failure: result.Because("server-breaks", string(v.Clause), verdict.Term(v.Failure())),
			}
		}
	}
	if c == "size.bounds.client" && t.server.Facts.Size > 1<<63 {
		return &verdict.End{Verdict: result.Unsupported, Failure: result.Because("needs-room-past-end")}
	}
	if !t.server.Facts.Entered {
		return &verdict.End{
			Verdict: result.Blocked, BlockedBy: "baseline.server.go", Failure: result.Because("not-entered", t.server.Facts.Trouble),
		}
	}
	return nil
}

// derailed names the clause whose violation made a conversation impossible to follow, or "".
func (t *attempt) derailed() clause.ID {
	for _, s := range t.sessions {
		if by, lost := s.judge.Lost(); lost {
			return by
		}
	}
	return ""
}

// hangUp closes what the body left open.
func (t *attempt) hangUp() {
	for _, s := range t.sessions {
		s.leave()
	}
}

// Recover implements [runner.Attempt]. It makes sure that the target still
// serves, and turns the outcome into a crash or a hang if it does not.
func (t *attempt) Recover(ctx context.Context, o *outcome.Outcome) {
	b := t.server
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
			o.Transcript, o.Marks = t.transcript(o, nil)
		}
		if s := t.scene; s != nil {
			s.Served, s.State, s.Exit, s.Stderr = err == nil, health.State.String(), health.Exit, health.Stderr
		}
	}()
	if ctx.Err() != nil || err == nil && health.State != subject.Exited {
		return
	}
	o.Exit, o.Stderr = health.Exit, health.Stderr
	switch {
	case health.State == subject.Exited:
		o.Verdict = result.Crash
		o.Explain(result.Because("server-exited", result.Text(health.Exit)))
	case health.State == subject.Unknown && b.deserted(ctx):
		o.Verdict = result.Crash
		o.Explain(result.Because("server-gone"))
	default:
		o.Verdict = result.Hang
		o.Explain(result.Because("serves-no-further-connection", err))
	}
	if down := b.Target.Restart(ctx); down != nil {
		o.Failures = append(o.Failures, result.Because("target-not-restarted", down))
		b.kill(t.spec.ID)
	}
}

// deserted reports whether nobody listens at the target's address, which for a
// program that is not ours to watch is the only sign that it ended.
func (b *Server) deserted(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, b.Answer)
	defer cancel()
	conn, err := b.Target.Dial(ctx)
	if err == nil {
		_ = conn.Close()
	}
	return errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.ENOENT)
}
