package campaign

import (
	"math/rand/v2"

	"nbdconform/reference/quirk"
)

func randomMoves(r *rand.Rand) (list []move) {
	if r.IntN(3) == 0 {
		list = append(list, move{segments, []int{1, 3, 16, 27, 100, 4097}[r.IntN(6)]})
	}
	switch r.IntN(4) {
	case 0: // in the handshake as often as in the data
		list = append(list, move{hangUp, r.IntN([]int{40, 400, 4000, copied}[r.IntN(4)])})
	case 1:
		list = append(list, move{failing, 1 + r.IntN(16)})
	}
	if r.IntN(4) > 0 {
		all := quirk.All()
		if q := all[r.IntN(len(all))]; q.Side == quirk.Server {
			list = append(list, move{kind: q.Name})
		}
	}
	return list
}
