package engine

import "testing"

// With so many requests in flight the client sends no more until it gets replies.
func TestBatchSize(t *testing.T) {
	for depth, want := range map[int]struct{ short, together int }{
		1:  {20, 1_020}, // of 10,000 replies: batches that fall short at most, and replies for each sending, in thousandths
		2:  {30, 1_050},
		4:  {40, 2_200},
		8:  {10, 7_500},
		32: {0, 7_900},
	} {
		var s batchSize
		short, sendings := 0, 0
		for replies := 0; replies < 10_000; sendings++ {
			n := 1
			for ; n < s.replies && n < depth; n++ {
			}
			if n < s.replies {
				short++
			}
			s.adjust(n)
			replies += n
		}
		if together := 10_000_000 / sendings; short > want.short || together > want.together+1000 || depth > 4 && together < want.together {
			t.Errorf("depth %d: %d batches fell short, %d replies for 1000 sendings", depth, short, together)
		}
	}
}
