package campaign

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"nbdconform/fuzz/internal/fromcapture"
	"nbdconform/fuzz/internal/script"
	"nbdconform/fuzz/session"
	"nbdconform/reports/render"
)

// corpusDir is the directory of the corpus, in that of a campaign.
const corpusDir = "corpus"

// reachedNote begins the comments of a file of the corpus that say what its script reached.
const reachedNote = "reached: "

// A form is how inputs are kept: scripts, or fault scripts.
type form[S fmt.Stringer] struct {
	extension string // of file names
	old       string // extension that earlier versions used; "": none
	parse     func(text string) (S, error)
	length    func(S) int // in operations
}

var scriptForm = form[script.Script]{session.Extension, "", script.Parse, func(s script.Script) int { return len(s.Ops) }}

var faultForm = form[FaultScript]{FaultExtension, oldFaultExtension, ParseFaults, func(m FaultScript) int { return len(m.Faults) }}

// An entry is an input of the corpus.
type entry[S fmt.Stringer] struct {
	input  S
	points []string
}

func (f form[S]) name(e entry[S]) string {
	sum := sha256.Sum256([]byte(e.input.String()))
	return hex.EncodeToString(sum[:8]) + f.extension
}

func (e entry[S]) text() string {
	var h session.Header
	for _, p := range e.points {
		h.Notes = append(h.Notes, reachedNote+p)
	}
	return h.String() + e.input.String()
}

// A corpus is the inputs that reached something, in memory and in a directory.
type corpus[S fmt.Stringer] struct {
	form    form[S]
	dir     string // "": in memory alone
	entries []entry[S]
	points  map[string]bool
}

// openCorpus reads that of the campaign in a directory, which need not be there.
func openCorpus[S fmt.Stringer](f form[S], campaign string) (*corpus[S], error) {
	c := &corpus[S]{form: f, points: make(map[string]bool)}
	if campaign == "" {
		return c, nil
	}
	c.dir = filepath.Join(campaign, corpusDir)
	list, err := f.read(c.dir)
	if err != nil {
		return nil, err
	}
	for _, e := range list {
		c.entries = append(c.entries, e)
		for _, p := range e.points {
			c.points[p] = true
		}
	}
	return c, os.MkdirAll(c.dir, 0o777)
}

// readSeeds reads what a campaign is to start from: scripts and captures, in a
// directory or in a file, or the capture of an evidence bundle.
func readSeeds(path string) ([]entry[script.Script], error) {
	if _, err := os.Stat(path); err != nil {
		return nil, err
	}
	var captures []string
	if file, ok := fromcapture.Find(path); ok {
		captures = []string{file}
	} else {
		for _, e := range fromcapture.Extensions {
			more, err := filepath.Glob(filepath.Join(path, "*"+e))
			if err != nil {
				return nil, err
			}
			captures = append(captures, more...)
		}
	}
	var list []entry[script.Script]
	for _, file := range captures {
		s, _, err := fromcapture.Load(file)
		if err != nil {
			return nil, err
		}
		list = append(list, entry[script.Script]{input: fromcapture.Adapt(s)})
	}
	if len(captures) == 1 && captures[0] == path {
		return list, nil
	}
	scripts, err := scriptForm.read(path)
	if list = append(list, scripts...); err == nil && len(list) == 0 {
		err = fmt.Errorf("%s has neither scripts (*%s) nor captures (*.pcapng, *.pcap)", path, session.Extension)
	}
	return list, err
}

// read reads the inputs in a directory, or one file.
func (f form[S]) read(path string) (list []entry[S], err error) {
	files := []string{path}
	if info, err := os.Stat(path); err != nil || info.IsDir() {
		files = nil
		for _, e := range []string{f.extension, f.old} {
			if e == "" {
				continue
			}
			more, err := filepath.Glob(filepath.Join(path, "*"+e))
			if err != nil {
				return nil, err
			}
			files = append(files, more...)
		}
	}
	slices.Sort(files)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		e := entry[S]{}
		if e.input, err = f.parse(string(text)); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		for _, n := range session.ParseHeader(string(text)).Notes {
			if p, ok := strings.CutPrefix(n, reachedNote); ok {
				e.points = append(e.points, p)
			}
		}
		list = append(list, e)
	}
	return list, nil
}

// add keeps an input that reached points of which one at least is new. It
// reports whether it did.
func (c *corpus[S]) add(input S, points []string) (bool, error) {
	fresh := false
	for _, p := range points {
		if !c.points[p] {
			c.points[p], fresh = true, true
		}
	}
	if !fresh || c.form.length(input) == 0 {
		return false, nil
	}
	e := entry[S]{input, points}
	c.entries = append(c.entries, e)
	return true, c.write(e)
}

func (c *corpus[S]) write(e entry[S]) error {
	if c.dir == "" {
		return nil
	}
	return render.Replace(filepath.Join(c.dir, c.form.name(e)), func(w io.Writer) error {
		_, err := io.WriteString(w, e.text())
		return err
	})
}

// pick is one of the inputs, the newest more often than others.
func (c *corpus[S]) pick(r *rand.Rand) (none S) {
	n := len(c.entries)
	if n == 0 {
		return none
	}
	const newest = 16
	if n > newest && r.IntN(2) == 0 {
		return c.entries[n-1-r.IntN(newest)].input
	}
	return c.entries[r.IntN(n)].input
}

// minimise lists the fewest and shortest inputs, by a greedy choice, that
// reach all that the entries do. It does not depend on their order.
func (f form[S]) minimise(list []entry[S]) (kept []entry[S]) {
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b entry[S]) int {
		return cmp.Or(cmp.Compare(f.length(a.input), f.length(b.input)), cmp.Compare(a.input.String(), b.input.String()))
	})
	missing := make(map[string]bool)
	for _, e := range list {
		for _, p := range e.points {
			missing[p] = true
		}
	}
	for len(missing) > 0 {
		best, most := -1, 0
		for i, e := range list {
			n := 0
			for _, p := range e.points {
				if missing[p] {
					n++
				}
			}
			if n > most {
				best, most = i, n
			}
		}
		for _, p := range list[best].points {
			delete(missing, p)
		}
		kept = append(kept, list[best])
		list = slices.Delete(list, best, best+1)
	}
	return kept
}
