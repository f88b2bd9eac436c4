// Package server is the reference server: it follows the NBD protocol
// document to the letter, and can be told where not to.
//
// [New] makes a [Server] from a [Config]; [Server.Serve] accepts connections
// from a listener and [Server.ServeConn] serves one that the caller has. A
// connection goes through greeting, option haggling (options.go, info.go,
// meta.go) and transmission (transmission.go, read.go, write.go, status.go).
//
// # Checks
//
// Whatever the server demands of a client goes through one method, enforce,
// which names the clause of the protocol document that the demand rests on.
//
// # Hooks
//
// [Hooks] are the seams at which deliberate misbehaviour gets in: rewrite
// what was received, rewrite what is about to be sent, wrap the export, skip
// a check. The server knows nothing of what they are used for. Without hooks
// they cost nothing; a server that has them trades speed for order, and
// answers one request after the other.
//
// # Large reads and writes
//
// Between a plain socket and an [export.Memory] that no hook has wrapped,
// large data is not copied on its way: it is sent from where it is stored, as
// it was when the request was done, and received into pages that become part
// of the disk once all of it has come.
//
// # What a peer can make it allocate
//
// A connection that haggles costs a few KiB, and at most Config.OptionLimit
// for the data of an option. In transmission an idle one costs a few KiB as
// well; a busy one borrows a buffer of 32 KiB for what it reads, another for
// small replies, and takes at most Config.InFlight for requests that it works
// on. Pages that a large write waits to fill count as such, but are there no
// sooner than they are needed, and so do those that others replace while a reply
// is sent from them. Within TLS the buffer for reading is kept. What goes beyond
// a limit is read and thrown away, and refused, or ends the connection where it
// amounts to a denial of service. All connections together take at most
// Config.AllInFlight: a request that needs more fails with NBD_ENOMEM, small ones
// that need no worker excepted.
//
// # Lines
//
// The first 64 connections that Serve accepts over TCP and Unix sockets wait
// within system calls and not in the runtime's poller, each with a thread of
// the system, and have buffers of 256 KiB. That is what makes a small request
// fast; see docs/benchmarks.md. Others are served as well, from the poller.
//
// Nobody waits for another client: a connection that does not read its replies
// is not read from either, once Config.InFlight or the socket is full.
// Config.MaxConnections bounds the whole.
package server
