package campaign

import (
	"context"
	"testing"
	"time"

	"nbdconform/conformance/subject"
	"nbdconform/conformance/subject/referenceclient"
	"nbdconform/reports/fuzzing"
)

// A boaster reports success whatever happens.
type boaster struct{ subject.Client }

func (b boaster) Do(ctx context.Context, t subject.Task) (subject.Report, error) {
	r, err := b.Client.Do(ctx, t)
	r.Exit = ""
	return r, err
}

func TestClients(t *testing.T) {
	t.Parallel()
	good, err := referenceclient.Open("")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = good.Close() }()
	for _, tt := range []struct {
		name string
		c    subject.Client
		want int
	}{{"a client that is in order", good, 0}, {"one that boasts", boaster{good}, 1}} {
		r, err := runClients(t, tt.c, tt.name, func(r fuzzing.Record) bool { return r.Execs >= 3 && r.Exit() == tt.want })
		if err != nil || r.Exit() != tt.want || r.Execs < 3 {
			t.Errorf("%s: exit %d, want %d: %v: %s %+v", tt.name, r.Exit(), tt.want, err, r.Conclusion(), r.Findings)
		}
	}
}

// runClients runs a campaign on c until the record is enough, for a minute at
// most: the number of runs a second depends on the machine.
func runClients(t *testing.T, c subject.Client, name string, enough func(fuzzing.Record) bool) (r fuzzing.Record, err error) {
	dir := t.TempDir()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); {
		r, err = RunClient(t.Context(), ClientOptions{Client: Client{Program: c}, Options: Options{
			Subject: fuzzing.Subject{Kind: "client", Name: name}, Dir: dir, Goal: 1500 * time.Millisecond, Seed: 1,
		}})
		if err != nil || enough(r) {
			break
		}
	}
	return r, err
}
