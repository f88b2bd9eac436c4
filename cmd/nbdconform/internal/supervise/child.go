package supervise

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"sync"
	"syscall"
)

// eventFile is the child's descriptor for events.
const eventFile = 3

// Attached is a context for a child, which ends with the parent too.
func Attached(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // ends with the parent, even one that was killed
		cancel()
	}()
	return ctx, cancel
}

// A Teller sends the events of a child to its parent.
type Teller[E any] struct {
	mu  sync.Mutex
	out *json.Encoder
}

// NewTeller is the teller of this process, which is a child.
func NewTeller[E any]() *Teller[E] {
	syscall.CloseOnExec(eventFile) // no process that the child starts keeps the parent waiting
	return &Teller[E]{out: json.NewEncoder(os.NewFile(eventFile, "events"))}
}

// Tell sends an event.
func (t *Teller[E]) Tell(e E) {
	t.mu.Lock()
	defer t.mu.Unlock()
	_ = t.out.Encode(e) // fails if the parent is gone; the context ends then
}
