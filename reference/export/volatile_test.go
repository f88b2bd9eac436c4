package export

import (
	"bytes"
	"testing"
)

func TestVolatileLosesWhatWasNotFlushed(t *testing.T) {
	v := NewVolatile(1 << 20)
	read := func(off uint64) []byte {
		b := make([]byte, 8)
		if err := v.ReadAt(b, off); err != nil {
			t.Fatal(err)
		}
		return b
	}
	old, young := bytes.Repeat([]byte{1}, 8), bytes.Repeat([]byte{2}, 8)
	for _, at := range []uint64{0, 8, 1<<20 - 8} {
		_ = v.WriteAt(old, at)
	}
	_ = v.Zero(8, 8, false, false)
	_ = v.Flush()
	_ = v.WriteAt(young, 0)
	if got := read(0); !bytes.Equal(got, young) {
		t.Errorf("before the crash it reads % x", got)
	}

	v = v.Crash()

	if got := read(0); !bytes.Equal(got, old) {
		t.Errorf("what was not flushed reads % x", got)
	}
	if got := read(8); !bytes.Equal(got, make([]byte, 8)) {
		t.Errorf("what was zeroed and flushed reads % x", got)
	}
	if got := read(1<<20 - 8); !bytes.Equal(got, old) {
		t.Errorf("the last bytes read % x", got)
	}
	_ = v.WriteAt(young, 0)
	_ = v.Flush()
	if v = v.Crash(); !bytes.Equal(read(0), young) {
		t.Error("what was flushed after a crash is lost in the next")
	}
}
