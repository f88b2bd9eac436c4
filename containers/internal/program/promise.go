package program

import (
	"slices"
	"strings"
)

// Promise reads what a profile promises: names of features, separated by spaces.
// A name may be bound to versions: "fua@1.26" from that one on, "fua<1.26"
// before it. "-" before a name removes it from the names before it.
func Promise(features ...string) func(Version) []string {
	words := strings.Fields(strings.Join(features, " "))
	return func(v Version) []string {
		var list []string
		for _, w := range words {
			name, taken := strings.CutPrefix(w, "-")
			switch end := strings.IndexAny(name, "@<"); {
			case end < 0:
			case v.AtLeast(name[end+1:]) != (name[end] == '@'):
				continue
			default:
				name = name[:end]
			}
			if taken {
				list = slices.DeleteFunc(list, func(f string) bool { return f == name })
			} else if !slices.Contains(list, name) {
				list = append(list, name)
			}
		}
		return list
	}
}
