// Package campaign fuzzes a server or a client for as long as it is
// told to: it makes inputs, runs them, and keeps what was found.
//
// [Run] is a campaign against a server. Inputs are scripts: made at random,
// more or less well-behaved, or mutated from the corpus, which consists of the
// scripts that reached a state or a kind of reply (a [session.Point]) that
// nothing had reached before, on the target or on the reference server in this
// process, which runs every script as well. The oracles are those of package
// session, and a look at the server from outside: its end, what it says on
// stderr, its memory, descriptors and processes.
//
// A finding is run again on a fresh server, with more patience, and on the
// reference server, which must not show it; then it is shrunk and saved. From
// then on it is only counted.
//
// With [Options.Against] every script runs on two targets, and what they answer
// differently is listed by kind.
//
// [RunClient] is a campaign against a client program. Inputs are [FaultScript]s of a
// server that it connects to. Those that brought something new are kept and mutated,
// and a finding is saved with a server of its own, as [Client.Reproducer] makes it.
//
// The directory of a campaign has its record ([fuzzing.File]), its corpus
// and its findings. A campaign that was stopped goes on from there.
package campaign
