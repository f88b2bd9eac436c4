package prove

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"nbdconform/conformance/clause"
	"nbdconform/conformance/internal/clients"
	"nbdconform/conformance/internal/encounter"
	"nbdconform/conformance/internal/outcome"
	"nbdconform/conformance/internal/runner"
	"nbdconform/conformance/internal/spec"
	"nbdconform/conformance/subject/referenceclient"
	"nbdconform/reference/quirk"
	clientquirk "nbdconform/reference/quirk/client"
	"nbdconform/reports/render/words"
	"nbdconform/reports/result"
)

// clientTimeout is how long the reference client may take for one task. It has
// nobody to wait for but this process.
const clientTimeout = 30 * time.Second

// planClients makes the jobs of the client's side, and a failed proof for every
// breaking quirk that nobody claims.
func planClients(match string) (tasks []task, orphans []Proof, err error) {
	all, err := runner.List(clause.Client, "")
	if err != nil {
		return nil, nil, err
	}
	keep := func(name string) bool { return strings.Contains(name, match) }
	if keep("client") {
		tasks = append(tasks, clientJob{name: "client", census: all}.mustPass)
	}
	for _, q := range clientquirk.All() {
		j := clientJob{name: q.Name, quirk: q.Name, census: all, text: map[string]string{}}
		if !keep(q.Name) {
			continue
		}
		if q.Allowed {
			tasks = append(tasks, j.mustPass)
			orphans = append(orphans, notPermitted(clause.Client, q.Facts())...)
			continue
		}
		for _, e := range all {
			for _, t := range e.Trips {
				if t.Quirk.Name == q.Name {
					j.trips = append(j.trips, e.Spec)
					j.text[e.ID] = t.Text
				}
			}
		}
		if slices.Contains(clients.Judged(), clause.ID(q.Breaks)) {
			j.breaks = clause.ID(q.Breaks)
		}
		if len(j.trips) == 0 && j.breaks == "" {
			orphans = append(orphans, Proof{Subject: q.Name, Detail: "no spec and no check of the judge claims to notice this quirk"})
			continue
		}
		tasks = append(tasks, j.mustFail)
	}
	return tasks, append(orphans, unproven(match)...), nil
}

// unproven are failed proofs for the checks of the judge that bind a client by a
// MUST and that no quirk shows to work.
func unproven(match string) (orphans []Proof) {
	broken := map[clause.ID]bool{}
	for _, q := range clientquirk.All() {
		broken[clause.ID(q.Breaks)] = true
	}
	for _, id := range clients.Judged() {
		name := result.JudgePrefix + string(id)
		if c, _ := clause.Get(id); c.Level == clause.Must && !broken[id] && strings.Contains(name, match) {
			orphans = append(orphans, Proof{Subject: name, Detail: "no quirk of the reference client breaks this clause"})
		}
	}
	return orphans
}

// A clientJob is one configuration of the reference client and what to do with it.
type clientJob struct {
	name   string // for Proof.Subject
	quirk  string
	census []runner.Listing
	trips  []*spec.Spec // must fail
	text   map[string]string
	breaks clause.ID // must be noticed by the judge, or ""
}

// bench opens the reference client for trying specs without first finding out
// what it can: all of it.
func (j clientJob) bench(changed func()) (*encounter.Client, func(), error) {
	q, _ := clientquirk.Get(j.quirk)
	c, err := referenceclient.OpenQuirk(q.Counted(changed))
	if err != nil {
		return nil, nil, err
	}
	return encounter.Trusting(c, clientTimeout), func() { _ = c.Close() }, nil
}

// mustFail shows that each claimed spec fails for its reason and that the
// judge sees the clause that is broken.
func (j clientJob) mustFail(ctx context.Context) []Proof {
	var proofs []Proof
	b, done, err := j.bench(func() {})
	if err != nil {
		return []Proof{{Subject: j.name, Detail: err.Error()}}
	}
	defer done()
	seen := false
	look := func(o outcome.Outcome) {
		seen = seen || slices.ContainsFunc(o.Violations, func(v outcome.Violation) bool { return v.Clause == j.breaks })
	}
	for _, s := range j.trips {
		p := Proof{Subject: j.name, By: s.ID}
		o := runner.Try(ctx, b, s)
		look(o)
		switch want := j.text[s.ID]; {
		case !o.Verdict.Broken() && o.Verdict != result.Warning:
			p.Detail = fmt.Sprintf("survived: %s %s", o.Verdict, o.Message())
		case !strings.Contains(o.Message(), want):
			p.Detail = fmt.Sprintf("died of something else: want %q in %q", want, o.Message())
		default:
			p.Holds = true
		}
		proofs = append(proofs, p)
	}
	if j.breaks == "" || len(proofs) > 0 && !seen {
		return proofs
	}
	for _, e := range j.census {
		if seen || ctx.Err() != nil {
			break
		}
		look(runner.Try(ctx, b, e.Spec))
	}
	p := Proof{Subject: j.name, By: result.JudgePrefix + string(j.breaks), Holds: seen}
	if !seen {
		p.Detail = "survived: the judge saw nothing in any spec"
	}
	return append(proofs, p)
}

// mustPass shows that nothing is held against a correct client.
func (j clientJob) mustPass(ctx context.Context) []Proof {
	p := Proof{Subject: j.name, Holds: true}
	bad := func(format string, args ...any) {
		p.Holds = false
		p.Detail = strings.TrimSpace(p.Detail + "\n" + fmt.Sprintf(format, args...))
	}
	q, _ := clientquirk.Get(j.quirk)
	var changes quirk.Count
	b, done, err := j.bench(changes.Add)
	if err != nil {
		bad("%v", err)
		return []Proof{p}
	}
	defer done()
	passed := map[string]bool{}
	for _, e := range j.census {
		if ctx.Err() != nil {
			bad("%v", ctx.Err())
			break
		}
		o := runner.Try(ctx, b, e.Spec)
		switch o.Verdict {
		case result.Pass:
			passed[e.ID] = true
		case result.Unsupported:
		case result.Warning:
			if j.quirk == "" { // an allowed quirk may well go against a recommendation
				bad("%s: %s %s", e.ID, o.Verdict, o.Message())
			}
		default:
			bad("%s: %s %s", e.ID, o.Verdict, o.Message())
		}
		for _, v := range o.Violations {
			if c, ok := clause.Get(v.Clause); j.quirk == "" || ok && c.Level == clause.Must {
				bad("%s: judge.%s: %s", e.ID, v.Clause, words.Failure(v.Failure()))
			}
		}
	}
	if len(passed) == 0 {
		bad("no spec passed")
	}
	if len(q.Permitted) > 0 && !changes.Any() {
		bad("nothing of what it permits comes about: the quirk changes nothing in any spec")
	}
	if j.quirk == "" {
		for _, o := range ordinary {
			if o.Side == clause.Client && !passed[o.spec] {
				bad("%s is what %s shows, which does not pass", o.Clause, o.spec)
			}
		}
	}
	return []Proof{p}
}
