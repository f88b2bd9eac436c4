package score

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"nbdconform/fuzz/internal/script"
	"nbdconform/fuzz/session"
	serverquirk "nbdconform/reference/quirk/server"
)

// Options say how hard to try. The zero value of each is a sensible default.
type Options struct {
	Match   string        // only quirks whose name contains it
	Budget  time.Duration // for each quirk; 0: one minute
	Workers int           // quirks at the same time; 0: 2
	First   uint64        // number of the first script
	Done    func(Row)     // is called for each quirk, by one goroutine at a time; nil: nobody is
}

// A Row is what came of one quirk.
type Row struct {
	Quirk       serverquirk.Quirk
	Unreachable string // why nothing was tried; "" otherwise
	Found       bool
	Took        time.Duration   // until it was found, or given up
	Scripts     int             // that were run by then
	Finding     session.Finding // as it shows with Script
	Script      script.Script   // shrunk
	Err         error           // the fuzzer's own: the good server shows the same, or nothing runs
}

// Patience of the first look, and of the second where something seems to hang.
const (
	firstPatience  = 400 * time.Millisecond
	secondPatience = 4 * time.Second
)

// Run plants every breaking quirk and looks for it. Rows come in the order of
// the names.
func Run(ctx context.Context, o Options) ([]Row, error) {
	if o.Budget <= 0 {
		o.Budget = time.Minute
	}
	rows := choose(o)
	if len(rows) == 0 {
		return nil, fmt.Errorf("no breaking quirk has %q in its name: nothing was measured", o.Match)
	}
	var mu sync.Mutex // one call of Done at a time
	var group errgroup.Group
	group.SetLimit(max(o.Workers, 2))
	for i := range rows {
		r := &rows[i]
		group.Go(func() error {
			if r.Unreachable == "" {
				r.search(ctx, o)
			}
			mu.Lock()
			defer mu.Unlock()
			if o.Done != nil {
				o.Done(*r)
			}
			return nil // what goes wrong is in the row
		})
	}
	_ = group.Wait()
	return rows, ctx.Err()
}

// choose lists the quirks that o is about.
func choose(o Options) (rows []Row) {
	for _, q := range serverquirk.All() {
		if !q.Allowed && strings.Contains(q.Name, o.Match) {
			rows = append(rows, Row{Quirk: q, Unreachable: Unreachable(q)})
		}
	}
	return rows
}

// Count is how many rows Run makes.
func Count(o Options) int { return len(choose(o)) }

// search runs scripts until the quirk is found or the budget is spent.
func (r *Row) search(ctx context.Context, o Options) {
	start := time.Now()
	defer func() {
		if !r.Found {
			r.Took = time.Since(start)
		}
	}()
	for n := o.First; time.Since(start) < o.Budget && ctx.Err() == nil; n++ {
		r.Scripts++
		s := Script(n)
		f, err := look(ctx, s, r.Quirk.Name)
		if err != nil {
			r.Err = err
			return
		}
		if f == nil {
			continue
		}
		good, err := look(ctx, s, "")
		if err == nil && good != nil {
			err = fmt.Errorf("script %d: the good server shows %v\n%v", n, good, s)
		}
		if err != nil {
			r.Err = err
			return
		}
		r.Found, r.Took = true, time.Since(start)
		r.Finding, r.Script = *f, s
		r.shrink(ctx)
		return
	}
}

// Script is the script with a number: short ones, and now and then a long one.
func Script(n uint64) script.Script {
	o := script.Options{Profiles: session.Profiles()}
	switch n % 8 {
	case 3:
		o.Length = 60
	case 7:
		o.Length = 200
	}
	return script.Generate(n, o)
}

// look runs a script and returns the first finding, or nil. What seems to hang
// is looked at again, with more patience.
func look(ctx context.Context, s script.Script, name string) (*session.Finding, error) {
	f, err := once(ctx, s, name, firstPatience)
	if f != nil && f.Kind == session.Hang && err == nil {
		f, err = once(ctx, s, name, secondPatience)
	}
	return f, err
}

func once(ctx context.Context, s script.Script, name string, patience time.Duration) (*session.Finding, error) {
	r, err := session.Reference(s.Profile, name)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	r.Patience = patience
	result := session.Run(ctx, s, &r.Target)
	if len(result.Findings) == 0 {
		return nil, nil
	}
	return &result.Findings[0], nil
}

// shrink makes the script short, for a few seconds at most.
func (r *Row) shrink(ctx context.Context) {
	const tries, limit = 1000, 5 * time.Second
	end := time.Now().Add(limit)
	signature := r.Finding.Signature()
	r.Script = script.Shrink(r.Script, tries, func(s script.Script) bool {
		if time.Now().After(end) {
			return false
		}
		f, err := once(ctx, s, r.Quirk.Name, firstPatience)
		if err != nil || f == nil || f.Signature() != signature {
			return false
		}
		r.Finding = *f
		return true
	})
}

// Save writes what was found into a directory, see [session.Save].
func Save(ctx context.Context, dir string, rows []Row) error {
	for _, row := range rows {
		if !row.Found {
			continue
		}
		r, err := session.Reference(row.Script.Profile, row.Quirk.Name)
		if err != nil {
			return err
		}
		r.Patience, r.Record = firstPatience, true
		result := session.Run(ctx, row.Script, &r.Target)
		r.Close()
		if f, ok := result.Has(row.Finding.Signature()); ok {
			if _, err := session.Save(dir, row.Script, f, row.Quirk.Name, result.Events); err != nil {
				return err
			}
		}
	}
	return nil
}
