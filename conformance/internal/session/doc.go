// Package session is what specs for servers speak with: a [Session] is one
// connection to the server under test, which the judge watches.
//
// A [Server] is that server with what [Discover] found out about it; it
// implements [runner.Subject]. A session never fails for what a server does: a
// server that closes the connection, does not reply or sends nonsense is a value
// ([Answer], [Reply], [HangUp]) that matchers examine.
//
// After every spec a second connection must be served. If it is not, the server
// has crashed or hangs, whatever the spec itself saw; it is restarted, so that
// the next spec has a fresh one.
package session
