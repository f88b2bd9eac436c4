package engine

import (
	"math/bits"
	"sync"
)

// A buffer is memory for encoded replies, a payload, or what was read.
type buffer struct {
	b     []byte
	class int // index in pools, or -1
}

// Buffers of class i have room for 1<<(i+minClass) bytes and the headers
// around them.
const (
	minClass   = 9
	maxClass   = 26
	headerRoom = 64
)

var pools [maxClass - minClass + 1]sync.Pool

// newBuffer returns an empty buffer with a capacity of at least n bytes.
func newBuffer(n int) *buffer {
	class := max(bits.Len(uint(max(n-headerRoom, 1)-1))-minClass, 0)
	if class >= len(pools) {
		return &buffer{b: make([]byte, 0, n), class: -1}
	}
	if p, ok := pools[class].Get().(*buffer); ok {
		p.b = p.b[:0]
		return p
	}
	return &buffer{b: make([]byte, 0, 1<<(class+minClass)+headerRoom), class: class}
}

// release gives p back to its pool. It may not be used any more. One that has
// outgrown its class is dropped.
func (p *buffer) release() {
	if p.class >= 0 && cap(p.b) < 1<<(p.class+minClass+1)+headerRoom {
		pools[p.class].Put(p)
	}
}
