package matrix

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"time"

	"nbdconform/cmd/nbdconform/internal/console"
	judged "nbdconform/cmd/nbdconform/internal/runs"
	"nbdconform/reports/evidence"
	report "nbdconform/reports/matrix"
	"nbdconform/reports/result"
)

// runs runs the cells of a matrix, several at once, and keeps every result in a
// directory, so that what was interrupted goes on where it stopped.
type runs struct {
	Store
	dir   string // of the results and their evidence, one directory for each cell
	room  int    // for recordings of the evidence of a cell, bytes
	jobs  int    // cells at once
	show  console.Overview
	judge Judge
}

// run returns the results in the order of the cells, and what is missing. The
// longest cells come first, so that none is alone in the end. An error means
// that the run was interrupted.
func (r *runs) run(ctx context.Context, cells []cell) ([]result.Result, []report.Skip, error) {
	r.show.Plan(len(cells))
	defer r.show.Close()
	results := make([]*result.Result, len(cells))
	whys := make([]error, len(cells))
	each(ctx, r.jobs, r.longestFirst(cells), func(i int) { results[i], whys[i] = r.one(ctx, cells[i]) })
	if ctx.Err() != nil {
		return nil, nil, interrupted(r.dir)
	}
	var list []result.Result
	var skipped []report.Skip
	for i, one := range results {
		if whys[i] != nil {
			skipped = append(skipped, report.Skip{What: cells[i].title(), Why: whys[i].Error()})
			continue
		}
		list = append(list, beside(*one, path.Join(filepath.Base(r.dir), cells[i].file())))
	}
	return list, skipped, nil
}

// interrupted says how to go on from what is in a directory.
func interrupted(dir string) error {
	return fmt.Errorf("interrupted: the same command goes on from what is in %s", dir)
}

// longestFirst are the indices of cells by how long they took the last time,
// with any suite. Of those that are new, slow ones come first.
func (r *runs) longestFirst(cells []cell) []int {
	took := make([]float64, len(cells))
	order := make([]int, len(cells))
	for i, c := range cells {
		order[i] = i
		if took[i] = r.took(c); took[i] == 0 && c.slow {
			took[i] = slowSeconds
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(took[b], took[a]) })
	return order
}

// slowSeconds is how long a slow cell takes.
const slowSeconds = 40

// took is how long a cell took in an earlier matrix, in seconds, or 0.
func (r *runs) took(c cell) float64 {
	var last struct{ Seconds float64 }
	if read(filepath.Join(r.dir, c.file(), resultFile), &last) != nil {
		return 0
	}
	return last.Seconds
}

// one runs a cell, unless an earlier matrix has, and files the result.
func (r *runs) one(ctx context.Context, c cell) (*result.Result, error) {
	dir := filepath.Join(r.dir, c.file())
	if last, ok := r.earlier(dir, c); ok {
		r.show.Reused(c.title())
		return &last, nil
	}
	r.show.Start(c.title())
	start := time.Now()
	c.EvidenceDir, c.EvidenceRoom = dir, r.room
	got, err := r.judge(ctx, c.Job)
	if err == nil && len(got.Doubts()) > 0 && ctx.Err() == nil { // once more what was disturbed
		got, err = r.judge(ctx, c.Job)
	}
	if err != nil {
		_ = evidence.Discard(dir)
		r.show.Done(c.title(), "skipped: "+err.Error())
		return nil, err
	}
	r.show.Done(c.title(), fmt.Sprintf("%s, %.0f s", got.Conclusion(), time.Since(start).Seconds()))
	if _, err := judged.Publish(dir, got); err != nil {
		return nil, err
	}
	return &got, nil
}

// resultFile has the result in the directory of a cell.
const resultFile = "result.json"

func (r *runs) earlier(dir string, c cell) (result.Result, bool) {
	if r.Fresh {
		return result.Result{}, false
	}
	file, err := os.Open(filepath.Join(dir, resultFile))
	if err != nil {
		return result.Result{}, false
	}
	defer func() { _ = file.Close() }()
	last, err := result.Read(file)
	return last, err == nil && c.yields(last, r.Store)
}
