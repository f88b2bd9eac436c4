package campaigns

import (
	"fmt"
	"path/filepath"
	"slices"
)

// Distinct is an error if two names are of one directory: a merge would count
// it twice, or write over what it reads.
func Distinct(out string, dirs []string) error {
	seen := make(map[string]bool)
	for _, d := range append(slices.Clone(dirs), out) {
		real, err := filepath.Abs(d)
		if err != nil {
			return err
		}
		if r, err := filepath.EvalSymlinks(real); err == nil {
			real = r
		}
		switch {
		case seen[real] && d == out:
			return fmt.Errorf("--out %s is one of the directories to merge: name another", out)
		case seen[real]:
			return fmt.Errorf("%s is named twice, and would be counted twice", d)
		}
		seen[real] = true
	}
	return nil
}
