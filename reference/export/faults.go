package export

import (
	"errors"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"time"

	"nbdconform/reference/wire"
)

// A Gate is asked before a request is done, once for each that passed the
// checks of the server. An error is the request's result, and nothing was done.
// Once gone is closed nobody waits for the result any more.
type Gate interface {
	Admit(c wire.Command, off, n uint64, gone <-chan struct{}) error
}

// What a [Gate] can answer beside the errors of an [Export].
var (
	// ErrNoReply leaves the request without a reply for ever.
	ErrNoReply = errors.New("the request gets no reply")
	// ErrHangup closes the connection at once.
	ErrHangup = errors.New("the connection is closed")
)

// A Fault is something that goes wrong with requests. First it takes the
// Delay, then it fails with Err; where that is nil the request goes on as
// usual. All conditions have to be met.
type Fault struct {
	Commands []wire.Command // nil: all
	Offset   uint64         // the range that is affected, in bytes;
	Length   uint64         // 0: everything from Offset on
	Trigger  string         // a file that has to exist; "": none

	// Of the requests that meet these conditions:
	After       int     // so many go well first
	Every       int     // and then every so-manieth is affected, the first of them after Every-1 more; 0: all
	Probability float64 // with which one of these is affected; 0: 1
	Seed        uint64  // of the chance: the same seed, the same requests
	Times       int     // so many are affected at most; 0: no limit

	Delay time.Duration
	Err   error // a [wire.Errno], ErrNoReply or ErrHangup; nil: the request is only late
}

// touches reports whether n bytes from off are affected, and where first. A
// command without a range, such as NBD_CMD_FLUSH, touches every range.
func (f *Fault) touches(c wire.Command, off, n uint64) (at uint64, ok bool) {
	if len(f.Commands) > 0 && !slices.Contains(f.Commands, c) {
		return 0, false
	}
	if c == wire.CmdFlush || c == wire.CmdResize {
		return 0, true
	}
	if n == 0 || f.Offset > off+n-1 || f.Length > 0 && off > f.Offset+f.Length-1 {
		return 0, false
	}
	return max(off, f.Offset), true
}

// Faults is a [Gate] that has things go wrong.
type Faults struct {
	mu   sync.Mutex
	list []fault
}

// A fault is a Fault and what became of it so far.
type fault struct {
	Fault
	met, served int
	chance      *rand.Rand
}

// NewFaults returns a gate for all requests of an export.
func NewFaults(list ...Fault) *Faults {
	g := &Faults{}
	for i, f := range list {
		g.list = append(g.list, fault{Fault: f, chance: rand.New(rand.NewPCG(f.Seed, uint64(i)))})
	}
	return g
}

// Admit implements [Gate]: the first fault that the request meets is its lot.
func (g *Faults) Admit(c wire.Command, off, n uint64, gone <-chan struct{}) error {
	f, at := g.next(c, off, n)
	if f.Delay > 0 {
		late := time.NewTimer(f.Delay)
		defer late.Stop()
		select {
		case <-late.C:
		case <-gone:
			return ErrNoReply
		}
	}
	var e wire.Errno
	if errors.As(f.Err, &e) {
		return &Error{Errno: e, Offset: at}
	}
	return f.Err
}

func (g *Faults) next(c wire.Command, off, n uint64) (Fault, uint64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for i := range g.list {
		f := &g.list[i]
		if at, ok := f.touches(c, off, n); ok && f.armed() && f.due() {
			return f.Fault, at
		}
	}
	return Fault{}, 0
}

func (f *fault) armed() bool {
	if f.Trigger == "" {
		return true
	}
	_, err := os.Stat(f.Trigger)
	return err == nil
}

// due counts a request that meets the conditions, and says whether it is affected.
func (f *fault) due() bool {
	if f.Times > 0 && f.served >= f.Times {
		return false
	}
	f.met++
	k := f.met - f.After
	if k <= 0 || f.Every > 0 && k%f.Every != 0 {
		return false
	}
	if f.Probability > 0 && f.chance.Float64() >= f.Probability {
		return false
	}
	f.served++
	return true
}
