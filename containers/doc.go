// Package containers starts real NBD servers and hands them out as
// [subject.Server] values: in containers of a Debian release's own packages, as
// child processes of programs on PATH, or from any command line.
//
// [Open] starts a server, [Targets] lists the servers and their profiles, and
// [Sweep] removes what runs that were killed have left.
//
// Below internal are a package for each server program, with its profiles as
// data; program, which these are written in; images and engine.
package containers
