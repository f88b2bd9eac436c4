package socket

import (
	"syscall"
	"unsafe"
)

// A Vector is scratch space for reading into several places at once, or writing
// from them. The zero value is ready; one goroutine at a time may use it.
type Vector []syscall.Iovec

// maxPlaces is as many places as the kernel takes: IOV_MAX.
const maxPlaces = 1024

// Read reads once: into the parts, and into last when all of them are filled.
// There is at least one place, and none of the parts is empty.
func (v *Vector) Read(fd int, parts [][]byte, last []byte) (int, error) {
	list := (*v)[:0]
	for _, p := range parts[:min(len(parts), maxPlaces)] {
		list = appendPlace(list, p)
	}
	if len(list) < maxPlaces && len(last) > 0 {
		list = appendPlace(list, last)
	}
	return v.call(syscall.SYS_READV, fd, list)
}

// Write writes once, from the parts. There is at least one, and none is empty.
func (v *Vector) Write(fd int, parts [][]byte) (int, error) {
	list := (*v)[:0]
	for _, p := range parts[:min(len(parts), maxPlaces)] {
		list = appendPlace(list, p)
	}
	return v.call(syscall.SYS_WRITEV, fd, list)
}

func (v *Vector) call(number uintptr, fd int, list []syscall.Iovec) (int, error) {
	n, _, e := syscall.Syscall(number, uintptr(fd), uintptr(unsafe.Pointer(&list[0])), uintptr(len(list)))
	clear(list) // keeps no reference to the caller's memory
	*v = list[:0]
	if e != 0 {
		return 0, e
	}
	return int(n), nil
}

func appendPlace(list []syscall.Iovec, p []byte) []syscall.Iovec {
	i := syscall.Iovec{Base: &p[0]}
	i.SetLen(len(p))
	return append(list, i)
}
