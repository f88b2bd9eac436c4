package campaign

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"nbdconform/reports/fuzzing"
	"nbdconform/reports/render"
)

// Load reads the record of the campaign in a directory; found is false if
// there is none.
func Load(dir string) (r fuzzing.Record, found bool, err error) {
	if dir == "" {
		return r, false, nil
	}
	f, err := os.Open(filepath.Join(dir, fuzzing.File))
	if errors.Is(err, os.ErrNotExist) {
		return r, false, nil
	}
	if err != nil {
		return r, false, err
	}
	defer f.Close()
	if r, err = fuzzing.Read(f); err != nil {
		return r, false, fmt.Errorf("%s: %w", f.Name(), err)
	}
	return r, true, nil
}

// Store writes a record into the directory of its campaign: a reader sees the
// old one or the new one and never half.
func Store(dir string, r fuzzing.Record) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	return render.Replace(filepath.Join(dir, fuzzing.File), func(w io.Writer) error { return fuzzing.Write(w, r) })
}
