// Package engine moves the bytes of a connection in the transmission phase:
// it reads requests, takes their payload and sends replies, with few system
// calls and few copies, within limits of memory.
//
// It knows how requests are framed ([wire.ParseRequest]) and nothing else of the
// protocol: no commands, no options, no errors. Of an export it knows only
// storage that bytes are sent from or received into without a copy.
//
// # Three verbs
//
//   - [Conn.ReadRequest] reads the header of the next request.
//   - [Conn.ReadPayload] reads the payload that follows it into memory,
//     [Conn.ReadInto] into storage of the caller, and [Conn.Discard] nowhere.
//   - [Conn.NewReply] makes room for a reply, and [Conn.Send] sends it.
//
// One goroutine reads, and makes batched replies. Any goroutine may make and send
// others. [Conn.Acquire] bounds the memory that requests take while they are
// worked on.
//
// # What is where
//
//	transport.go      what a connection runs over: plain, TLS, or a blocking socket
//	conn.go           the verbs for reading
//	reply.go          a reply, encoded and borrowed bytes
//	batch.go          replies that are sent together
//	batch_size.go     how many of them are worth waiting for
//	sender.go         the queue of replies from several goroutines
//	input.go          the read buffer
//	receive_*.go      receiving without holding a buffer while nothing arrives
//	buffer.go         pools of buffers
//	budget.go         limits of memory, of a connection and of a server
//
// Sockets with blocking system calls are in package socket.
package engine
