// Package encounter runs client programs against a reference server that behaves
// as a spec says, and reports what happened: what the program sent, what the judge
// saw it break, how the program exited, and whether the data is right.
//
// A [Client] is the program under test; it implements [runner.Subject]. The body
// of a spec has it do a task with [Ask], and examines the [Visit] that results.
package encounter
