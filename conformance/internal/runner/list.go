package runner

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/types"

	"nbdconform/conformance/clause"
	"nbdconform/conformance/internal/spec"
	"nbdconform/reports/result"
)

// A Listing is one spec of the list.
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

// A tree is the specs of both sides, in the order in which Ginkgo would run them
// with one seed: the groups are shuffled, the specs within a group are not.
type tree struct {
	reports types.SpecReports
	specs   map[string]*spec.Spec // by id
}

// trees are those that were built, by seed. Ginkgo's suite is global, so that
// one is built at a time.
var trees = struct {
	sync.Mutex
	bySeed map[int64]tree
}{bySeed: map[int64]tree{}}

// build has Ginkgo build the tree of specs for a seed.
func build(seed int64) (tree, error) {
	trees.Lock()
	defer trees.Unlock()
	if t, ok := trees.bySeed[seed]; ok {
		return t, nil
	}
	suite, reporter := configuration(seed)
	report := ginkgo.PreviewSpecs("nbdconform", suite, reporter)
	if p := report.SpecialSuiteFailureReasons; len(p) > 0 {
		return tree{}, fmt.Errorf("building the specs: %s", strings.Join(p, "; "))
	}
	t := tree{report.SpecReports, map[string]*spec.Spec{}}
	for _, r := range t.reports {
		t.specs[idOf(r)] = spec.Get(idOf(r))
	}
	trees.bySeed[seed] = t
	return t, nil
}

// List lists all specs for one side, in the order of their ids, and marks
// those that match the filter: a spec's id, a clause's id, or a Ginkgo label
// filter over the labels id:, level:, clause:, needs:, asks: and writes.
func List(side clause.Side, filter string) ([]Listing, error) {
	all, err := ordered(side, filter, 0)
	slices.SortFunc(all, func(a, b Listing) int { return strings.Compare(a.ID, b.ID) })
	return all, err
}

// ordered is List in the order of a seed.
func ordered(side clause.Side, filter string, seed int64) ([]Listing, error) {
	accept, err := acceptor(filter)
	if err != nil {
		return nil, err
	}
	t, err := build(seed)
	if err != nil {
		return nil, err
	}
	var all []Listing
	for _, r := range t.reports {
		if s := t.specs[idOf(r)]; s != nil && s.Side() == side {
			all = append(all, Listing{Spec: s, Group: groupOf(r), Name: r.FullText(), Run: accept(r)})
		}
	}
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

func configuration(seed int64) (types.SuiteConfig, types.ReporterConfig) {
	suite, reporter := ginkgo.GinkgoConfiguration()
	suite.RandomSeed = seed
	suite.Timeout = 0
	reporter.NoColor = true
	reporter.Succinct = true
	return suite, reporter
}

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
