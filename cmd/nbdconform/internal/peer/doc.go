// Package peer is what the commands that use a server do with it: they connect
// to an export, ask what there is, map it, and copy.
package peer
