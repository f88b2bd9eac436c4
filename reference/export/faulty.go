package export

import (
	"sync"
	"time"

	"nbdconform/reference/wire"
)

// A Fault is something that goes wrong with one kind of command.
type Fault struct {
	Command wire.Command
	Offset  uint64        // the range that is affected, in bytes;
	Length  uint64        // 0: everything from Offset on
	Errno   wire.Errno    // the operation fails with it; OK: it only takes longer
	Delay   time.Duration // how much longer
	After   int           // so many operations that touch the range go well before it
	Times   int           // and so many are affected; 0: all
}

// touches reports whether the fault lies among n bytes from off, and where first.
func (f Fault) touches(c wire.Command, off, n uint64) (at uint64, ok bool) {
	if f.Command != c {
		return 0, false
	}
	if n > 0 && f.Offset > off+n-1 || f.Length > 0 && off > f.Offset+f.Length-1 {
		return 0, false
	}
	return max(off, f.Offset), true
}

// Faulty is an export that fails as it is told, and otherwise does what the
// export that it wraps does. An operation that fails changes nothing.
type Faulty struct {
	Export
	mu     sync.Mutex
	faults []Fault
}

// NewFaulty wraps e.
func NewFaulty(e Export, faults ...Fault) *Faulty { return &Faulty{Export: e, faults: faults} }

// SetFaults replaces the faults, and starts their counts anew.
func (f *Faulty) SetFaults(faults ...Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.faults = append([]Fault(nil), faults...)
}

// check serves the first fault that touches the operation.
func (f *Faulty) check(c wire.Command, off, n uint64) error {
	fault, at := f.next(c, off, n)
	time.Sleep(fault.Delay)
	if fault.Errno == wire.OK {
		return nil
	}
	return &Error{Errno: fault.Errno, Offset: at}
}

func (f *Faulty) next(c wire.Command, off, n uint64) (Fault, uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range f.faults {
		p := &f.faults[i]
		at, ok := p.touches(c, off, n)
		if !ok || p.Times < 0 {
			continue
		}
		if p.After > 0 {
			p.After--
			continue
		}
		fault := *p
		if p.Times == 1 {
			p.Times = -1
		} else if p.Times > 1 {
			p.Times--
		}
		return fault, at
	}
	return Fault{}, 0
}

// ReadAt implements [Export] with the faults of NBD_CMD_READ.
func (f *Faulty) ReadAt(p []byte, off uint64) error {
	if err := f.check(wire.CmdRead, off, uint64(len(p))); err != nil {
		return err
	}
	return f.Export.ReadAt(p, off)
}

// WriteAt implements [Export] with the faults of NBD_CMD_WRITE.
func (f *Faulty) WriteAt(p []byte, off uint64) error {
	if err := f.check(wire.CmdWrite, off, uint64(len(p))); err != nil {
		return err
	}
	return f.Export.WriteAt(p, off)
}

// Zero implements [Export] with the faults of NBD_CMD_WRITE_ZEROES.
func (f *Faulty) Zero(off, n uint64, noHole, fast bool) error {
	if err := f.check(wire.CmdWriteZeroes, off, n); err != nil {
		return err
	}
	return f.Export.Zero(off, n, noHole, fast)
}

// Trim implements [Export] with the faults of NBD_CMD_TRIM.
func (f *Faulty) Trim(off, n uint64) error {
	if err := f.check(wire.CmdTrim, off, n); err != nil {
		return err
	}
	return f.Export.Trim(off, n)
}

// Cache implements [Export] with the faults of NBD_CMD_CACHE.
func (f *Faulty) Cache(off, n uint64) error {
	if err := f.check(wire.CmdCache, off, n); err != nil {
		return err
	}
	return f.Export.Cache(off, n)
}

// Flush implements [Export] with the faults of NBD_CMD_FLUSH.
func (f *Faulty) Flush() error {
	if err := f.check(wire.CmdFlush, 0, 0); err != nil {
		return err
	}
	return f.Export.Flush()
}

// Extents implements [Export] with the faults of NBD_CMD_BLOCK_STATUS.
func (f *Faulty) Extents(dst []wire.Extent, context string, off, n uint64, limit int) ([]wire.Extent, error) {
	if err := f.check(wire.CmdBlockStatus, off, n); err != nil {
		return dst, err
	}
	return f.Export.Extents(dst, context, off, n, limit)
}
