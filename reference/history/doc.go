// Package history records what many clients did to a disk at the same time,
// and checks it block by block.
//
// A [Recorder] takes operations with the moments at which they were sent and
// answered. [Linearizable] asks for all that could be asked for: one order of
// all operations that explains every answer. That is what the reference server
// promises, and more than the protocol document does. [Regular] asks for less:
// every read by itself returns what was written last before it, or what was
// being written meanwhile. That is what "Transmission flags" of the document
// demands under NBD_FLAG_CAN_MULTI_CONN, once each write counts as answered no
// sooner than it was flushed, or had NBD_CMD_FLAG_FUA.
package history
