// Package prove shows that the suite can tell right from wrong: every spec for
// a MUST or a SHOULD must fail on the quirks that it names, for the stated
// reason; every check of the judge must be tripped by the quirk that breaks
// its clause; and the reference server, as it is and with quirks that the
// document allows, must pass everything.
package prove

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"nbdconform/conformance/clause"
	"nbdconform/conformance/internal/outcome"
	"nbdconform/conformance/internal/runner"
	"nbdconform/conformance/internal/servers"
	"nbdconform/conformance/internal/session"
	"nbdconform/conformance/internal/spec"
	"nbdconform/conformance/subject/referenceserver"
	"nbdconform/reference/quirk"
	serverquirk "nbdconform/reference/quirk/server"
	"nbdconform/reports/render/words"
	"nbdconform/reports/result"
)

// A Proof is one line of the kill matrix.
type Proof struct {
	Subject string // quirk or profile that the reference server ran with
	By      string // spec, or judge.CLAUSE, that had to notice; "" where nothing may be noticed
	Holds   bool
	Detail  string // what came instead
}

// A job is one configuration of the reference server and what to do with it.
type job struct {
	name    string // for Proof.Subject
	profile string
	quirk   string
	trips   []*spec.Spec // must fail; empty: everything must pass
	text    map[string]string
	unwell  bool      // specs may be inconclusive
	breaks  clause.ID // must be noticed by the judge, or ""
}

// A task proves something.
type task func(context.Context) []Proof

// Sides are the sides of the protocol to prove the specs of.
type Sides struct{ Servers, Clients bool }

// Run proves everything whose quirk or profile name contains match. step is
// called after each configuration of the reference server or client.
func Run(ctx context.Context, sides Sides, match string, step func(done, total int)) ([]Proof, error) {
	var tasks []task
	var proofs []Proof
	if sides.Servers {
		all, err := runner.List(clause.Server, "")
		if err != nil {
			return nil, err
		}
		jobs, orphans := plan(all, match)
		proofs = append(proofs, orphans...)
		for _, j := range jobs {
			tasks = append(tasks, func(ctx context.Context) []Proof { return j.run(ctx, all) })
		}
	}
	if sides.Clients {
		more, orphans, err := planClients(match)
		if err != nil {
			return nil, err
		}
		tasks, proofs = append(tasks, more...), append(proofs, orphans...)
	}
	var mu sync.Mutex // guards proofs and done
	done := 0
	var group errgroup.Group
	group.SetLimit(workers)
	for _, t := range tasks {
		group.Go(func() error {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			p := t(ctx)
			mu.Lock()
			defer mu.Unlock()
			proofs = append(proofs, p...)
			done++
			step(done, len(tasks))
			return nil
		})
	}
	err := group.Wait()
	slices.SortFunc(proofs, func(a, b Proof) int {
		return strings.Compare(a.Subject+" "+a.By, b.Subject+" "+b.By)
	})
	return proofs, cmp.Or(err, ctx.Err())
}

// workers is how many servers are tried at once: most of the time is spent
// waiting for answers that do not come.
const workers = 6

// plan makes the jobs, and a failed proof for every breaking quirk that nobody claims.
func plan(census []runner.Listing, match string) (jobs []job, orphans []Proof) {
	for _, p := range referenceserver.Profiles() {
		jobs = append(jobs, job{name: "profile " + p, profile: p})
	}
	for _, q := range serverquirk.All() {
		j := job{name: q.Name, quirk: q.Name, text: map[string]string{}}
		if q.Allowed {
			j.unwell, j.profile = q.Unwell, q.Profile
			jobs = append(jobs, j)
			orphans = append(orphans, notPermitted(clause.Server, q.Facts())...)
			continue
		}
		for _, e := range census {
			for _, t := range e.Trips {
				if t.Quirk.Name == q.Name {
					j.trips = append(j.trips, e.Spec)
					j.text[e.ID] = t.Text
				}
			}
		}
		if len(j.trips) == 0 && q.Unseen != "" {
			continue
		}
		if slices.Contains(servers.Judged(), clause.ID(q.Breaks)) {
			j.breaks = clause.ID(q.Breaks)
		}
		if len(j.trips) == 0 && q.Unseen != "" {
			continue
		}
		if len(j.trips) == 0 && j.breaks == "" {
			orphans = append(orphans, Proof{Subject: q.Name, Detail: "no spec and no check of the judge claims to notice this quirk"})
			continue
		}
		jobs = append(jobs, j)
	}
	keep := func(name string) bool { return strings.Contains(name, match) }
	jobs = slices.DeleteFunc(jobs, func(j job) bool { return !keep(j.name) })
	orphans = slices.DeleteFunc(orphans, func(p Proof) bool { return !keep(p.Subject) })
	return jobs, orphans
}

