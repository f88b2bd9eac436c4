package judge

import "nbdconform/reference/wire"

// A Mishap is a request that was in order and failed, with an error that the
// document leaves to the server.
type Mishap struct {
	wire.Request
	Error wire.Errno
}

// maxMishaps bounds what one connection remembers.
const maxMishaps = 64

// unlucky remembers a request without faults that failed. Errors that the
// document keeps for one purpose are none: they have checks of their own.
func (j *Judge) unlucky(q wire.Request, e wire.Errno) {
	if e != wire.ENOTSUP && e != wire.EOVERFLOW && len(j.mishaps) < maxMishaps {
		j.mishaps = append(j.mishaps, Mishap{q, e})
	}
}

// Mishaps returns the requests that were in order and failed, the first ones.
func (j *Judge) Mishaps() []Mishap {
	j.mu.Lock()
	defer j.mu.Unlock()
	return append([]Mishap(nil), j.mishaps...)
}
