//go:build unix && !linux

package socket

import "syscall"

// A Vector is empty here: one place is filled at a time.
type Vector struct{}

// Read reads once, into the first of the parts.
func (*Vector) Read(fd int, parts [][]byte, _ []byte) (int, error) { return syscall.Read(fd, parts[0]) }
