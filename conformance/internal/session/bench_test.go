package session

import (
	"context"
	"sync"
	"testing"
	"time"

	"nbdconform/conformance/internal/runner"
	"nbdconform/conformance/internal/spec"
	"nbdconform/conformance/internal/verdict"
	"nbdconform/conformance/subject/referenceserver"
	"nbdconform/reference/server"
	"nbdconform/reference/wire"
	"nbdconform/reports/result"
)

// mystery is an option that nobody knows, to which servers here have to think.
const mystery = wire.Option(0x6e6f6e65)

// thinking is a server that takes its time to answer the mystery, and greets
// nobody meanwhile if it is alone.
func thinking(t *testing.T, thought time.Duration, alone bool) *referenceserver.Server {
	t.Helper()
	config, about, err := referenceserver.Config("default", 1<<20, "")
	if err != nil {
		t.Fatal(err)
	}
	var busy sync.RWMutex
	config.Hooks = &server.Hooks{
		OptionReply: func(x *server.OptionExchange) {
			if x.Is(mystery) {
				busy.Lock()
				defer busy.Unlock()
				time.Sleep(thought)
			}
		},
		Greeting: func(*server.GreetingExchange) {
			if alone {
				busy.RLock()
				defer busy.RUnlock()
			}
		},
	}
	srv, err := referenceserver.New(about, func() server.Config { return config })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = srv.Close() })
	return srv
}

// Who answers others is not slow; who answers nobody may be.
func TestPatience(t *testing.T) {
	const thought, grace = 2 * time.Second, 30 * time.Second
	for name, tt := range map[string]struct {
		alone bool
		want  result.Verdict
	}{
		"others are served": {false, result.Hang},
		"nobody is served":  {true, result.Pass},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, err := Discover(t.Context(), thinking(t, thought, tt.alone), Options{Grace: grace, Timeout: 500 * time.Millisecond})
			if err != nil {
				t.Fatal(err)
			}
			start := time.Now()
			o := runner.Try(t.Context(), b, &spec.Spec{ID: "mystery", Body: func(ctx context.Context) {
				if a := Haggle(ctx).Option(mystery, nil); a.End != Complete {
					verdict.Fail(result.Because("mystery", a))
				}
			}})
			if took := time.Since(start); o.Verdict != tt.want || took > grace/2 {
				t.Errorf("%s after %v: %s", o.Verdict, took, o.Message())
			}
		})
	}
}
