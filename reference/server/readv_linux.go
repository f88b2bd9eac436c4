package server

import (
	"syscall"
	"unsafe"
)

// An iovec is scratch for reading into several places at once, or writing from them.
type iovec []syscall.Iovec

// maxIOV is as many places as the kernel takes: IOV_MAX.
const maxIOV = 1024

// read reads once: into the parts, and into last if all of them are filled.
func (v *iovec) read(fd int, parts [][]byte, last []byte) (int, error) {
	list := (*v)[:0]
	for _, p := range parts[:min(len(parts), maxIOV)] {
		list = appendIovec(list, p)
	}
	if len(list) < maxIOV && len(last) > 0 {
		list = appendIovec(list, last)
	}
	return v.call(syscall.SYS_READV, fd, list)
}

// write writes once, from the parts.
func (v *iovec) write(fd int, parts [][]byte) (int, error) {
	list := (*v)[:0]
	for _, p := range parts[:min(len(parts), maxIOV)] {
		list = appendIovec(list, p)
	}
	return v.call(syscall.SYS_WRITEV, fd, list)
}

func (v *iovec) call(number uintptr, fd int, list []syscall.Iovec) (int, error) {
	n, _, e := syscall.Syscall(number, uintptr(fd), uintptr(unsafe.Pointer(&list[0])), uintptr(len(list)))
	clear(list) // the storage is not ours
	*v = list[:0]
	if e != 0 {
		return 0, e
	}
	return int(n), nil
}

func appendIovec(list []syscall.Iovec, p []byte) []syscall.Iovec {
	i := syscall.Iovec{Base: &p[0]}
	i.SetLen(len(p))
	return append(list, i)
}
