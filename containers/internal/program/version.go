package program

import "nbdconform/reports/debversion"

// A Version is the version of a Debian package, such as "1:7.2+dfsg-7+deb12u18".
type Version string

// AtLeast reports whether v is since or newer, see [debversion.AtLeast].
func (v Version) AtLeast(since string) bool {
	return since == "" || debversion.AtLeast(string(v), since)
}
