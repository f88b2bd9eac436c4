package render

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"nbdconform/reports/result"
)

// All writes every form of r into dir, which it makes if need be, and returns
// the paths, one for each of [Formats]. Each file is
// written beside its place and then renamed into it, so that a reader sees the
// old one or the new one and never half. An error leaves the files before it
// in place; result.json, which the others can be made from, comes first.
func All(dir string, r result.Result) ([]string, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("making report directory: %w", err)
	}
	var paths []string
	for _, f := range Formats() {
		path := filepath.Join(dir, f.File)
		if err := Replace(path, func(w io.Writer) error { return f.Write(w, r) }); err != nil {
			return paths, fmt.Errorf("writing %s: %w", f.File, err)
		}
		paths = append(paths, path)
	}
	return paths, nil
}

// Replace writes a file through a temporary one in the same directory.
func Replace(path string, write func(io.Writer) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close() // a second close is harmless
			os.Remove(f.Name())
		}
	}()
	if err := write(f); err != nil {
		return err
	}
	if err := f.Chmod(0o644); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
