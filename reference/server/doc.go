// Package server is the reference server: it follows the specification of the
// NBD protocol to the letter, and can be told where not to.
//
// [New] makes a [Server] from a [Config]; [Server.Serve] accepts connections
// from a listener and [Server.ServeConn] serves one that the caller has.
//
// # Where to read what
//
// A file is about one section of the specification, which its comments name.
//
//	handshake.go         the greeting and the flags; oldstyle.go: without options
//	options.go           reading an option and sending its replies
//	opt_*.go             one option, or two that belong together
//	tls.go               which options and exports need TLS
//	flags.go             transmission flags
//	enter.go             which export the transmission phase is about
//	transmission.go      reading requests
//	check.go, commands.go  what is checked of every request, and by command
//	cmd_*.go             one command: how NBD_CMD_WRITE_ZEROES is served is in
//	                     cmd_write_zeroes.go
//	reply.go             simple, structured and extended replies; errors
//	dispatch.go          who serves a request, and the order of replies
//	request.go           what belongs to a request, its payload for example
//
// How bytes are moved is in internal/engine: it reads a request, takes its
// payload and sends replies. What a server has besides the protocol is in
// server.go, conn.go, config.go and log.go.
//
// # Checks
//
// Everything that the server demands of a client goes through one method,
// enforce, which names the clause that the demand rests on.
//
// # Hooks
//
// [Hooks] allow deliberate misbehaviour: they rewrite what was received, rewrite
// what is about to be sent, wrap the export, or skip a check (hooks.go,
// exchange.go, answer.go, hook_replies.go). The server does not know what they
// are used for. Without hooks they cost nothing; with Hooks.Reply the server
// serves one request after the other.
//
// # Large reads and writes
//
// Between a plain socket and an [export.Memory] that no hook has wrapped,
// large data is not copied: it is sent from where it is stored, as it was when
// the request was served, and received into pages that become part of the disk
// once all of it has arrived.
//
// # Limits of memory
//
// A connection in the handshake takes a few KiB, and at most Config.OptionLimit
// for the data of an option. In the transmission phase an idle one takes a few
// KiB as well; a busy one borrows a buffer of 32 KiB for reading, another for
// small replies, and takes at most Config.InFlight for requests that it works
// on. Pages for a large write count as such, but are allocated only as data
// arrives, and so do those that others replace while a reply is sent from them.
// Within TLS the buffer for reading is kept. Data beyond a limit is read and
// dropped and the request refused; where that would help a denial of service, the
// session ends. All connections together take at most Config.AllInFlight: a
// request that needs more fails with NBD_ENOMEM, except small ones that need no
// worker.
//
// # Blocking sockets
//
// The first 64 connections that Serve accepts over TCP and Unix sockets are read
// and written with blocking system calls, outside of the runtime's poller, each
// with a thread of the system, and have buffers of 256 KiB. That is what makes a
// small request fast; see docs/benchmarks.md. Others are served by the poller.
//
// No client waits for another one: the server does not read from a connection
// that does not read its replies, once Config.InFlight or the socket is full.
// Config.MaxConnections bounds the whole.
package server
