package client

import (
	"errors"
	"os"
	"runtime"
	"syscall"
)

// A SparseFile is a file whose holes are not read. It implements [Sparse].
type SparseFile struct{ *os.File }

// What lseek takes on Linux, beside what package io knows.
const (
	seekData = 3
	seekHole = 4
)

// NextData implements [Sparse].
func (f SparseFile) NextData(offset, end uint64) (start, stop uint64) {
	if runtime.GOOS != "linux" {
		return offset, end
	}
	data, err := f.Seek(int64(offset), seekData)
	if errors.Is(err, syscall.ENXIO) {
		return end, end
	}
	if err != nil { // no file system has to know
		return offset, end
	}
	hole, err := f.Seek(data, seekHole)
	if err != nil {
		return offset, end
	}
	return min(uint64(data), end), min(uint64(hole), end)
}
