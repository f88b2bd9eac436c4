package nbdkit

import (
	"strings"

	"nbdconform/containers/internal/program"
)

// A row is one profile in a table.
type row struct {
	name  string
	since string // the first version that can do it
	size  uint64
	args  string // after the program's name and where to listen
	has   string // what it promises; see program.Promise
}

// Sets of features that rows promise.
const (
	// fixed is what every plugin comes with.
	fixed = "list info structured-reply meta-context block-status df"
	// rw is what the memory plugin adds to that.
	rw = fixed + " flush fua trim write-zeroes fast-zero cache multi-conn block-size@1.42"
	ro = rw + " -fua -trim -write-zeroes -fast-zero read-only"
	// inert is ro without a disk that could be flushed.
	inert = ro + " -flush -block-size"
)

// variants makes profiles of a table, which are run when all are asked for.
func variants(rows []row) (profiles []program.Profile) {
	for _, r := range rows {
		profiles = append(profiles, r.profile())
	}
	return profiles
}

func (r row) profile() program.Profile {
	return program.Profile{
		Name: r.name, Since: r.since, Exports: []string{""}, Size: r.size, Variant: true,
		Features: program.Promise(r.has),
		Start: func(p program.Place) program.Launch {
			return program.Launch{Argv: append(listen(p), strings.Fields(r.args)...)}
		},
	}
}
