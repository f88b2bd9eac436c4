package server

// mostPatience is how many replies go out together at most where they have to
// wait for each other.
const mostPatience = 8

// maxRest is the binary logarithm of how many times waiting is left out, at most.
const maxRest = 10

// A patience is how many small replies wait for each other. A client that has
// many requests in flight has less to do if it gets some replies at a time; one
// that waits for a reply before it goes on must have it at once. Which of both it
// is shows when it was waited for. The zero value does not wait.
type patience struct {
	want   int // replies that are worth waiting for; less than 2: none
	failed int // times in a row that it was in vain
	rest   int // times that want stays as it is
}

// learn is told how many replies there were when no more came, or when there
// were as many as were wanted.
func (p *patience) learn(n int) {
	switch {
	case n < p.want: // the client has no more in flight; half of it leaves it something to do
		p.want = n / 2
		p.failed = min(p.failed+1, maxRest)
		p.rest = 1 << p.failed
	case p.rest > 0:
		p.rest--
	case p.want < mostPatience:
		p.want = max(p.want, 1) + 1
	default:
		p.failed = 0
	}
}
