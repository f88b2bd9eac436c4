package baseline

import (
	"time"

	"nbdconform/reports/result"
)

// Clauses are those that a server is known to break, by any spec, with the
// reason of the first entry that says so. Entries that are withheld name no clause.
func Clauses(files []File, t result.Target) map[string]string {
	known := make(map[string]string)
	for _, f := range files {
		for _, e := range f.Entries {
			if e.Clause == "" || !e.applies(t) || e.expired(time.Now()) {
				continue
			}
			if _, ok := known[e.Clause]; !ok {
				known[e.Clause] = e.Reason
			}
		}
	}
	return known
}
