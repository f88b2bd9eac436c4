package server

import "testing"

// With so many requests in flight the client sends no more until it gets replies.
func TestPatience(t *testing.T) {
	for depth, want := range map[int]struct{ vain, together int }{
		1:  {20, 1_020}, // of 10,000 replies: waits in vain at most, and replies for each sending, in thousandths
		2:  {30, 1_050},
		4:  {40, 2_200},
		8:  {10, 7_500},
		32: {0, 7_900},
	} {
		var p patience
		vain, sendings := 0, 0
		for replies := 0; replies < 10_000; sendings++ {
			n := 1
			for ; n < p.want && n < depth; n++ {
			}
			if n < p.want {
				vain++
			}
			p.learn(n)
			replies += n
		}
		if together := 10_000_000 / sendings; vain > want.vain || together > want.together+1000 || depth > 4 && together < want.together {
			t.Errorf("depth %d: %d waits in vain, %d replies for 1000 sendings", depth, vain, together)
		}
	}
}
