package campaign

import (
	"math/rand/v2"
	"slices"

	serverquirk "nbdconform/reference/quirk/server"
)

func randomFaults(r *rand.Rand) (list []fault) {
	if r.IntN(3) == 0 {
		list = append(list, randomFault(r, segments))
	}
	switch r.IntN(4) {
	case 0:
		list = append(list, randomFault(r, hangUp))
	case 1:
		list = append(list, randomFault(r, failing))
	}
	if r.IntN(4) == 0 {
		list = append(list, randomFault(r, profiled))
	}
	if r.IntN(4) > 0 {
		list = append(list, randomFault(r, quirky))
	}
	return list
}

func randomFault(r *rand.Rand, kind string) fault {
	switch kind {
	case segments:
		return fault{kind: kind, n: []int{1, 3, 16, 27, 100, 4097}[r.IntN(6)]}
	case hangUp: // in the handshake as often as in the data
		return fault{kind: kind, n: r.IntN([]int{40, 400, 4000, copied}[r.IntN(4)])}
	case failing:
		return fault{kind: kind, n: 1 + r.IntN(16)}
	case profiled:
		return fault{kind: kind, name: profiles()[r.IntN(len(profiles()))]}
	}
	all := serverquirk.All()
	return fault{kind: quirky, name: all[r.IntN(len(all))].Name}
}

// mutate is a copy of m with a few changes: faults removed, made anew, taken from
// other, or with a number nearby.
func (m FaultScript) mutate(r *rand.Rand, other FaultScript) FaultScript {
	m.Faults = slices.Clone(m.Faults)
	for range 1 + r.IntN(3) {
		m.change(r, other)
	}
	return m
}

func (m *FaultScript) change(r *rand.Rand, other FaultScript) {
	n := len(m.Faults)
	switch at := r.IntN(max(n, 1)); {
	case n == 0 || r.IntN(3) == 0:
		m.set(randomFault(r, faultKinds[r.IntN(len(faultKinds))]))
	case r.IntN(4) == 0:
		m.Faults = slices.Delete(m.Faults, at, at+1)
	case m.Faults[at].counts() && r.IntN(3) > 0:
		near := m.Faults[at].n + []int{-28, -4, -1, 1, 4, 28}[r.IntN(6)]
		m.Faults[at].n = min(max(near, 1), copied)
	case len(other.Faults) > 0:
		m.set(other.Faults[r.IntN(len(other.Faults))])
	}
}

// set adds a fault, in the place of one of its kind.
func (m *FaultScript) set(x fault) {
	i := slices.IndexFunc(m.Faults, func(o fault) bool { return o.kind == x.kind })
	if i < 0 {
		m.Faults = append(m.Faults, x)
		return
	}
	m.Faults[i] = x
}
