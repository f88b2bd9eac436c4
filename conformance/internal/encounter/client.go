package encounter

import (
	"context"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"nbdconform/conformance/clause"
	"nbdconform/conformance/internal/outcome"
	"nbdconform/conformance/internal/runner"
	"nbdconform/conformance/internal/spec"
	"nbdconform/conformance/internal/verdict"
	"nbdconform/conformance/subject"
	"nbdconform/reference/starttls/pki"
	"nbdconform/reports/render/words"
	"nbdconform/reports/result"
)

// A Client is a client program under test with what is known of it.
type Client struct {
	Program subject.Client
	Timeout time.Duration // for one task; then the program hangs
	Record  bool          // what is said, for the evidence
	Facts   Facts
	Early   outcome.Outcome // what the judge saw while the facts were found

	once sync.Once
	pki  string
	err  error
}

// Facts are what is known of a program.
type Facts struct {
	Works   []subject.Operation                // can be had from the program, with a good server
	Trouble map[subject.Operation]result.Value // should be, and can't
	// Compact has what works without extended headers only. Specs that are not
	// about them do without, so that one fault does not hide all others.
	Compact map[subject.Operation]bool
}

// Options say how to try a program. The zero value is a good choice.
type Options struct {
	Timeout time.Duration // 0: 20 s
	Record  bool          // what is said, for the evidence
}

// Discover has the program do all that it claims it can, with a server that
// behaves.
func Discover(ctx context.Context, c subject.Client, o Options) (*Client, error) {
	b := &Client{Program: c, Timeout: o.Timeout, Record: o.Record, Facts: Facts{Trouble: map[subject.Operation]result.Value{}, Compact: map[subject.Operation]bool{}}}
	if b.Timeout <= 0 {
		b.Timeout = 20 * time.Second
	}
	for _, a := range subject.Operations {
		if !c.Can(a, subject.NoTLS) {
			continue
		}
		wrong, err := b.try(ctx, a)
		if err != nil {
			return nil, err
		}
		b.Facts.Works = append(b.Facts.Works, a)
		if wrong.None() {
			continue
		}
		again, err := b.try(ctx, a, Compact)
		if err != nil {
			return nil, err
		}
		if again.None() {
			b.Facts.Compact[a] = true
		} else {
			b.Facts.Trouble[a] = wrong
		}
	}
	if len(b.Facts.Works) == 0 {
		return nil, fmt.Errorf("%s can do none of %v", c.Identity().Name, subject.Operations)
	}
	return b, nil
}

// try has the program do an activity with a server that behaves, and says what
// was wrong with that, or [result.Nothing].
func (b *Client) try(ctx context.Context, a subject.Operation, ways ...Way) (wrong result.Value, err error) {
	t := &attempt{client: b, spec: &spec.Spec{ID: "discovery", Asks: []subject.Operation{a}, Level: clause.Must}}
	if a == subject.Resize {
		ways = append(ways, resizable, To(2*Size))
	}
	var v *Visit
	t.end = verdict.Try(func() { v = Ask(with(ctx, t), ways...) })
	if ctx.Err() != nil {
		return result.Nothing, ctx.Err()
	}
	if t.end != nil {
		return result.Nothing, fmt.Errorf("having %s do %s: %s", b.Program.Identity().Name, a, words.Failure(t.end.Failure))
	}
	o := runner.Weighed(t, t.spec)
	b.Early.Violations = append(b.Early.Violations, o.Violations...)
	b.Early.Kept = append(b.Early.Kept, o.Kept...)
	return v.Wrong(), nil
}

// certificates writes certificates to where the program finds them.
func (b *Client) certificates() (string, error) {
	b.once.Do(func() {
		b.pki = path(b.Program.Dir(), "pki")
		if b.err = os.MkdirAll(b.pki, 0o755); b.err == nil {
			b.err = pki.Shared().Write(b.pki)
		}
	})
	return b.pki, b.err
}

// Baseline is the spec that asks for what the program can do with a good
// server; it stands in the way of others.
const Baseline = "client.baseline"

// Side implements [runner.Subject].
func (b *Client) Side() clause.Side { return clause.Client }

// Before implements [runner.Subject].
func (b *Client) Before() outcome.Outcome { return b.Early }

// Describe implements [runner.Subject]: what the program can do counts as
// advertised.
func (b *Client) Describe() result.Target {
	id := b.Program.Identity()
	t := result.Target{
		Name: id.Name, Provider: id.Provider, Release: id.Release, Version: id.Version, Image: id.Image, Command: id.Command,
		Profile: "default", Advertised: []string{},
	}
	for _, a := range b.Facts.Works {
		if b.Facts.Trouble[a].None() {
			t.Advertised = append(t.Advertised, string(a))
		}
	}
	return t
}

// Exclude implements [runner.Subject].
func (b *Client) Exclude(s *spec.Spec) *verdict.Decision {
	a, ok := b.choose(s)
	if !ok {
		return &verdict.Decision{Verdict: result.Unsupported, Failures: []result.Failure{result.Because("does-none-of", s.Asks)}}
	}
	if wrong := b.Facts.Trouble[a]; !wrong.None() && !s.GoodServer {
		return &verdict.Decision{
			Verdict: result.Blocked, BlockedBy: Baseline + "." + string(a),
			Failures: []result.Failure{result.Because("cannot-do", a, wrong)},
		}
	}
	return nil
}

// Attempt implements [runner.Subject].
func (b *Client) Attempt(ctx context.Context, s *spec.Spec) runner.Attempt {
	t := &attempt{client: b, spec: s}
	t.activity, _ = b.choose(s)
	t.end = verdict.Try(func() { s.Body(with(ctx, t)) })
	return t
}

// choose is what the program is asked for by a spec.
func (b *Client) choose(s *spec.Spec) (subject.Operation, bool) {
	for _, works := range []bool{true, false} {
		for _, a := range s.Asks {
			if slices.Contains(b.Facts.Works, a) && b.Facts.Trouble[a].None() == works {
				return a, true
			}
		}
	}
	return "", false
}

// Trusting returns a bench for a program that can do all that it says.
func Trusting(c subject.Client, timeout time.Duration) *Client {
	b := &Client{Program: c, Timeout: timeout}
	for _, a := range subject.Operations {
		if c.Can(a, subject.NoTLS) {
			b.Facts.Works = append(b.Facts.Works, a)
		}
	}
	return b
}
