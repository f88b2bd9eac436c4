package job

import (
	"fmt"
	"slices"
	"strings"
)

// Some returns the names in the order of all, or all where there are none. A
// name that is not among all is an error.
func Some(what string, names, all []string) ([]string, error) {
	if len(names) == 0 {
		return all, nil
	}
	for _, n := range names {
		if !slices.Contains(all, n) {
			return nil, fmt.Errorf("unknown %s %q: use some of %s", what, n, strings.Join(all, ", "))
		}
	}
	var chosen []string
	for _, n := range all {
		if slices.Contains(names, n) {
			chosen = append(chosen, n)
		}
	}
	return chosen, nil
}
