// Package clients has NBD client programs as data: what each can be asked to do
// and with which command line, the same for a program on PATH and for one in a
// container of a Debian release.
//
// It knows nothing of specs. [Open] returns a [subject.Client]; the server that it
// is sent to listens on a Unix socket in a directory that both sides see.
package clients
