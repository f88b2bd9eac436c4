// Package heard says what of the protocol two programs were heard to use with
// each other, and to good effect.
//
// [Items] reads a transcript of the judge. An option counts once it was
// acknowledged, a command and its flags once a request with them succeeded, a
// reply, a chunk, an error or a flag once it came. What either side broke a
// clause with does not count. [All] lists every item that package wire knows,
// so that what was never heard can be told.
package heard
