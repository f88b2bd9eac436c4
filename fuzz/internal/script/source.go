package script

import "math/rand/v2"

// A source takes the decisions that make a script.
type source interface {
	// intn is a number below n, which is at most 256.
	intn(n int) int
	// done reports that there are no more decisions: what is left is the first
	// of each choice.
	done() bool
}

// fuzzBytes takes one decision from each byte.
type fuzzBytes struct{ b []byte }

func (f *fuzzBytes) intn(n int) int {
	if len(f.b) == 0 || n <= 1 {
		return 0
	}
	v := int(f.b[0]) % n
	f.b = f.b[1:]
	return v
}

func (f *fuzzBytes) done() bool { return len(f.b) == 0 }

type random struct{ *rand.Rand }

func (r random) intn(n int) int { return r.IntN(max(n, 1)) }
func (random) done() bool       { return false }

func newRandom(seed uint64) random { return random{rand.New(rand.NewPCG(seed, 0x6e6264))} }

// pick is one of choices.
func pick[T any](d source, choices ...T) T { return choices[d.intn(len(choices))] }

// oneIn reports true one time in n, and not where decisions have run out.
func oneIn(d source, n int) bool { return d.intn(n) == 1 }
