// Package visit has client programs visit a reference server that behaves as a
// spec wants, and says how the visit went: what the program sent, what the judge
// holds against it, how the program ended and what it made of the data.
//
// A [Bench] is one program under test. The body of a spec asks the program to
// do something with [Ask], and reads the [Visit] that comes of it.
package encounter
