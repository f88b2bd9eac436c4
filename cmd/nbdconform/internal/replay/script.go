package replay

import (
	"context"
	"fmt"
	"strings"

	"nbdconform/cmd/nbdconform/internal/console"
	"nbdconform/cmd/nbdconform/internal/job"
	"nbdconform/fuzz/session"
)

// script runs a script of the fuzzer's, on the reference server if none is
// named, with the quirk that the file names if none is given.
func (r *Request) script(ctx context.Context, path string, saved session.Saved) (int, error) {
	if err := r.Check(); err != nil {
		return 0, err
	}
	if r.URI != "" && saved.Script.Writes() && !r.Destructive {
		return 0, fmt.Errorf("%s may change the export: --destructive allows that", path)
	}
	t, done, err := r.target(ctx, saved)
	if err != nil {
		return 0, err
	}
	defer done()
	got := session.Run(ctx, saved.Script, &t)
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	for _, f := range got.Findings {
		fmt.Fprintf(r.Out, "%v\n%s\n", f, console.Indented(strings.TrimSpace(f.Transcript)))
	}
	_, again := got.Has(saved.Finding)
	return r.conclude(saved.Finding, again, len(got.Findings), fmt.Sprintf("nothing found, %d requests were answered", got.Requests)), nil
}

// target starts, or finds, what a script runs on.
func (r *Request) target(ctx context.Context, saved session.Saved) (session.Target, func(), error) {
	if r.Target != job.Reference {
		t, err := r.Open(ctx, r.step)
		if err != nil {
			return session.Target{}, nil, err
		}
		return session.Of(t), func() { _ = t.Close() }, nil
	}
	profile, quirk := r.Profile, r.Quirk
	if profile == "" {
		profile = saved.Script.Profile
	}
	if !r.Given("quirk") {
		quirk = saved.Quirk
	}
	own, err := session.Reference(profile, quirk)
	if err != nil {
		return session.Target{}, nil, err
	}
	return own.Target, own.Close, nil
}