// run tries one configuration.
func (j job) run(ctx context.Context, census []runner.Listing) []Proof {
	if j.quirk != "" && (len(j.trips) > 0 || j.breaks != "") {
		return j.mustFail(ctx, census)
	}
	return j.mustPass(ctx, census)
}

// mustFail shows that each claimed spec fails for its reason and that the
// judge sees the clause that is broken.
func (j job) mustFail(ctx context.Context, census []runner.Listing) []Proof {
	var proofs []Proof
	seen := false
	look := func(o outcome.Outcome) {
		seen = seen || slices.ContainsFunc(o.Violations, func(v outcome.Violation) bool { return v.Clause == j.breaks })
	}
	for _, s := range j.trips {
		p := Proof{Subject: j.name, By: s.ID}
		o, err := j.try(ctx, s, look)
		switch want := j.text[s.ID]; {
		case err != nil:
			p.Detail = err.Error()
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
		return proofs // silence, and what only two connections show, is not for the judge to see
	}
	for _, e := range census {
		if seen || ctx.Err() != nil {
			break
		}
		_, _ = j.try(ctx, e.Spec, look)
	}
	p := Proof{Subject: j.name, By: result.JudgePrefix + string(j.breaks), Holds: seen}
	if !seen {
		p.Detail = "survived: the judge saw nothing in any spec"
	}
	return append(proofs, p)
}

// try runs one spec on a fresh server, in the first profile that has what the spec needs.
func (j job) try(ctx context.Context, s *spec.Spec, look func(outcome.Outcome)) (o outcome.Outcome, err error) {
	for _, j.profile = range referenceserver.Profiles() {
		if o, err = j.tryOn(ctx, s, look); err != nil || o.Verdict != result.Unsupported {
			break
		}
	}
	return o, err
}

// tryOn runs one spec on a fresh server.
func (j job) tryOn(ctx context.Context, s *spec.Spec, look func(outcome.Outcome)) (outcome.Outcome, error) {
	t, err := referenceserver.Open(j.profile, j.quirk)
	if err != nil {
		return outcome.Outcome{}, err
	}
	defer func() { _ = t.Close() }()
	b, err := session.Discover(ctx, t, session.Options{Destructive: true})
	if err != nil {
		return outcome.Outcome{}, err
	}
	look(b.Early)
	o := runner.Try(ctx, b, s)
	look(o)
	return o, nil
}

// patience is how long an answer of a good server may take on a busy machine.
const patience = 5 * time.Second

// mustPass shows that nothing is held against a correct server.
func (j job) mustPass(ctx context.Context, census []runner.Listing) []Proof {
	p := Proof{Subject: j.name, Holds: true}
	bad := func(format string, args ...any) {
		p.Holds = false
		p.Detail = strings.TrimSpace(p.Detail + "\n" + fmt.Sprintf(format, args...))
	}
	q, _ := serverquirk.Get(j.quirk)
	var changes quirk.Count
	t, err := referenceserver.OpenQuirk(j.profile, q.Counted(changes.Add))
	if err != nil {
		bad("%v", err)
		return []Proof{p}
	}
	defer func() { _ = t.Close() }()
	b, err := session.Discover(ctx, t, session.Options{Destructive: true, Timeout: patience, Grace: 6 * patience})
	if err != nil {
		bad("%v", err)
		return []Proof{p}
	}
	check := func(id string, o outcome.Outcome) {
		switch o.Verdict {
		case result.Pass, result.Unsupported, "":
		case result.Inconclusive:
			if !j.unwell {
				bad("%s: %s %s", id, o.Verdict, o.Message())
			}
		case result.Warning:
			if j.quirk == "" { // an allowed quirk may well go against a recommendation
				bad("%s: %s %s", id, o.Verdict, o.Message())
			}
		default:
			bad("%s: %s %s", id, o.Verdict, o.Message())
		}
		for _, v := range o.Violations {
			if c, ok := clause.Get(v.Clause); j.quirk == "" || ok && c.Level == clause.Must {
				bad("%s: judge.%s: %s", id, v.Clause, words.Failure(v.Failure()))
			}
		}
	}
	check("discovery", b.Early)
	passed := map[string]bool{}
	for _, e := range census {
		if ctx.Err() != nil {
			bad("%v", ctx.Err())
			break
		}
		o := runner.Try(ctx, b, e.Spec)
		check(e.ID, o)
		if o.Verdict == result.Pass {
			passed[e.ID] = true
		}
	}
	if len(q.Permitted) > 0 && !changes.Any() {
		bad("nothing of what it permits comes about: the quirk changes nothing in any spec")
	}
	if j.quirk == "" {
		for _, o := range ordinary {
			if o.Side == clause.Server && o.profile == j.profile && !passed[o.spec] {
				bad("%s is what %s shows, which does not pass", o.Clause, o.spec)
			}
		}
	}
	return []Proof{p}
}
