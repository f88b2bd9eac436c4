// Package known has the failures of other people's programs that are known, as
// data: baselines of servers in this directory and in fuzz, of clients in
// clients, and of pairings with the reference in pairings.
//
// Commands read the baselines from files that they are given. The pairings are
// part of the program.
package known
