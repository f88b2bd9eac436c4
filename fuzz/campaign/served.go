package campaign

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"nbdconform/conformance/subject"
	"nbdconform/fuzz/internal/script"
	"nbdconform/fuzz/session"
)

// Served makes a [Server] of a server under test, which Close closes.
func Served(t subject.Server) Server { return &served{target: t, seen: make(map[string]bool)} }

type served struct {
	target  subject.Server
	refused atomic.Bool // a connection could not be opened, in this script

	seen map[string]bool // complaints on stderr, by signature
	base subject.Usage   // of the fresh server; no Processes: it can't be measured
}

func (b *served) Close() error { return b.target.Close() }

// Run implements [Server]. Asking whether the server is alive can cost more than
// a script does, so it is asked only where something went wrong.
func (b *served) Run(ctx context.Context, s script.Script, c Care) (session.Result, error) {
	t := session.Of(b.target)
	c.apply(&t)
	t.Alive = nil
	b.refused.Store(false)
	dial := t.Dial
	t.Dial = func(ctx context.Context) (net.Conn, error) {
		nc, err := dial(ctx)
		if err != nil {
			b.refused.Store(true)
		}
		return nc, err
	}
	r := session.Run(ctx, s, &t)
	if ctx.Err() == nil && (b.refused.Load() || suspicious(r, c)) {
		if f, dead := b.dead(ctx); dead {
			r.Findings = []session.Finding{f} // whatever else there is comes from that
		} else {
			r.Findings = append(r.Findings, b.complaints(ctx)...)
		}
	}
	return r, nil
}

// suspicious reports whether there is a finding that the end of the server
// could explain.
func suspicious(r session.Result, c Care) bool {
	for _, f := range r.Findings {
		if c.Seen == nil || !c.Seen(f.Signature()) {
			return true
		}
	}
	return false
}

// dead makes a finding of a server that has ended. What is seen of a server's
// end lags behind the end of its connections: while it serves nobody, it is
// asked again.
func (b *served) dead(ctx context.Context) (session.Finding, bool) {
	var h subject.Health
	for range 20 {
		if h = b.target.Health(ctx); h.State == subject.Exited || b.serves(ctx) || !pause(ctx, 50*time.Millisecond) {
			break
		}
	}
	if h.State != subject.Exited {
		return session.Finding{}, false
	}
	about := h.Exit
	if line := complaint(h.Stderr); line != "" {
		about += ": " + line
	}
	return session.Finding{
		Kind: session.Crash, Clause: "trans.end.unjustified.server", Subject: about,
		Detail: "the server has ended: " + h.Exit + "\n" + lastLines(h.Stderr, 20),
	}, true
}

// serves reports whether the server greets.
func (b *served) serves(ctx context.Context) bool {
	nc, err := b.target.Dial(ctx)
	if err != nil {
		return false
	}
	defer func() { _ = nc.Close() }()
	_ = nc.SetReadDeadline(time.Now().Add(time.Second))
	n, _ := nc.Read(make([]byte, 8))
	return n > 0
}

// Fresh implements [Server].
func (b *served) Fresh(ctx context.Context) error {
	clear(b.seen)
	b.base = subject.Usage{}
	err := b.target.Restart(ctx)
	if m, ok := b.target.(subject.Measurable); ok && err == nil {
		b.base, _ = m.Usage(ctx) // where that can't be known, growth finds nothing
	}
	if !errors.Is(err, subject.ErrNoRestart) {
		return err
	}
	nc, err := b.target.Dial(ctx)
	if err != nil {
		return fmt.Errorf("the server is gone, and not ours to restart: %w", err)
	}
	return nc.Close()
}

// Look implements [Server].
func (b *served) Look(ctx context.Context) []session.Finding {
	if f, dead := b.dead(ctx); dead {
		return []session.Finding{f}
	}
	return append(b.complaints(ctx), b.growth(ctx)...)
}

// complaints are findings on stderr that were not seen before.
func (b *served) complaints(ctx context.Context) (list []session.Finding) {
	text := b.target.Health(ctx).Stderr
	for _, line := range complaints(text) {
		f := session.Finding{Kind: Complaint, Subject: line, Detail: "on its standard error:\n" + lastLines(text, 20)}
		if !b.seen[f.Signature()] {
			b.seen[f.Signature()] = true
			list = append(list, f)
		}
	}
	return list
}

// How much a server may take on top of what it took at first, while it serves nobody.
const (
	mostMemory      = 512 << 20 // bytes, and twice the export
	mostDescriptors = 64
	mostProcesses   = 64
)

// growth measures the server while nobody is connected. What a connection took
// may take a moment to be given back.
func (b *served) growth(ctx context.Context) []session.Finding {
	m, ok := b.target.(subject.Measurable)
	if !ok || b.base.Processes == 0 {
		return nil
	}
	var over string
	var detail string
	for try := range 12 {
		if try > 0 && !pause(ctx, 250*time.Millisecond) {
			return nil
		}
		u, err := m.Usage(ctx)
		if err != nil {
			return nil
		}
		over = exceeds(b.base, u, b.target.Profile().Size)
		if over == "" {
			return nil
		}
		detail = fmt.Sprintf("nobody is connected; at first it took %s, now %s", amount(b.base), amount(u))
	}
	return []session.Finding{{Kind: Leak, Subject: over, Detail: detail}}
}

func exceeds(base, now subject.Usage, size uint64) string {
	switch {
	case now.Memory > base.Memory+mostMemory+2*min(size, 1<<30):
		return "memory"
	case base.Descriptors >= 0 && now.Descriptors > base.Descriptors+mostDescriptors:
		return "descriptors"
	case now.Processes > base.Processes+mostProcesses:
		return "processes"
	}
	return ""
}

func amount(u subject.Usage) string {
	return fmt.Sprintf("%d MiB, %d descriptors, %d processes", u.Memory>>20, u.Descriptors, u.Processes)
}

// pause waits, and reports false if ctx ends first.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}
