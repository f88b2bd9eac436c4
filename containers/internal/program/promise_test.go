package program

import (
	"strings"
	"testing"
)

func TestPromiseByVersion(t *testing.T) {
	for _, tc := range []struct{ promise, version, want string }{
		{"list info", "1.0", "list info"},
		{"list info@1.26", "1.24", "list"},
		{"list info@1.26", "1.26.0", "list info"},
		{"list info<1.26", "1.24", "list info"},
		{"list info<1.26", "1.26", "list"},
		{"list info fua -list", "1.0", "info fua"},
		{"list info fua -list@2", "1.0", "list info fua"},
		{"list list", "1.0", "list"},
	} {
		if got := strings.Join(Promise(tc.promise)(Version(tc.version)), " "); got != tc.want {
			t.Errorf("Promise(%q)(%s): %q, want %q", tc.promise, tc.version, got, tc.want)
		}
	}
}
