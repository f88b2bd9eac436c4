package history

import (
	"encoding/binary"
	"fmt"
	"math"
	"sync"
)

// A Value is what a block holds: eight bytes over and over. 0 is a block of
// zeroes, which every block is at first.
type Value uint64

// Torn is a block that holds parts of several values.
const Torn Value = math.MaxUint64

// Fill makes all of b hold v.
func (v Value) Fill(b []byte) {
	var word [8]byte
	binary.LittleEndian.PutUint64(word[:], uint64(v))
	for len(b) > 0 {
		b = b[copy(b, word[:]):]
	}
}

// ValueOf is what b holds.
func ValueOf(b []byte) Value {
	var word [8]byte
	copy(word[:], b)
	for i := range b {
		if b[i] != word[i%8] {
			return Torn
		}
	}
	return Value(binary.LittleEndian.Uint64(word[:]))
}

// An Op is a read or a write of one block.
type Op struct {
	Client int
	Block  uint64
	Write  bool
	Value  Value
	Call   int64 // when it was sent
	Return int64 // when it was answered
}

func (o Op) String() string {
	verb := "read"
	if o.Write {
		verb = "wrote"
	}
	value := fmt.Sprint(uint64(o.Value))
	if o.Value == Torn {
		value = "parts of several values"
	}
	return fmt.Sprintf("client %d %s %s in [%d, %d]", o.Client, verb, value, o.Call, o.Return)
}

// A Recorder collects operations. Its methods may be called from several goroutines.
type Recorder struct {
	mu   sync.Mutex
	now  int64
	last Value
	ops  []Op
}

// Now is a moment, later than all before.
func (r *Recorder) Now() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.now++
	return r.now
}

// Next is a value that was not there before.
func (r *Recorder) Next() Value {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last++
	return r.last
}

// Add records an operation that was sent at call and is answered now.
func (r *Recorder) Add(o Op) {
	o.Return = r.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ops = append(r.ops, o)
}

// Ops are the operations in the order in which they were answered.
func (r *Recorder) Ops() []Op {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]Op(nil), r.ops...)
}
