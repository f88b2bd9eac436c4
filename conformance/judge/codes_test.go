package judge

import (
	"strings"
	"testing"

	"nbdconform/reports/render/words"
)

// TestEachTextIsWhole trips every check and looks for what package fmt writes
// where a value and its verb do not fit each other.
func TestEachTextIsWhole(t *testing.T) {
	for _, trip := range trips {
		c := &conversation{}
		trip.talk(c, true)
		for _, v := range c.tell(1 << 30).Violations() {
			if s := words.Failure(v.Failure()); strings.Contains(s, "%!") || s == "" || s == v.Code {
				t.Errorf("%s: %s: %q", trip.name, v.Code, s)
			}
		}
	}
}
