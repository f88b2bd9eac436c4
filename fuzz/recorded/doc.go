// Package recorded makes scripts of conversations that were recorded: what
// clients said in a capture becomes operations, as far as it is made of
// messages, and raw bytes where it is not.
//
// The script says the same bytes again to a server that answers as the recorded
// one did. Where it answers otherwise, operations are skipped or take another
// form, as in any script: that is what makes it a seed for a fuzzer. [Adapt]
// makes it more of one.
package recorded
