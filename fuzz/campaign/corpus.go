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

	"nbdconform/fuzz/recorded"
	"nbdconform/fuzz/script"
	"nbdconform/fuzz/session"
	"nbdconform/reports/render"
)

// corpusDir is the directory of the corpus, in that of a campaign.
const corpusDir = "corpus"

// reachedNote begins the comments of a file of the corpus that say what its script reached.
const reachedNote = "reached: "

// An entry is a script of the corpus.
type entry struct {
	script script.Script
	points []string
}

func (e entry) name() string {
	sum := sha256.Sum256([]byte(e.script.String()))
	return hex.EncodeToString(sum[:8]) + session.Extension
}

func (e entry) text() string {
	s := session.Saved{Script: e.script}
	for _, p := range e.points {
		s.Notes = append(s.Notes, reachedNote+p)
	}
	return s.String()
}

// A corpus is the scripts that reached something, in memory and in a directory.
type corpus struct {
	dir     string // "": in memory alone
	entries []entry
	points  map[string]bool
}

// openCorpus reads a directory, which need not be there.
func openCorpus(dir string) (*corpus, error) {
	c := &corpus{dir: dir, points: make(map[string]bool)}
	if dir == "" {
		return c, nil
	}
	list, err := readEntries(dir)
	if err != nil {
		return nil, err
	}
	for _, e := range list {
		c.entries = append(c.entries, e)
		for _, p := range e.points {
			c.points[p] = true
		}
	}
	return c, os.MkdirAll(dir, 0o777)
}

// readSeeds reads what a campaign is to start from: scripts and captures, in a
// directory or in a file, or the capture of an evidence bundle.
func readSeeds(path string) ([]entry, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, err
	}
	var captures []string
	if file, ok := recorded.Find(path); ok {
		captures = []string{file}
	} else {
		for _, e := range recorded.Extensions {
			more, err := filepath.Glob(filepath.Join(path, "*"+e))
			if err != nil {
				return nil, err
			}
			captures = append(captures, more...)
		}
	}
	var list []entry
	for _, file := range captures {
		s, _, err := recorded.Load(file)
		if err != nil {
			return nil, err
		}
		list = append(list, entry{script: recorded.Adapt(s)})
	}
	if len(captures) == 1 && captures[0] == path {
		return list, nil
	}
	scripts, err := readEntries(path)
	if list = append(list, scripts...); err == nil && len(list) == 0 {
		err = fmt.Errorf("%s has neither scripts (*%s) nor captures (*.pcapng, *.pcap)", path, session.Extension)
	}
	return list, err
}

// readEntries reads the scripts in a directory, or one file.
func readEntries(path string) (list []entry, err error) {
	files := []string{path}
	if info, err := os.Stat(path); err != nil || info.IsDir() {
		if files, err = filepath.Glob(filepath.Join(path, "*"+session.Extension)); err != nil {
			return nil, err
		}
	}
	slices.Sort(files)
	for _, f := range files {
		s, err := session.Load(f)
		if err != nil {
			return nil, err
		}
		e := entry{script: s.Script}
		for _, n := range s.Notes {
			if p, ok := strings.CutPrefix(n, reachedNote); ok {
				e.points = append(e.points, p)
			}
		}
		list = append(list, e)
	}
	return list, nil
}

// add keeps a script that reached points of which one at least is new. It
// reports whether it did.
func (c *corpus) add(s script.Script, points []string) (bool, error) {
	fresh := false
	for _, p := range points {
		if !c.points[p] {
			c.points[p], fresh = true, true
		}
	}
	if !fresh || len(s.Ops) == 0 {
		return false, nil
	}
	e := entry{s, points}
	c.entries = append(c.entries, e)
	return true, c.write(e)
}

func (c *corpus) write(e entry) error {
	if c.dir == "" {
		return nil
	}
	return render.Replace(filepath.Join(c.dir, e.name()), func(w io.Writer) error {
		_, err := io.WriteString(w, e.text())
		return err
	})
}

// pick is one of the scripts, the newest more often than others.
func (c *corpus) pick(r *rand.Rand) script.Script {
	n := len(c.entries)
	if n == 0 {
		return script.Script{}
	}
	const newest = 16
	if n > newest && r.IntN(2) == 0 {
		return c.entries[n-1-r.IntN(newest)].script
	}
	return c.entries[r.IntN(n)].script
}

// minimise lists the fewest and shortest scripts, by a greedy choice, that
// reach all that the entries do. It does not depend on their order.
func minimise(list []entry) (kept []entry) {
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b entry) int {
		return cmp.Or(cmp.Compare(len(a.script.Ops), len(b.script.Ops)), cmp.Compare(a.script.String(), b.script.String()))
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
