// Package pairing puts client programs to work on servers, each from a release of
// its own, and says how that went.
//
// A [Pair] is one client and one server. [Pair.Do] has the client do one thing.
// The client is sent to a tap, which passes every byte on to the server and has
// a judge listen: so a client in one container reaches a server in another
// without a network of their own, and what the two used of the protocol is
// known. Whether what the client says is true is checked against the contents
// of the server, which the reference client wrote and reads back.
package pairing
