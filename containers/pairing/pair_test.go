package pairing

import (
	"context"
	"os"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"nbdconform/conformance/subject"
	"nbdconform/reference/starttls"
	"nbdconform/reports/matrix"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func reference(t *testing.T) *Server {
	t.Helper()
	s, err := OpenServer(t.Context(), Reference, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func own(t *testing.T) *Client {
	t.Helper()
	c, err := OpenClient(t.Context(), Reference, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func outcomes(t *testing.T, p Pair) map[matrix.Operation]Result {
	t.Helper()
	list, err := p.Do(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	m := map[matrix.Operation]Result{}
	for _, r := range list {
		m[r.Operation] = r
	}
	return m
}

func TestTheReferenceWorksWithItself(t *testing.T) {
	t.Parallel()
	for a, r := range outcomes(t, Pair{Client: own(t), Server: reference(t)}) {
		if a == matrix.TLSKey && r.Outcome == matrix.Unable && !starttls.BuiltWithGnuTLS {
			continue
		}
		if r.Outcome != matrix.Works {
			t.Errorf("%s: %s: %s", a, r.Outcome, r.Detail)
		}
	}
}

// An altered client changes what the reference client does and reports.
type altered struct {
	subject.Client
	alter func(t subject.Task, do func(subject.Task) subject.Report) subject.Report
}

func (l altered) Do(ctx context.Context, t subject.Task) (subject.Report, error) {
	var err error
	r := l.alter(t, func(t subject.Task) (r subject.Report) {
		r, err = l.Client.Do(ctx, t)
		return r
	})
	return r, err
}

func TestWrongReportsAreDetected(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		operation matrix.Operation
		outcome   matrix.Outcome
		detail    string
		alter     func(t subject.Task, do func(subject.Task) subject.Report) subject.Report
	}{
		"it does nothing": {matrix.Connect, matrix.Corrupt, "its output can't be read", func(subject.Task, func(subject.Task) subject.Report) subject.Report {
			return subject.Report{}
		}},
		"it prints what it knew": {matrix.Connect, matrix.Broken, "no connection was observed", func(subject.Task, func(subject.Task) subject.Report) subject.Report {
			return subject.Report{Stdout: "size 8388608"}
		}},
		"another size": {matrix.Connect, matrix.Corrupt, "the size is 1048576, expected 8388608", func(k subject.Task, do func(subject.Task) subject.Report) subject.Report {
			k.Server.Export = "spare"
			return do(k)
		}},
		"an export too few": {matrix.List, matrix.Corrupt, `it does not list "spare"`, func(k subject.Task, do func(subject.Task) subject.Report) subject.Report {
			r := do(k)
			r.Stdout, _, _ = strings.Cut(r.Stdout, "spare")
			return r
		}},
		"data as zeroes": {matrix.Map, matrix.Corrupt, "are zero, and they are not", func(k subject.Task, do func(subject.Task) subject.Report) subject.Report {
			r := do(k)
			r.Stdout = strings.ReplaceAll(r.Stdout, " 0\n", " 3\n")
			return r
		}},
		"a map with a gap": {matrix.Map, matrix.Corrupt, "the map has an extent", func(k subject.Task, do func(subject.Task) subject.Report) subject.Report {
			r := do(k)
			_, r.Stdout, _ = strings.Cut(r.Stdout, "\n")
			return r
		}},
		"a wrong byte": {matrix.CopyOut, matrix.Corrupt, "differs first at byte 77", func(k subject.Task, do func(subject.Task) subject.Report) subject.Report {
			r := do(k)
			b, _ := os.ReadFile(k.File)
			b[77]++
			_ = os.WriteFile(k.File, b, 0o600)
			return r
		}},
		"nothing copied": {matrix.CopyIn, matrix.Corrupt, "the export differs first", func(subject.Task, func(subject.Task) subject.Report) subject.Report {
			return subject.Report{}
		}},
		"finds no difference": {matrix.Compare, matrix.Corrupt, "no difference where one was planted", func(k subject.Task, do func(subject.Task) subject.Report) subject.Report {
			r := do(k)
			r.Exit = ""
			return r
		}},
		"zeroes nothing": {matrix.Zero, matrix.Corrupt, "the export differs first", func(k subject.Task, do func(subject.Task) subject.Report) subject.Report {
			k.Operation = subject.Info
			return do(k)
		}},
		"zeroes too much": {matrix.Zero, matrix.Corrupt, "the export differs first", func(k subject.Task, do func(subject.Task) subject.Report) subject.Report {
			k.Length += 512
			return do(k)
		}},
		"discards too much": {matrix.Discard, matrix.Corrupt, "the export differs first", func(k subject.Task, do func(subject.Task) subject.Report) subject.Report {
			k.Length += 8192
			return do(k)
		}},
		"discards nothing": {matrix.Discard, matrix.Degraded, "sent no NBD_CMD_TRIM", func(k subject.Task, do func(subject.Task) subject.Report) subject.Report {
			k.Operation = subject.Info
			return do(k)
		}},
		"does without TLS": {matrix.TLS, matrix.Broken, "NBD_REP_ERR_TLS_REQD", func(k subject.Task, do func(subject.Task) subject.Report) subject.Report {
			k.Server.TLS = subject.NoTLS
			return do(k)
		}},
		"does without a key": {matrix.TLSKey, matrix.Broken, "NBD_REP_ERR_TLS_REQD", func(k subject.Task, do func(subject.Task) subject.Report) subject.Report {
			k.Server.TLS = subject.NoTLS
			return do(k)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if c.operation == matrix.TLSKey && !starttls.BuiltWithGnuTLS {
				t.Skip("built without pre-shared keys")
			}
			client := own(t)
			client.Client = altered{client.Client, c.alter}
			p := Pair{Client: client, Server: reference(t)}
			r, err := p.attempt(t.Context(), c.operation)
			if err != nil || r.Outcome != c.outcome || !strings.Contains(r.Detail, c.detail) {
				t.Errorf("%s: %s, %v; want %s: %s", r.Outcome, r.Detail, err, c.outcome, c.detail)
			}
		})
	}
}
