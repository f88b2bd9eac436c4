package campaign

import (
	"path/filepath"
	"slices"
	"strings"
	"time"

	"nbdconform/conformance/clause"
	"nbdconform/fuzz/internal/script"
	"nbdconform/fuzz/session"
	"nbdconform/reports/fuzzing"
)

// findingsDir is the directory of findings, in that of a campaign.
const findingsDir = "findings"

// leaking is how often a script is run that is said to leak something.
const leaking = 100

// patient is how much more patience a second look has.
const patient = 4

// triage deals with what a script showed.
func (c *campaign) triage(s script.Script, list []session.Finding) error {
	disturbed := false
	for _, f := range list {
		if c.ctx.Err() != nil {
			return nil
		}
		fresh, err := c.finding(s, f)
		if err != nil {
			return err
		}
		disturbed = disturbed || !fresh && disturbs(f)
	}
	if disturbed {
		return c.restart()
	}
	return nil
}

// disturbs reports whether a server that showed it is of no use any more.
func disturbs(f session.Finding) bool {
	return f.Kind == session.Crash || f.Kind == session.Unserved || f.Kind == Leak
}

func (c *campaign) restart() error {
	if c.ctx.Err() != nil {
		return nil
	}
	c.record.Restarts++
	c.recent = nil
	return c.Server.Fresh(c.ctx)
}

// finding counts a finding that there was, or looks into a new one, which
// leaves a fresh server behind.
func (c *campaign) finding(s script.Script, f session.Finding) (fresh bool, err error) {
	about := fuzzing.Finding{
		Signature: f.Signature(), Kind: string(f.Kind), Clause: string(f.Clause), About: f.Subject, Detail: f.Detail,
		Script: s.String(), Ops: len(s.Ops), Count: 1, First: time.Now().UTC(), FirstExec: c.record.Execs,
	}
	i := slices.IndexFunc(c.record.Findings, func(o fuzzing.Finding) bool { return o.Signature == about.Signature })
	if i >= 0 && (c.seen[about.Signature] || c.record.Findings[i].Count%8 != 0) {
		c.record.Findings[i].Count++
		return false, nil
	}
	if reason, ok := c.Known[about.Clause]; ok && excusable(f) {
		about.Standing, about.Reason = fuzzing.Known, reason
		c.note(about)
		return false, nil
	}
	return true, c.examine(s, f, about)
}

// excusable reports whether a known clause explains a finding. What harms is
// never excused.
func excusable(f session.Finding) bool {
	return f.Kind == session.Violation || f.Kind == session.Wrong || f.Kind == session.Hang
}

// advice reports whether a finding is against a SHOULD.
func advice(f session.Finding) bool {
	about, ok := clause.Get(f.Clause)
	return ok && about.Level != clause.Must && (f.Kind == session.Violation || f.Kind == session.Wrong)
}

func (c *campaign) note(f fuzzing.Finding) {
	c.record.AddFinding(f)
	if f.Standing != fuzzing.Unconfirmed {
		c.seen[f.Signature] = true
	}
}

// examine runs a script again that showed something new, shrinks and saves it.
func (c *campaign) examine(s script.Script, f session.Finding, about fuzzing.Finding) error {
	ours, err := c.ours(s, about.Signature)
	if err != nil {
		return err
	}
	again, ok, err := c.again(s, f, patient*c.Patience)
	if err != nil {
		return err
	}
	switch {
	case c.ctx.Err() != nil: // it will be found again
		return nil
	case ours:
		about.Standing = fuzzing.FuzzerError
	case !ok:
		about.Standing = fuzzing.Unconfirmed
	default:
		about.Standing = fuzzing.New
		if advice(f) {
			about.Standing = fuzzing.Warning
		}
		f = again
		if s, err = c.shrink(s, f); err != nil {
			return err
		}
		about.Detail, about.Script, about.Ops = f.Detail, s.String(), len(s.Ops)
	}
	if about.File, err = c.keep(s, f); err != nil {
		return err
	}
	c.note(about)
	return c.restart()
}

// ours reports whether the good reference server shows the same.
func (c *campaign) ours(s script.Script, signature string) (bool, error) {
	if c.Guide == nil {
		return false, nil
	}
	r, err := c.Guide.Run(c.ctx, s, Care{Patience: patient * c.Patience})
	_, same := r.Has(signature)
	return same, err
}

// again runs a script on a fresh server, and returns the finding if it is there again.
func (c *campaign) again(s script.Script, f session.Finding, patience time.Duration) (session.Finding, bool, error) {
	if err := c.restart(); err != nil {
		return f, false, err
	}
	return c.shows(s, f, patience)
}

