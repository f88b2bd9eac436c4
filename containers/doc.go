// Package containers starts real NBD servers and hands them out as
// [target.Target] values: in containers of a Debian release's own packages, as
// child processes of programs on PATH, or from any command line.
//
// [Open] is the way in, [Targets] says what can be opened, and [Sweep] removes
// what runs that were killed have left behind. What the servers are and how
// they are set up is in packages qemunbd, nbdkit and nbdserver; the images are
// in package images.
package containers
