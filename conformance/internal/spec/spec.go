// Package spec is what a spec says of itself: its id, the clauses that it
// holds a server to and how strongly they bind, what it needs, what it breaks
// on purpose, and the quirk that proves that it can fail.
//
// Specs are written as Ginkgo nodes with the decorators of this package:
//
//	It("answers NBD_OPT_ABORT with NBD_REP_ACK", ID("abort.ack"),
//		MUST("opt.abort.ack"),
//		TrippedBy(quirk.AbortUnanswered, "want NBD_REP_ACK"),
//		func(ctx context.Context) { ... })
//
// The package collects every spec as Ginkgo builds the tree. Package runner runs
// their bodies.
package spec

import (
	"context"
	"fmt"
	"strings"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/types"

	"nbdconform/conformance/clause"
	"nbdconform/conformance/feature"
	"nbdconform/conformance/subject"
	"nbdconform/reference/quirk"
)

// A Spec is one trial that a server is put to.
type Spec struct {
	ID      string // stable, [a-z0-9.-] only
	Level   clause.Level
	Clauses []clause.ID // what the spec judges; the first is the main one
	Needs   []feature.Feature
	Without []feature.Feature // the spec is about servers that lack these
	// Asks has the activities that a client is asked to do, the first that it
	// can do of these. Specs for clients have it, and those for servers don't.
	Asks   []subject.Operation
	Writes bool // it changes the export, or would if the server let it
	// GoodServer says that a client meets a server that behaves: what it can't do
	// there prevents other specs. ExtendedHeaders says that the spec is about them,
	// so that they are offered to clients that work without them only.
	GoodServer, ExtendedHeaders bool
	AtLeast                     uint64      // the size that the export must have, bytes
	Provokes                    []clause.ID // clauses that the spec breaks on purpose, as a client
	Trips                       []Trip
	Location                    string // file:line
	Body                        func(context.Context)
}

// A Trip is a quirk that makes a spec fail, and the text that the failure must contain.
type Trip struct {
	Quirk quirk.Facts
	Text  string
}

var registry = map[string]*Spec{}

// Get returns a spec by its id. The tree must have been built.
func Get(id string) *Spec { return registry[id] }

// Side is whom the spec puts to the test.
func (s *Spec) Side() clause.Side {
	if len(s.Asks) > 0 {
		return clause.Client
	}
	return clause.Server
}

// Main is the clause that the spec is mostly about.
func (s *Spec) Main() (clause.Clause, bool) {
	if len(s.Clauses) == 0 {
		return clause.Clause{}, false
	}
	return clause.Get(s.Clauses[0])
}

func init() { ginkgo.AddTreeConstructionNodeArgsTransformer(transform) }

// transform takes our decorators off an It and puts in their place what
// Ginkgo knows: labels, and a body that goes through Handler.
func transform(kind types.NodeType, offset ginkgo.Offset, text string, args []any) (string, []any, []error) {
	if !kind.Is(types.NodeTypeIt) {
		return text, args, nil
	}
	s := &Spec{}
	rest := make([]any, 0, len(args))
	ours := false
	for _, arg := range args {
		switch a := arg.(type) {
		case decorator:
			a.decorate(s)
			ours = true
		case func(context.Context):
			s.Body = a
		default:
			rest = append(rest, arg)
		}
	}
	if !ours {
		return text, args, nil
	}
	loc := types.NewCodeLocation(int(offset))
	s.Location = fmt.Sprintf("%s:%d", within(loc.FileName), loc.LineNumber)
	if err := s.check(text); err != nil {
		return text, args, []error{err}
	}
	registry[s.ID] = s
	labels := ginkgo.Labels{"id:" + s.ID, "level:" + string(s.Level)}
	for _, c := range s.Clauses {
		labels = append(labels, "clause:"+string(c))
	}
	for _, f := range s.Needs {
		labels = append(labels, "needs:"+string(f))
	}
	for _, a := range s.Asks {
		labels = append(labels, "asks:"+string(a))
	}
	if s.Writes {
		labels = append(labels, "writes")
	}
	body := func() { ginkgo.Skip("package runner runs this spec") }
	return text, append(rest, labels, body), nil
}

// within cuts the path of a source file to the part that is in the module.
func within(path string) string {
	if i := strings.LastIndex(path, "/conformance/"); i >= 0 {
		return path[i+1:]
	}
	return path
}

// check refuses a spec that could not be reported or proven.
func (s *Spec) check(text string) error {
	switch {
	case s.ID == "":
		return fmt.Errorf("the spec %q has no ID", text)
	case registry[s.ID] != nil && registry[s.ID].Location != s.Location:
		return fmt.Errorf("two specs have the id %s: %s and %s", s.ID, registry[s.ID].Location, s.Location)
	case s.Level == "" || len(s.Clauses) == 0:
		return fmt.Errorf("the spec %s names no clause: it lacks MUST, SHOULD or MAY", s.ID)
	case s.Body == nil:
		return fmt.Errorf("the spec %s has no body of type func(context.Context)", s.ID)
	case s.Level != clause.May && len(s.Trips) == 0:
		return fmt.Errorf("the spec %s is not proven: it lacks TrippedBy", s.ID)
	}
	return nil
}
