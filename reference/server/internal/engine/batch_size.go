package engine

// maxBatchSize is how many replies are sent together at most, where they have to
// wait for each other.
const maxBatchSize = 8

// maxSkipped is the binary logarithm of how many batches leave the size as it
// is, at most.
const maxSkipped = 10

// A batchSize is how many small replies wait for each other. A client that has
// many requests in flight has less to do if it gets several replies at a time;
// one that waits for a reply before it goes on must have it at once. Which of
// the two it is shows when replies were collected. The zero value collects none.
type batchSize struct {
	replies int // worth collecting; less than 2: none
	failed  int // times in a row that fewer came together
	skip    int // batches that leave the size as it is
}

// adjust is told how many replies there were when no more requests arrived, or
// when there were as many as were wanted.
func (s *batchSize) adjust(n int) {
	switch {
	case n < s.replies: // the client has no more in flight; half of it leaves it something to do
		s.replies = n / 2
		s.failed = min(s.failed+1, maxSkipped)
		s.skip = 1 << s.failed
	case s.skip > 0:
		s.skip--
	case s.replies < maxBatchSize:
		s.replies = max(s.replies, 1) + 1
	default:
		s.failed = 0
	}
}
