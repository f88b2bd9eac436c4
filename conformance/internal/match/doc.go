// Package match has matchers for what a server sends as a whole: the answer to
// an option, the reply to a request, the end of a connection. A mismatch has
// what was allowed, and the whole exchange.
package match
