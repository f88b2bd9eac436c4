// Package trial puts a server to a spec and says how it went.
//
// A [Server] is a target with what was found out about it. [Bench.Run] tries one
// spec on it: it gives the spec's body judged conversations ([Session]), and
// turns what happened into one verdict. A conversation never fails: a server
// that hangs up, says nothing or talks nonsense is a value ([Answer], [Reply])
// that matchers read.
//
// After every spec a second connection must be served. If it is not, the
// target has crashed or hangs, whatever the spec itself saw; it is restarted
// and the next spec finds a fresh one.
package session