// shows runs a script and returns the finding if it shows that. The server is of
// use afterwards.
func (c *campaign) shows(s script.Script, f session.Finding, patience time.Duration) (session.Finding, bool, error) {
	signature := f.Signature()
	seen := func(other string) bool { return other != signature && c.seen[other] }
	times := 1
	if f.Kind == Leak { // what one script leaks is little
		times = leaking
	}
	var r session.Result
	for range times {
		var err error
		r, err = c.Server.Run(c.ctx, s, Care{Patience: patience, Seen: seen})
		if err != nil || c.ctx.Err() != nil {
			return f, false, err
		}
	}
	var err error
	if outside := f.Kind == Complaint || f.Kind == Leak || f.Kind == session.Crash; outside && len(r.Findings) == 0 {
		r.Findings = c.Server.Look(c.ctx)
	}
	got, ok := r.Has(signature)
	if slices.ContainsFunc(r.Findings, func(f session.Finding) bool { return disturbs(f) || f.Kind == Complaint }) {
		err = c.restart() // a dead server would show the same to the next script, whatever that is
	}
	return got, ok, err
}

// budget is how long it may take to make a finding short, or to find out which
// script it goes back to: a tenth of the campaign, ten seconds at least unless
// the campaign is that short itself.
func (c *campaign) budget() time.Duration {
	least := min(max(c.Goal/2, time.Second), 10*time.Second)
	return min(max(c.Goal/10, least), time.Minute)
}

// shrink makes a script short that shows a finding, for a while. What earlier
// tries left on the server may be what shows: unless the result does so on a fresh
// server, each try gets one.
func (c *campaign) shrink(s script.Script, f session.Finding) (script.Script, error) {
	short, err := c.shorter(s, f, c.shows)
	if err != nil || c.ctx.Err() != nil || len(short.Ops) == len(s.Ops) {
		return short, err
	}
	if _, ok, err := c.again(short, f, c.Patience); ok || err != nil {
		return short, err
	}
	return c.shorter(s, f, c.again)
}

// shorter makes a script short, as long as try says that it shows the finding.
func (c *campaign) shorter(s script.Script, f session.Finding,
	try func(script.Script, session.Finding, time.Duration) (session.Finding, bool, error),
) (script.Script, error) {
	const tries = 500
	end := time.Now().Add(c.budget())
	var failed error
	short := script.Shrink(s, tries, func(s script.Script) bool {
		if failed != nil || c.ctx.Err() != nil || time.Now().After(end) {
			return false
		}
		_, ok, err := try(s, f, c.Patience)
		failed = err
		return ok && err == nil
	})
	return short, failed
}

// keep saves a finding, with a reproducer made of another, recorded run.
func (c *campaign) keep(s script.Script, f session.Finding) (string, error) {
	if c.Dir == "" || c.ctx.Err() != nil {
		return "", nil
	}
	if err := c.restart(); err != nil {
		return "", err
	}
	signature := f.Signature()
	r, err := c.Server.Run(c.ctx, s, Care{
		Patience: c.Patience, Record: true,
		Seen: func(other string) bool { return other != signature && c.seen[other] },
	})
	if err != nil {
		return "", err
	}
	if p := c.Subject.Profile; p != "" && p != "default" {
		s.Profile = p
	}
	path, err := session.Save(filepath.Join(c.Dir, findingsDir), s, f, "", r.Events)
	if err != nil {
		return "", err
	}
	rel, err := filepath.Rel(c.Dir, path)
	return strings.ReplaceAll(rel, string(filepath.Separator), "/"), err
}

// look looks at the server from outside. What it finds goes back to one of the
// scripts since the last look: they are tried one by one, the newest first.
func (c *campaign) look() error {
	defer func() { c.recent, c.looked = nil, time.Now() }()
	suspects := c.recent
	list := c.Server.Look(c.ctx)
	if len(list) == 0 || len(suspects) == 0 {
		return nil
	}
	for _, f := range list {
		s, err := c.blame(suspects, f)
		if err != nil {
			return err
		}
		if _, err := c.finding(s, f); err != nil || c.ctx.Err() != nil {
			return err
		}
	}
	return c.restart()
}

// blame returns the suspect that shows a finding, or the last.
func (c *campaign) blame(suspects []script.Script, f session.Finding) (script.Script, error) {
	last := suspects[len(suspects)-1]
	if c.seen[f.Signature()] {
		return last, nil
	}
	end := time.Now().Add(c.budget())
	for i := len(suspects) - 1; i >= 0 && time.Now().Before(end); i-- {
		if _, ok, err := c.again(suspects[i], f, c.Patience); err != nil || ok || c.ctx.Err() != nil {
			return suspects[i], err
		}
	}
	return last, nil
}
