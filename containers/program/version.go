package program

import (
	"strconv"
	"strings"
)

// A Version is the version of a Debian package, such as "1:7.2+dfsg-7+deb12u18".
type Version string

// AtLeast reports whether the upstream part of v is min or newer. It compares
// leading dotted numbers only; a version that has none is taken as new.
func (v Version) AtLeast(min string) bool {
	have, want := v.numbers(), Version(min).numbers()
	if len(have) == 0 {
		return true
	}
	for i, w := range want {
		h := 0
		if i < len(have) {
			h = have[i]
		}
		if h != w {
			return h > w
		}
	}
	return true
}

func (v Version) numbers() []int {
	s := string(v)
	if _, rest, epoch := strings.Cut(s, ":"); epoch {
		s = rest
	}
	if end := strings.IndexFunc(s, func(r rune) bool { return r != '.' && (r < '0' || r > '9') }); end >= 0 {
		s = s[:end]
	}
	var ns []int
	for part := range strings.SplitSeq(s, ".") {
		n, err := strconv.Atoi(part)
		if err != nil {
			break
		}
		ns = append(ns, n)
	}
	return ns
}
