package campaign

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"nbdconform/reports/fuzzing"
)

// Merge makes one campaign of those in some directories, in another one. The
// corpus is minimised.
func Merge(out string, dirs []string) (fuzzing.Record, error) {
	var records []fuzzing.Record
	owner := make(map[string]string) // directory by script of a finding
	for _, d := range dirs {
		r, found, err := Load(d)
		if err != nil {
			return r, err
		}
		if !found {
			return r, fmt.Errorf("%s has no campaign (%s)", d, fuzzing.File)
		}
		records = append(records, r)
		for _, f := range r.Findings {
			owner[f.Signature+"\n"+f.Script] = d
		}
	}
	m, err := fuzzing.Merge(records)
	if err != nil {
		return m, err
	}
	if m.Corpus, err = mergeCorpora(scriptForm, out, dirs); err != nil {
		return m, err
	}
	faults, err := mergeCorpora(faultForm, out, dirs)
	if err != nil {
		return m, err
	}
	m.Corpus += faults // one of them is empty
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

// mergeCorpora writes what the inputs of one form in some campaigns reach into
// another campaign, in as few of them as possible, and returns how many those are.
func mergeCorpora[S fmt.Stringer](f form[S], out string, dirs []string) (int, error) {
	var all []entry[S]
	for _, d := range dirs {
		list, err := f.read(filepath.Join(d, corpusDir))
		if err != nil {
			return 0, err
		}
		all = append(all, list...)
	}
	c := &corpus[S]{form: f, dir: filepath.Join(out, corpusDir)}
	if err := emptied(c.dir, f.extension); err != nil {
		return 0, err
	}
	kept := f.minimise(all)
	for _, e := range kept {
		if err := c.write(e); err != nil {
			return 0, err
		}
	}
	return len(kept), nil
}

// emptied makes a directory without files of that extension.
func emptied(dir, extension string) error {
	old, err := filepath.Glob(filepath.Join(dir, "*"+extension))
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

// copyFinding copies the script, or fault script, and the reproducer of a finding.
func copyFinding(from, to, file string) error {
	if !filepath.IsLocal(file) {
		return fmt.Errorf("%s: the file of a finding is outside of its campaign: %s", from, file)
	}
	if err := os.MkdirAll(filepath.Dir(filepath.Join(to, file)), 0o777); err != nil {
		return err
	}
	for _, name := range []string{file, strings.TrimSuffix(file, filepath.Ext(file)) + ".py"} {
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
