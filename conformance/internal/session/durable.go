package session

import (
	"context"

	"nbdconform/conformance/internal/verdict"
	"nbdconform/conformance/subject"
)

// A Victim is a target whose server may be killed.
type Victim struct {
	ctx     context.Context
	attempt *attempt
	dur     subject.Durable
}

// Durable ends the spec as unsupported unless the target keeps its storage when
// its server is killed.
func Durable(ctx context.Context) Victim {
	t := from(ctx)
	d, ok := t.server.Target.(subject.Durable)
	if !ok || !t.server.Target.Profile().Durable {
		verdict.Unsupported("needs-durable-storage")
	}
	return Victim{ctx, t, d}
}

// Kill ends the server as SIGKILL does, and with it all sessions, and starts it
// again on what it left.
func (v Victim) Kill() {
	if err := v.dur.Crash(v.ctx); err != nil {
		verdict.Inconclusive("killing-server", err)
	}
	for _, s := range v.attempt.sessions {
		if s.open() {
			s.End() // so that it is the server that ended it
			s.Close()
		}
	}
}

// Seed is where what the spec leaves to chance starts from. It is among the
// observations of the run, and repeats with the same --seed.
func Seed(ctx context.Context) uint64 {
	n := from(ctx).server.Seed
	Observe(ctx, "seed of what is left to chance", "%d", n)
	return uint64(n)
}
