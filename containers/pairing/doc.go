// Package pairing runs client programs against servers, each from a release of
// its own, and reports how that went.
//
// A [Pair] is one client and one server. [Pair.Do] has the client do every
// operation. The client connects to a proxy, which passes every byte on to the
// server and to a judge: so a client in one container reaches a server in another
// without a network of their own, and it is known what the two used of the
// protocol. What the client reports is compared with the contents of the server,
// which the reference client wrote and reads back.
package pairing
