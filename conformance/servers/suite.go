// Package servers holds the specs that a server is put to, one file for each
// part of the protocol, and runs them.
//
// A spec is stimulus, blank line, expectation. What needs no stimulus of its
// own is the judge's: it watches every connection of every spec, and each of
// its checks becomes one more line of the result, named judge.CLAUSE, once a
// connection gave occasion for it.
package servers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/types"

	"nbdconform/conformance/clause"
	"nbdconform/conformance/spec"
	"nbdconform/conformance/trial"
	"nbdconform/reports/result"
)

// A Listing is one spec of the census.
type Listing struct {
	*spec.Spec
	Group string // the part of the protocol
	Name  string // a sentence
	Run   bool   // the filter lets it through
}

// Result is the line of a result that stands for the spec, without a verdict.
func (e Listing) Result() result.Spec {
	line := result.Spec{
		ID: e.ID, Name: e.Name, Group: e.Group, Level: string(e.Level), Clauses: ids(e.Clauses), Location: e.Location,
	}
	for _, f := range e.Needs {
		line.Needs = append(line.Needs, string(f))
	}
	if c, ok := clause.Get(e.Clauses[0]); ok {
		line.Requires, line.Section = c.Requires, c.Section
	}
	return line
}

// Document is the revision of the protocol document that the specs go by.
var Document = result.Document{Name: "doc/proto.md of NetworkBlockDevice/nbd", Revision: "sha256:4b4eda49c5b9"}

// preview builds the tree of specs, once: Ginkgo's suite is global.
var preview = sync.OnceValues(func() (types.SpecReports, error) {
	suite, reporter := configuration(0)
	report := ginkgo.PreviewSpecs("nbdconform", suite, reporter)
	if p := report.SpecialSuiteFailureReasons; len(p) > 0 {
		return nil, fmt.Errorf("building the specs: %s", strings.Join(p, "; "))
	}
	return report.SpecReports, nil
})

// Census lists all specs, in the order of their ids, and marks those that
// match the filter: a spec's id, a clause's id, or a Ginkgo label filter over
// the labels id:, level:, clause:, needs: and writes.
func Census(filter string) ([]Listing, error) {
	accept, err := acceptor(filter)
	if err != nil {
		return nil, err
	}
	reports, err := preview()
	if err != nil {
		return nil, err
	}
	var all []Listing
	for _, r := range reports {
		if s := spec.Get(idOf(r)); s != nil {
			all = append(all, Listing{Spec: s, Group: groupOf(r), Name: r.FullText(), Run: accept(r)})
		}
	}
	slices.SortFunc(all, func(a, b Listing) int { return strings.Compare(a.ID, b.ID) })
	return all, nil
}

// acceptor turns a filter into a test of specs.
func acceptor(filter string) (func(types.SpecReport) bool, error) {
	if filter == "" {
		return func(types.SpecReport) bool { return true }, nil
	}
	if _, ok := clause.Get(clause.ID(filter)); ok {
		return func(r types.SpecReport) bool {
			return slices.Contains(r.Labels(), "clause:"+filter) || idOf(r) == filter
		}, nil
	}
	f, err := types.ParseLabelFilter(filter)
	if err != nil {
		return nil, fmt.Errorf("the filter %q can't be read: %s", filter, complaint(err))
	}
	return func(r types.SpecReport) bool {
		return idOf(r) == filter || f(r.Labels())
	}, nil
}

// complaint is what an error of Ginkgo complains about, without the colours and
// the lines around it.
func complaint(err error) string {
	g, ok := errors.AsType[types.GinkgoError](err)
	if !ok {
		return err.Error()
	}
	return strings.TrimSuffix(g.Message[strings.LastIndexByte(g.Message, '\n')+1:], ".")
}

// A Config says what to run and where to tell about it.
type Config struct {
	Bench  *trial.Bench
	Filter string
	Seed   int64
	// Started and Done are called around every spec, Done also for the lines of
	// the judge at the end. They may be nil.
	Started func(id string)
	Done    func(result.Spec, []result.Observation)
	// Evidence is called before Done for a line that the target is to blame
	// for, if the bench records. It puts the evidence somewhere and may note on
	// the line where. It may be nil.
	Evidence func(*result.Spec, *trial.Evidence)
}

// Run tries every spec that the filter lets through on the bench's target, one
// after the other in Ginkgo's order. It may be called once in a process:
// Ginkgo's runner is global. A [Round] knows no such limit.
func Run(ctx context.Context, c Config) error {
	r, err := NewRound(c)
	if err != nil {
		return err
	}
	spec.Handler = func(_ context.Context, s *spec.Spec) { r.handle(ctx, s) }
	suite, reporter := configuration(c.Seed)
	ginkgo.GinkgoWriter.ClearTeeWriters()
	ginkgo.RunSpecs(quiet{}, "nbdconform", suite, reporter)
	r.Judged()
	return ctx.Err()
}

// handle runs one spec that Ginkgo came to.
func (r *Round) handle(ctx context.Context, s *spec.Spec) {
	e, ok := r.chosen[s.ID]
	if !ok || ctx.Err() != nil {
		ginkgo.Skip("not chosen")
	}
	switch line := r.Try(ctx, e); line.Verdict {
	case result.Pass, result.Weak:
	case result.Fail, result.Crash, result.Hang, result.Error:
		ginkgo.Fail(line.Message)
	default:
		ginkgo.Skip(line.Message)
	}
}

func configuration(seed int64) (types.SuiteConfig, types.ReporterConfig) {
	suite, reporter := ginkgo.GinkgoConfiguration()
	suite.RandomSeed = seed
	suite.Timeout = 0
	reporter.NoColor = true
	reporter.Succinct = true
	return suite, reporter
}

// quiet is the testing.T of a run whose outcome is in its result, not in a test's.
type quiet struct{}

func (quiet) Fail() {}

func idOf(r types.SpecReport) string {
	for _, l := range r.Labels() {
		if id, ok := strings.CutPrefix(l, "id:"); ok {
			return id
		}
	}
	return ""
}

func groupOf(r types.SpecReport) string {
	if len(r.ContainerHierarchyTexts) == 0 {
		return ""
	}
	return r.ContainerHierarchyTexts[0]
}

func ids[T ~string](list []T) []string {
	all := make([]string, len(list))
	for i, v := range list {
		all[i] = string(v)
	}
	return all
}
