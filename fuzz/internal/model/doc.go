// Package model knows what a server may answer. It is the sequential picture
// of an export, and of what each connection negotiated, that answers are
// compared with.
//
// A [Model] is told what was sent and what came back, in the order in which
// one client saw it, by way of one [Conn] for each connection. It holds what
// it hears against what it knows and returns [Violation]s. Contents are known
// byte by byte; what is not known is learned from what is read first, and
// what can't be known is left alone:
//
//   - bytes that were trimmed, and those under a write that failed or had no
//     answer, are undefined until they are written again;
//   - requests in flight at the same time have no order: where they touch, the
//     bytes are undefined, and a read is not held against them;
//   - another connection sees what a connection wrote once a flush, or
//     NBD_CMD_FLAG_FUA, was answered, and NBD_FLAG_CAN_MULTI_CONN is there.
//
// What a single connection shows by itself is the business of package judge.
// The model is for what takes memory: contents, whether what should succeed
// does, and whether what a server says on different occasions fits together.
package model
