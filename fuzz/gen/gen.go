// Package gen makes messages of the NBD protocol for fuzzers: valid, nearly
// valid and hostile ones. What comes out depends on the seed alone, so a seed
// in a report is enough to see the same messages again.
//
// It is the only package that imports gofuzz.
package gen

import (
	"fmt"

	fuzz "github.com/google/gofuzz"
)

// A Kind says how well-behaved a generated value is.
type Kind uint8

// The kinds of values.
const (
	Valid   Kind = 0 // keeps every rule that its Validate method knows
	Nearly  Kind = 1 // breaks one rule; a value that has none to break is valid
	Hostile Kind = 2 // anything that its type can hold

	kinds = 3
)

// KindOf maps any number to a kind: what a fuzzer has is a byte.
func KindOf(n uint8) Kind { return Kind(n % kinds) }

func (k Kind) String() string {
	switch k {
	case Valid:
		return "valid"
	case Nearly:
		return "nearly valid"
	case Hostile:
		return "hostile"
	}
	return fmt.Sprintf("Kind(%d)", uint8(k))
}

// A Gen makes values, each call the next of its sequence. It is not safe for
// concurrent use.
type Gen struct {
	kind Kind // of the value that is being made
	fuzz *fuzz.Fuzzer
}

// New is a generator whose sequence depends on seed.
func New(seed int64) *Gen { return start(fuzz.NewWithSeed(seed)) }

// FromBytes is a generator that takes its decisions from data as long as there
// are any, for a fuzz target: a fuzzer that changes some bytes changes some decisions.
func FromBytes(data []byte) *Gen { return start(fuzz.NewFromGoFuzz(data)) }

func start(f *fuzz.Fuzzer) *Gen {
	g := &Gen{}
	g.fuzz = f.NilChance(0).NumElements(0, 8).Funcs(
		g.greeting, g.clientFlags, g.exportNameReply,
		g.optionRequest, g.infoRequest, g.metaContextRequest,
		g.optionReply, g.serverReply, g.metaContext,
		g.info, g.exportInfo, g.sizeConstraints,
		g.request, g.statusFilter,
		g.errno, g.simpleReply, g.chunkHeader, g.chunk,
		g.offsetData, g.offsetHole, g.blockStatus, g.errorChunk,
		(*damage).some,
	)
	return g
}

// Fill sets what v points to: a message of package wire, or a struct or slice
// of messages and plain values.
func (g *Gen) Fill(kind Kind, v any) {
	g.kind = kind
	g.fuzz.Fuzz(v)
}

// Make is Fill for a new value.
func Make[T any](g *Gen, kind Kind) (v T) {
	g.Fill(kind, &v)
	return v
}

// spoil calls one of the functions if the value that is being made is to be
// nearly valid. Each of them breaks a rule.
func (g *Gen) spoil(c fuzz.Continue, breaks ...func()) {
	if g.kind == Nearly {
		breaks[c.Intn(len(breaks))]()
	}
}

// pick is one of choices.
func pick[T any](c fuzz.Continue, choices ...T) T { return choices[c.Intn(len(choices))] }
