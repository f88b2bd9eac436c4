// Package fromcapture makes scripts of captured sessions: what clients sent in a
// capture becomes operations where it consists of messages, and raw bytes where
// it does not.
//
// The script sends the same bytes again to a server that replies as the recorded
// one did. Where a server replies differently, operations are skipped or take another
// form, as in any script. That makes it a seed for a fuzzer. [Adapt] replaces
// what belongs to the recorded server, such as names of exports.
package fromcapture
