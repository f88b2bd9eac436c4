package conformance_test

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"nbdconform/conformance"
	"nbdconform/conformance/subject/referenceserver"
	"nbdconform/reference/server"
	"nbdconform/reports/result"
)

// The least and the largest exports that there can be: no spec computes an
// offset past 2^64, accuses a server that conforms, or takes more memory or
// time for a larger export.
func TestExportsOfEverySize(t *testing.T) {
	for _, size := range []uint64{0, 1, 511, 513, math.MaxInt64, 1 << 63, -512 & math.MaxUint64, math.MaxUint64} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			_, about, err := referenceserver.Config("default", size, "")
			if err != nil {
				t.Fatal(err)
			}
			srv, err := referenceserver.New(about, func() server.Config {
				config, _, err := referenceserver.Config("default", size, "")
				if err != nil {
					t.Error(err)
				}
				return config
			})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = srv.Close() }()
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			most := watchMemory(t, cancel)
			subject, err := conformance.DiscoverServer(ctx, srv, conformance.ServerOptions{Destructive: true})
			if err != nil {
				t.Fatal(err)
			}
			n := map[result.Verdict]int{}
			var open string
			round, err := conformance.NewRound(conformance.Config{
				Subject: subject, Seed: 1,
				Started: func(id string) { open = id },
				Done: func(s result.Spec, _ []result.Observation) {
					n[s.Verdict]++
					if s.Verdict != result.Pass && s.Verdict != result.Unsupported {
						t.Errorf("%s: %s: %s", s.ID, s.Verdict, s.Message)
					}
				},
			})
			if err != nil {
				t.Fatal(err)
			}
			if err := round.Run(ctx); err != nil {
				t.Errorf("%v, within %s", err, open)
			}
			if n[result.Pass] < 100 {
				t.Errorf("%v", n)
			}
			t.Logf("%v, %d MiB", n, most()>>20)
		})
	}
}

// watchMemory calls stop, and fails the test, where much more memory is in use
// than specs and the reference server need.
func watchMemory(t *testing.T, stop func()) (most func() uint64) {
	t.Helper()
	const limit = 1 << 30
	var peak atomic.Uint64
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
			}
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			if peak.Store(max(peak.Load(), m.HeapAlloc)); m.HeapAlloc > limit {
				t.Errorf("%d MiB are in use", m.HeapAlloc>>20)
				stop()
				return
			}
		}
	}()
	t.Cleanup(func() { close(done); <-ended })
	return peak.Load
}
