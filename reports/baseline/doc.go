// Package baseline knows the failures that are known already, and tells a run
// that is no worse from one that is.
//
// A [File] is YAML that people read and edit: a list of entries, each with the
// target and the versions that it is about, the spec or the clause, the verdict,
// the signature of the failure and the reason why it is put up with:
//
//	baseline: 2
//	entries:
//	  - target: nbd-server
//	    versions: ">= 3.21, < 3.28"
//	    spec: abort.ack
//	    verdict: fail
//	    signature: "opt.abort.ack: expectation answer.final(NBD_REP_ACK) / end.hung-up"
//	    reason: Exits on NBD_OPT_ABORT without an answer.
//	    link: https://github.com/NetworkBlockDevice/nbd/blob/master/doc/proto.md
//
// [Check] holds a result against the entries that apply to it. It finds fault
// with a failure that has no entry, and just as much with an entry that has no
// failure: a baseline that nobody keeps true is worth nothing. [Update] edits
// the text of a file and leaves everything alone that it need not touch.
// [Migrate] gives a file whose signatures were made from messages those that
// are made from the fields of failures.
//
// A finding that is not public yet has no place in a committed file. Such an
// entry is withheld: it has a digest of the target, spec, verdict and signature
// in their place (see [Digest]). Whoever runs the suite sees the failure
// anyway; whoever reads the file does not. It still matches one failure only,
// goes stale and expires as any other.
package baseline
