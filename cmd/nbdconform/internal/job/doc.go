// Package job describes what a run of the suite depends on: the server or the
// client to judge, where it comes from and in which way it is judged. A Job
// checks itself, opens what it names, and knows the command line that asks for
// the same.
package job
