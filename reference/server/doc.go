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
// well; a busy one borrows a buffer of 256 KiB for what it reads, another for
// small replies, and takes at most Config.InFlight for requests that it works
// on. Pages that a large write waits to fill count as such, and so do those
// that others replace while a reply is sent from them. Within TLS one of 32 KiB
// is kept for reading. What goes beyond a limit is read and thrown away, and
// refused, or ends the connection where it amounts to a denial of service.
//
// Nobody waits for another client: a connection that does not read its replies
// is not read from either, once Config.InFlight or the socket is full.
// Config.MaxConnections bounds the whole.
package server
