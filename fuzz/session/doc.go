// Package session runs a script on a server and says what was wrong.
//
// [Run] opens the connections of the script, sends what its operations say, in
// the segments that they ask for, and reads what comes. Three oracles watch:
// package judge reads along on each connection, package model compares
// contents and outcomes over all of them, and the session itself sees to it
// that what is due comes within [Target.Patience], and that another connection
// is served afterwards. Each thing that is wrong becomes a [Finding], whose
// Signature is the same whenever the same thing goes wrong.
//
// A session also says which states and kinds of replies it got to, as
// [Point]s, for a campaign to be guided by, and with [Target.Record] what went
// over the wire, for a reproducer.
//
// Where a script ends, a session takes leave of its own accord: with
// NBD_CMD_DISC or NBD_OPT_ABORT, and waits for the answer. So a script need
// not, and what a server sends too much is seen.
//
// [Reference] is the reference server in this process as a target, with any
// of its quirks: no network, no system calls.
package session
