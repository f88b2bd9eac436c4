package campaign

import (
	"math/rand/v2"
	"slices"

	serverquirk "nbdconform/reference/quirk/server"
)

func randomMoves(r *rand.Rand) (list []move) {
	if r.IntN(3) == 0 {
		list = append(list, randomMove(r, segments))
	}
	switch r.IntN(4) {
	case 0:
		list = append(list, randomMove(r, hangUp))
	case 1:
		list = append(list, randomMove(r, failing))
	}
	if r.IntN(4) == 0 {
		list = append(list, randomMove(r, profiled))
	}
	if r.IntN(4) > 0 {
		list = append(list, randomMove(r, quirky))
	}
	return list
}

func randomMove(r *rand.Rand, sort string) move {
	switch sort {
	case segments:
		return move{sort: sort, n: []int{1, 3, 16, 27, 100, 4097}[r.IntN(6)]}
	case hangUp: // in the handshake as often as in the data
		return move{sort: sort, n: r.IntN([]int{40, 400, 4000, copied}[r.IntN(4)])}
	case failing:
		return move{sort: sort, n: 1 + r.IntN(16)}
	case profiled:
		return move{sort: sort, name: profiles()[r.IntN(len(profiles()))]}
	}
	all := serverquirk.All()
	return move{sort: quirky, name: all[r.IntN(len(all))].Name}
}

// mutate is a copy of m with a few changes: moves left out, made anew, taken from
// other, or with a number nearby.
func (m Moves) mutate(r *rand.Rand, other Moves) Moves {
	m.List = slices.Clone(m.List)
	for range 1 + r.IntN(3) {
		m.change(r, other)
	}
	return m
}

func (m *Moves) change(r *rand.Rand, other Moves) {
	n := len(m.List)
	switch at := r.IntN(max(n, 1)); {
	case n == 0 || r.IntN(3) == 0:
		m.set(randomMove(r, sorts[r.IntN(len(sorts))]))
	case r.IntN(4) == 0:
		m.List = slices.Delete(m.List, at, at+1)
	case m.List[at].counts() && r.IntN(3) > 0:
		near := m.List[at].n + []int{-28, -4, -1, 1, 4, 28}[r.IntN(6)]
		m.List[at].n = min(max(near, 1), copied)
	case len(other.List) > 0:
		m.set(other.List[r.IntN(len(other.List))])
	}
}

// set adds a move, in the place of one of its sort.
func (m *Moves) set(x move) {
	i := slices.IndexFunc(m.List, func(o move) bool { return o.sort == x.sort })
	if i < 0 {
		m.List = append(m.List, x)
		return
	}
	m.List[i] = x
}
