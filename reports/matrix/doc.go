// Package matrix puts many runs side by side: which version of which server
// keeps which clause, has which feature and works with which client program.
//
// A [Matrix] is what was seen and nothing else: the results of the runs as they
// were written, and one [Pairing] for each thing that a client program did with
// a server. Everything that people look at is derived from that when it is
// shown: [Matrix.Subjects] are the columns, [Matrix.Specs], [Matrix.Clauses] and
// [Matrix.Features] the rows, [Matrix.Changes] says in which version a row
// became different, [Matrix.Observations] what servers do where the document is
// silent.
package matrix
