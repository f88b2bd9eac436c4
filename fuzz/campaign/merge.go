package campaign

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"nbdconform/fuzz/session"
	"nbdconform/reports/fuzzing"
)

// Merge makes one campaign of those in some directories, in another one. The
// corpus is minimised.
func Merge(out string, dirs []string) (fuzzing.Record, error) {
	var records []fuzzing.Record
	var all []entry
	owner := make(map[string]string) // directory by script of a finding
	for _, d := range dirs {
		r, found, err := Load(d)
		if err != nil {
			return r, err
		}
		if !found {
			return r, fmt.Errorf("%s has no campaign (%s)", d, fuzzing.File)
		}
		list, err := readEntries(filepath.Join(d, corpusDir))
		if err != nil {
			return r, err
		}
		all = append(all, list...)
		records = append(records, r)
		for _, f := range r.Findings {
			owner[f.Signature+"\n"+f.Script] = d
		}
	}
	m, err := fuzzing.Merge(records)
	if err != nil {
		return m, err
	}
	kept := minimise(all)
	m.Corpus = len(kept)
	c := &corpus{dir: filepath.Join(out, corpusDir)}
	if err := emptied(c.dir); err != nil {
		return m, err
	}
	for _, e := range kept {
		if err := c.write(e); err != nil {
			return m, err
		}
	}
	for _, f := range m.Findings {
		if f.File == "" {
			continue
		}
		if err := copyFinding(owner[f.Signature+"\n"+f.Script], out, f.File); err != nil {
			return m, err
		}
	}
	return m, Store(out, m)
}

// emptied makes a directory without scripts.
func emptied(dir string) error {
	old, err := filepath.Glob(filepath.Join(dir, "*"+session.Extension))
	if err != nil {
		return err
	}
	for _, f := range old {
		if err := os.Remove(f); err != nil {
			return err
		}
	}
	return os.MkdirAll(dir, 0o777)
}

// copyFinding copies the script and the reproducer of a finding.
func copyFinding(from, to, file string) error {
	if !filepath.IsLocal(file) {
		return fmt.Errorf("%s: the file of a finding is outside of its campaign: %s", from, file)
	}
	if err := os.MkdirAll(filepath.Dir(filepath.Join(to, file)), 0o777); err != nil {
		return err
	}
	for _, name := range []string{file, strings.TrimSuffix(file, session.Extension) + ".py"} {
		text, err := os.ReadFile(filepath.Join(from, name))
		if errors.Is(err, os.ErrNotExist) {
			continue // within TLS there is no reproducer
		}
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(to, name), text, 0o777); err != nil {
			return err
		}
	}
	return nil
}
