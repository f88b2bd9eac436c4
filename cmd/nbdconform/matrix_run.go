package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"nbdconform/reports/evidence"
	"nbdconform/reports/matrix"
	"nbdconform/reports/result"
)

// A field runs the cells of a matrix, several at once, and keeps every result
// in a directory, so that what was interrupted goes on where it stopped.
type field struct {
	dir   string // of the results and their evidence, one directory for each cell
	room  int    // for recordings of the evidence of a cell, bytes
	jobs  int    // cells at once
	fresh bool   // no result of an earlier matrix will do
	show  overview
	judge func(context.Context, order) (result.Result, error)
}

// An overview shows how far the cells are.
type overview interface {
	plan(cells int)
	reused(name string)
	start(name string)
	done(name, how string)
	close()
}

// run returns the results in the order of the cells, and what could not be had.
// The longest cells come first, so that none is left alone in the end.
// An error means that the run was interrupted.
func (f *field) run(ctx context.Context, cells []cell) ([]result.Result, []matrix.Skip, error) {
	f.show.plan(len(cells))
	defer f.show.close()
	results := make([]*result.Result, len(cells))
	whys := make([]error, len(cells))
	queue := make(chan int)
	var workers sync.WaitGroup
	for range f.jobs {
		workers.Go(func() {
			for i := range queue {
				results[i], whys[i] = f.one(ctx, cells[i])
			}
		})
	}
	for _, i := range f.longestFirst(cells) {
		if ctx.Err() == nil {
			queue <- i
		}
	}
	close(queue)
	workers.Wait()
	if ctx.Err() != nil {
		return nil, nil, fmt.Errorf("interrupted: the same command goes on from what is in %s", f.dir)
	}
	var list []result.Result
	var skipped []matrix.Skip
	for i, r := range results {
		if whys[i] != nil {
			skipped = append(skipped, matrix.Skip{What: cells[i].title(), Why: whys[i].Error()})
			continue
		}
		list = append(list, beside(*r, path.Join(filepath.Base(f.dir), cells[i].file())))
	}
	return list, skipped, nil
}

// longestFirst are the indices of cells by how long they took the last time,
// with whatever suite. Of those that are new, servers that are known to leave
// clients waiting come first.
func (f *field) longestFirst(cells []cell) []int {
	took := make([]float64, len(cells))
	order := make([]int, len(cells))
	for i, c := range cells {
		order[i] = i
		if took[i] = f.took(c); took[i] == 0 && (c.Target == "nbd-server" || c.Profile == "tls-required") {
			took[i] = longWait
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(took[b], took[a]) })
	return order
}

// longWait is how long those take that leave clients waiting, in seconds.
const longWait = 40

// took is how long a cell took in an earlier matrix, in seconds, or 0.
func (f *field) took(c cell) float64 {
	b, err := os.ReadFile(filepath.Join(f.dir, c.file(), "result.json"))
	var r struct{ Seconds float64 }
	if err != nil || json.Unmarshal(b, &r) != nil {
		return 0
	}
	return r.Seconds
}

// beside is r with its evidence named from the directory above dir.
func beside(r result.Result, dir string) result.Result {
	r.Specs = slices.Clone(r.Specs)
	for i := range r.Specs {
		if s := &r.Specs[i]; s.Evidence != "" {
			s.Evidence = path.Join(dir, s.Evidence)
		}
	}
	return r
}

// one runs a cell, unless an earlier matrix has, and files the result.
func (f *field) one(ctx context.Context, c cell) (*result.Result, error) {
	dir := filepath.Join(f.dir, c.file())
	if r, ok := f.earlier(dir, c); ok {
		f.show.reused(c.title())
		return &r, nil
	}
	f.show.start(c.title())
	start := time.Now()
	c.Evidence, c.Room = dir, f.room
	r, err := f.judge(ctx, c.order)
	if err == nil && r.Exit() == exitUntrusted && ctx.Err() == nil { // what was disturbed is asked once more
		r, err = f.judge(ctx, c.order)
	}
	if err != nil {
		_ = evidence.Discard(dir)
		f.show.done(c.title(), "skipped: "+err.Error())
		return nil, err
	}
	f.show.done(c.title(), fmt.Sprintf("%s, %.0f s", r.Conclusion(), time.Since(start).Seconds()))
	if _, err := publish(dir, r); err != nil {
		return nil, err
	}
	return &r, nil
}

func (f *field) earlier(dir string, c cell) (result.Result, bool) {
	if f.fresh {
		return result.Result{}, false
	}
	file, err := os.Open(filepath.Join(dir, "result.json"))
	if err != nil {
		return result.Result{}, false
	}
	defer file.Close()
	r, err := result.Read(file)
	return r, err == nil && c.still(r)
}

// file is the directory of the cell's result.
func (c cell) file() string {
	if c.Client != nil {
		return c.Client.name()
	}
	return c.name()
}

// title names a cell in progress and in lists of what is missing.
func (c cell) title() string {
	s := c.subject()
	if c.Suite != "" {
		s += " " + c.Suite
	}
	if c.Profile != "" {
		s += ", " + c.Profile
	}
	return s
}

// quiet shows nothing of a run.
type quiet struct{}

func (quiet) step(string)             {}
func (quiet) plan(result.Target, int) {}
func (quiet) start(string)            {}
func (quiet) done(result.Spec)        {}
func (quiet) close()                  {}
