// Package client is the reference client of the NBD protocol: strict by
// default in [Client], raw on request in [Raw].
//
// [Connect] does the fixed newstyle handshake and returns a Client, on which
// any number of goroutines can have requests in flight. [Negotiate] stops
// before an export is chosen, for those who want to look around first:
//
//	c, err := client.Connect(ctx, conn, client.Config{Export: "disk"})
//	if err != nil { ... }
//	defer c.Close()
//	err = c.ReadAt(ctx, buf, 0, 0)
//
// Errors come in four types. A [*RequestError] is the server's refusal of one
// request, an [*OptionError] that of one option; the session goes on. A
// [*UsageError] is a request that the protocol does not let a client send; it
// was not sent. A [*SessionError] ends the session: the server broke the
// protocol or hung up, the client disconnected, or a context ended at a moment
// that left no other way.
//
// The client keeps every MUST and SHOULD that binds a client, with the one
// exception that it leaves the size of requests to its user where the server
// advertised no size constraints.
package client
