// Package usage says which features of the protocol two programs were observed
// to use with each other, and with success.
//
// [Items] reads a transcript of the judge. An option counts once it was
// acknowledged, a command and its flags once a request with them succeeded, a
// reply, a chunk, an error or a flag once it was received. A message in which
// either side breaks a clause does not count. [All] lists every item that
// package wire knows, so that what was never used can be told.
package usage
