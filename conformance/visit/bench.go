package visit

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"nbdconform/conformance/caller"
	"nbdconform/conformance/clause"
	"nbdconform/conformance/spec"
	"nbdconform/conformance/trial"
	"nbdconform/reference/starttls/pki"
	"nbdconform/reports/result"
)

// A Bench is one client program that specs are put to.
type Bench struct {
	Caller  caller.Caller
	Timeout time.Duration // for one task; then the program hangs
	Record  bool          // what is said, for the evidence
	Facts   Facts
	Early   trial.Outcome // what the judge saw while the facts were found

	once sync.Once
	pki  string
	err  error
}

// Facts are what is known of a program.
type Facts struct {
	Works   []caller.Activity          // can be had from the program, with a good server
	Trouble map[caller.Activity]string // should be, and can't
	// Compact has what works without extended headers only. Specs that are not
	// about them do without, so that one fault does not hide all others.
	Compact map[caller.Activity]bool
}

// Options say how to try a program. The zero value is a good choice.
type Options struct {
	Timeout time.Duration // 0: 20 s
	Record  bool          // what is said, for the evidence
}

// Discover has the program do all that it claims it can, with a server that
// behaves.
func Discover(ctx context.Context, c caller.Caller, o Options) (*Bench, error) {
	b := &Bench{Caller: c, Timeout: o.Timeout, Record: o.Record, Facts: Facts{Trouble: map[caller.Activity]string{}, Compact: map[caller.Activity]bool{}}}
	if b.Timeout <= 0 {
		b.Timeout = 20 * time.Second
	}
	for _, a := range caller.Activities {
		if !c.Can(a, caller.NoTLS) {
			continue
		}
		wrong, err := b.try(ctx, a)
		if err != nil {
			return nil, err
		}
		b.Facts.Works = append(b.Facts.Works, a)
		if wrong == "" {
			continue
		}
		again, err := b.try(ctx, a, Compact)
		if err != nil {
			return nil, err
		}
		if again == "" {
			b.Facts.Compact[a] = true
		} else {
			b.Facts.Trouble[a] = wrong
		}
	}
	if len(b.Facts.Works) == 0 {
		return nil, fmt.Errorf("%s can do none of %v", c.Identity().Name, caller.Activities)
	}
	return b, nil
}

// try has the program do an activity with a server that behaves, and says what
// was wrong with that, or "".
func (b *Bench) try(ctx context.Context, a caller.Activity, ways ...Way) (wrong string, err error) {
	t := &trying{bench: b, spec: &spec.Spec{ID: "discovery", Asks: []caller.Activity{a}, Level: clause.Must}}
	if a == caller.Resize {
		ways = append(ways, resizable, To(2*Size))
	}
	var v *Visit
	o := trial.Try(func() { v = Ask(with(ctx, t), ways...) })
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	if o != nil {
		return "", fmt.Errorf("having %s do %s: %s", b.Caller.Identity().Name, a, strings.TrimPrefix(o.Message, "harness: "))
	}
	outcome := t.outcome(nil)
	b.Early.Violations = append(b.Early.Violations, outcome.Violations...)
	b.Early.Kept = append(b.Early.Kept, outcome.Kept...)
	return v.Wrong(), nil
}

// certificates writes certificates to where the program finds them.
func (b *Bench) certificates() (string, error) {
	b.once.Do(func() {
		b.pki = path(b.Caller.Dir(), "pki")
		if b.err = os.MkdirAll(b.pki, 0o755); b.err == nil {
			b.err = pki.Shared().Write(b.pki)
		}
	})
	return b.pki, b.err
}

// Baseline is the spec that asks for what the program can do with a good
// server; it stands in the way of others.
const Baseline = "client.baseline"

// Run tries one spec.
func (b *Bench) Run(ctx context.Context, s *spec.Spec) trial.Outcome {
	a, ok := b.choose(s)
	if !ok {
		return trial.Outcome{Verdict: result.Unsupported, Message: fmt.Sprintf("the program does none of %v, as far as is known", s.Asks)}
	}
	if wrong := b.Facts.Trouble[a]; wrong != "" && !strings.HasPrefix(s.ID, Baseline) {
		return trial.Outcome{
			Verdict: result.Blocked, BlockedBy: Baseline + "." + string(a),
			Message: fmt.Sprintf("the program can't do %s with a server that behaves: %s", a, wrong),
		}
	}
	t := &trying{bench: b, spec: s, activity: a}
	early := trial.Try(func() { s.Body(with(ctx, t)) })
	if ctx.Err() != nil {
		return trial.Outcome{Verdict: result.Inconclusive, Message: "interrupted"}
	}
	return t.outcome(early)
}

// choose is what the program is asked for by a spec.
func (b *Bench) choose(s *spec.Spec) (caller.Activity, bool) {
	for _, works := range []bool{true, false} {
		for _, a := range s.Asks {
			if slices.Contains(b.Facts.Works, a) && (b.Facts.Trouble[a] == "") == works {
				return a, true
			}
		}
	}
	return "", false
}

// Trusting returns a bench for a program that can do all that it says.
func Trusting(c caller.Caller, timeout time.Duration) *Bench {
	b := &Bench{Caller: c, Timeout: timeout}
	for _, a := range caller.Activities {
		if c.Can(a, caller.NoTLS) {
			b.Facts.Works = append(b.Facts.Works, a)
		}
	}
	return b
}
