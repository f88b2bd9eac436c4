// Package clause is the catalogue of the protocol document's normative
// statements: who must do what, where the document says so, and what the
// suite makes of it.
//
// # What is a clause
//
// Every sentence with an upper-case word of RFC 2119 has at least one
// [Clause]. A sentence that obliges twice, or obliges both sides, has a clause
// for each obligation and side; an obligation that the document states in
// several places is one clause that lists several sentences. Permissions are
// clauses too, of level MAY: nobody may be accused of what one of them allows.
//
// A clause knows its sentences by their fingerprints (see [Fingerprint]),
// which depend on the words alone. When a new revision of the document
// rewords a sentence, [Check] reports the new sentence as uncovered and the
// clause as stale, side by side with the line to look at.
//
// # Adding a clause
//
// Print the sentences in question with their fingerprints:
//
//	go run ./conformance/clause/sentences proto.md 361 366
//
// Put an entry into the file of catalogue/ that covers that part of the
// document, at the place where the sentence stands (files and entries are in
// document order):
//
//   - id: trans.simple.required
//     level: MUST
//     side: server
//     section: Simple reply message
//     requires: Every request is answered by a simple reply when ...
//     sentences: [e8b4767583c1]
//
// The id is for good: hierarchical, of [a-z0-9.-] only, never renumbered and
// never used again for something else. MUST NOT has the level MUST, SHOULD
// NOT the level SHOULD. "requires" says in one sentence of our own, in the
// present tense, what a conforming side does. Two more keys are for clauses
// that no verdict can rest on:
//
//   - "untestable": why no spec can tell from outside;
//   - "disputed": both readings, where the document contradicts itself or
//     leaves two ways open.
//
// A sentence that repeats, elsewhere, what a clause already says goes into
// catalogue/also.yaml under the clause's id. A new file is added to the list
// in load.go, which also says which document it is about. Then:
//
//	go test ./conformance/clause
//
// With NBD_PROTO set to the path of the protocol document, the tests also
// require that the catalogue and the document cover each other completely.
package clause
