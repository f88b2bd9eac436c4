// Package export is the disk behind an NBD export: what it holds, and how it
// goes wrong on request.
//
// An [Export] is the interface between the protocol and the bytes. [Memory]
// implements it sparsely: an export of nearly 2^64 bytes costs nothing until
// somebody writes to it. [Faults] stands before an export and injects errors
// and delays.
package export
