// Package program describes NBD server programs: which Debian package has
// them, in which profiles they can be set up and how each is started.
//
// The description is the same for a container and for a child process: a
// shell script that runs in an empty directory of its own and ends by becoming
// the server. Packages qemunbd, qemustorage, nbdkit and nbdserver have the
// descriptions.
package program
