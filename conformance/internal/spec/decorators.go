package spec

import (
	"nbdconform/conformance/clause"
	"nbdconform/conformance/feature"
	"nbdconform/conformance/subject"
	"nbdconform/reference/quirk"
)

// A decorator says something of a spec. They are structs, not slices, since
// Ginkgo flattens slices among its arguments.
type decorator interface{ decorate(*Spec) }

type id struct{ id string }

// ID gives the spec its stable name, of [a-z0-9.-] only.
func ID(s string) decorator { return id{s} }

func (d id) decorate(s *Spec) { s.ID = d.id }

type level struct {
	level   clause.Level
	clauses []clause.ID
}

// MUST says that a server which fails the spec breaks these clauses and does not conform.
func MUST(main clause.ID, more ...clause.ID) decorator {
	return level{clause.Must, append([]clause.ID{main}, more...)}
}

// SHOULD says that a server which fails the spec goes against these
// recommendations, which is worth a word and no more.
func SHOULD(main clause.ID, more ...clause.ID) decorator {
	return level{clause.Should, append([]clause.ID{main}, more...)}
}

// MAY says that the document leaves the choice to the server: the spec observes
// which it makes, and fails only what no choice allows.
func MAY(main clause.ID, more ...clause.ID) decorator {
	return level{clause.May, append([]clause.ID{main}, more...)}
}

func (d level) decorate(s *Spec) { s.Level, s.Clauses = d.level, d.clauses }

type needs struct{ features []feature.Feature }

// Needs names the features without which the spec can't be tried.
func Needs(fs ...feature.Feature) decorator { return needs{fs} }

func (d needs) decorate(s *Spec) { s.Needs = append(s.Needs, d.features...) }

type without struct{ features []feature.Feature }

// Without names features whose absence the spec is about.
func Without(fs ...feature.Feature) decorator { return without{fs} }

func (d without) decorate(s *Spec) { s.Without = append(s.Without, d.features...) }

type asks struct{ activities []subject.Operation }

// Asks says what a client program is asked to do: one of these, the first that
// it can do. It makes a spec one for clients.
func Asks(main subject.Operation, more ...subject.Operation) decorator {
	return asks{append([]subject.Operation{main}, more...)}
}

func (d asks) decorate(s *Spec) { s.Asks = d.activities }

type goodServer struct{}

// GoodServer says that the client meets a server that behaves in every way.
func GoodServer() decorator { return goodServer{} }

func (goodServer) decorate(s *Spec) { s.GoodServer = true }

type extendedHeaders struct{}

// AboutExtendedHeaders says that a spec for clients is about extended headers.
func AboutExtendedHeaders() decorator { return extendedHeaders{} }

func (extendedHeaders) decorate(s *Spec) { s.ExtendedHeaders = true }

type writes struct{}

// Writes says that the spec changes the export. It needs a writable one.
func Writes() decorator { return writes{} }

func (writes) decorate(s *Spec) {
	s.Writes = true
	s.Needs = append(s.Needs, feature.Writable)
}

type attempts struct{}

// Attempts says that the spec tries what would change the export if the server
// did it: writes to a read-only export above all. Like [Writes] it takes the
// user's consent, but no writable export.
func Attempts() decorator { return attempts{} }

func (attempts) decorate(s *Spec) { s.Writes = true }

type atLeast struct{ size uint64 }

// AtLeast says how large the export must be, in bytes.
func AtLeast(size uint64) decorator { return atLeast{size} }

func (d atLeast) decorate(s *Spec) { s.AtLeast = d.size }

type provokes struct{ clauses []clause.ID }

// Provokes announces the clauses that the spec itself breaks, as the other
// side. One that it breaks without a word, or announces and keeps, is an error of
// the suite.
func Provokes(main clause.ID, more ...clause.ID) decorator {
	return provokes{append([]clause.ID{main}, more...)}
}

func (d provokes) decorate(s *Spec) { s.Provokes = append(s.Provokes, d.clauses...) }

type trippedBy struct{ trip Trip }

// TrippedBy names a quirk that the spec must fail on, and a text that the
// failure must contain.
func TrippedBy(q quirk.Quirk, text string) decorator { return trippedBy{Trip{q.Facts(), text}} }

func (d trippedBy) decorate(s *Spec) { s.Trips = append(s.Trips, d.trip) }
