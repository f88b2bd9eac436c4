// Package script has what a fuzzer does to a server as operations: a
// [Script] is a list of them, over one or more connections.
//
// A script reads and writes as text, one operation on a line. That is the
// format of seeds, of saved findings and of what is shown to people:
//
//	profile read-only
//	0 flags FIXED_NEWSTYLE|NO_ZEROES
//	0 NBD_OPT_STRUCTURED_REPLY
//	0 NBD_OPT_GO export="" info=NBD_INFO_BLOCK_SIZE
//	0 NBD_CMD_WRITE offset=0 length=4096 fill=7 nowait
//	0 NBD_CMD_READ offset=end-512 length=512
//	0 NBD_CMD_DISC
//
// The number in front is the connection, which opens with its first
// operation. [Decode] makes a script of any bytes, for a fuzz target;
// [Generate] makes one of random numbers; both take the same decisions, so a
// script is valid, nearly valid or hostile as its first decision says.
// [Script.Mutate] changes one. [Shrink] makes a failing script short.
//
// An operation that the connection is not ready for is skipped, unless it says
// "anyway": so scripts stay of use where a server refuses something, and while
// they are being cut short.
//
// A script says nothing of answers: package model knows which are right, and
// package session runs scripts.
package script
