package encounter

import (
	"bytes"
	"errors"
	"io"
	"sync"

	"nbdconform/conformance/clause"
	"nbdconform/conformance/judge"
	"nbdconform/reports/recording"
)

// A watched connection tells the judge and the recorder what happens on it. The
// handshake of TLS is for the judge alone, unless it fails.
type watched struct {
	*judge.Judge
	rec  *recording.Recorder // nil: nothing is recorded
	conn int

	mu      sync.Mutex
	shaking bool
	held    []func() // what is to be recorded should the handshake fail
	over    map[recording.Kind]bool
	secured bool
	spoken  count // in the clear
	skipped count // of the handshake
}

// A count is bytes of each side.
type count struct{ client, server int64 }

func (c *count) of(s clause.Side) *int64 {
	if s == clause.Client {
		return &c.client
	}
	return &c.server
}

// FromClient implements [judge.Watcher].
func (w *watched) FromClient(b []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.Judge.FromClient(b)
	w.record(clause.Client, b)
}

// FromServer implements [judge.Watcher].
func (w *watched) FromServer(b []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.Judge.FromServer(b)
	w.record(clause.Server, b)
}

func (w *watched) record(side clause.Side, b []byte) {
	switch {
	case w.rec == nil:
	case w.shaking:
		b = bytes.Clone(b)
		*w.skipped.of(side) += int64(len(b))
		w.held = append(w.held, func() { w.record(side, b) })
	default:
		if !w.secured {
			*w.spoken.of(side) += int64(len(b))
		}
		if side == clause.Client {
			w.rec.ClientSaid(w.conn, b)
		} else {
			w.rec.ServerSaid(w.conn, b)
		}
	}
}

// shakingHands says that TLS is being set up from here on.
func (w *watched) shakingHands() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.shaking = true
}

// Decrypted implements [judge.Watcher].
func (w *watched) Decrypted() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.Judge.Decrypted()
	w.rec.Note(w.conn, recording.TLS, "")
	w.shaking, w.held, w.secured = false, nil, true
}

// failed says that there will be no TLS. What was said instead is recorded.
func (w *watched) failed(why error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.rec.Note(w.conn, recording.TLS, "%v", why)
	held := w.held
	w.shaking, w.held, w.skipped = false, nil, count{}
	for _, record := range held {
		record()
	}
}

// ClientClosed implements [judge.Watcher].
func (w *watched) ClientClosed(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.Judge.ClientClosed(err)
	w.ended(recording.ClientEnds, err)
}

// ServerClosed implements [judge.Watcher].
func (w *watched) ServerClosed(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.Judge.ServerClosed(err)
	w.ended(recording.ServerEnds, err)
}

func (w *watched) ended(k recording.Kind, err error) {
	if w.shaking {
		w.held = append(w.held, func() { w.ended(k, err) })
		return
	}
	if w.over[k] {
		return
	}
	if w.over == nil {
		w.over = map[recording.Kind]bool{}
	}
	w.over[k] = true
	if err == nil || errors.Is(err, io.EOF) {
		w.rec.Note(w.conn, k, "")
		return
	}
	w.rec.Note(w.conn, k, "%v", err)
}

// recorded is where the recording has what the judge has at an offset.
func (w *watched) recorded(side clause.Side, offset int64) int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	if skipped := *w.skipped.of(side); w.secured && offset >= *w.spoken.of(side)+skipped {
		return offset - skipped
	}
	return offset
}
