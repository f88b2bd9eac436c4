//go:build unix && !linux

package server

import "syscall"

// An iovec is nothing here: one place is filled at a time.
type iovec struct{}

func (iovec) read(fd int, parts [][]byte, _ []byte) (int, error) { return syscall.Read(fd, parts[0]) }
