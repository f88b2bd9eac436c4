// Package socket reads and writes sockets with blocking system calls, outside
// of the runtime's poller, and from and into several places at once.
//
// A [Socket] costs a thread of the system while it waits. In exchange a small
// request takes fewer system calls and fewer changes of context; the measurements
// are in docs/benchmarks.md. It exists on Linux only: elsewhere [Take] returns
// nil, and connections stay with the runtime's poller.
package socket
