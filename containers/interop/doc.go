// Package interop shows the reference with programs that others wrote: the
// reference server with their clients, the reference client with their servers,
// and what of the protocol was observed to work in each pairing.
//
// The suite judges others by its reference. This is what the reference itself is
// judged by. [Run] does it, and [Table] makes the table of what is supported
// out of what was observed: no cell of it is typed in.
//
// The tests of this package go into more detail, with programs from PATH where
// they are installed and from containers of two Debian releases, and with a Linux
// kernel that runs as a process in a container.
package interop
