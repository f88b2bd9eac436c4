// Package transport is how a server comes by its connections: from sockets
// that it opens itself, as [Listen] does, from sockets that whoever started it
// has opened already, which is systemd's socket activation and [Activated], or
// as one connection that is there from the start, which is how inetd does it
// and [Stdio].
//
// The client's side is package nbduri.
package transport
