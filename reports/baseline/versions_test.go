package baseline

import "testing"

func TestVersionsContain(t *testing.T) {
	for _, tc := range []struct {
		ranges Versions
		v      string
		want   bool
	}{
		{nil, "1.0", true},
		{nil, "", true},
		{Versions{">= 1"}, "", false},
		{Versions{">= 3.21, < 3.28"}, "1:3.24-1.1", true},
		{Versions{">= 3.21, < 3.28"}, "1:3.27.1-4", true},
		{Versions{">= 3.21, < 3.28"}, "1:3.28-1", false},
		{Versions{"3.24"}, "1:3.24-1.1", true},
		{Versions{"= 1:3.24-1.1"}, "1:3.24-1.1", true},
		{Versions{"= 1:3.24-1.1"}, "1:3.24-1.2", false},
		{Versions{"= 2:3.24"}, "1:3.24-1.1", false},
		{Versions{"< 3.22", ">= 3.26"}, "1:3.24-1.1", false},
		{Versions{"< 3.22", ">= 3.26"}, "1:3.26.1-6.1", true},
		{Versions{">= 3.21, != 3.26.1"}, "1:3.26.1-6.1", false},
		{Versions{"1:7.2+dfsg-7+deb12u13"}, "1:7.2+dfsg-7+deb12u13", true},
		{Versions{">= 7.2, < 7.3"}, "1:7.2+dfsg-7+deb12u13", true},
		{Versions{"<= 1.4.0"}, "v1.4.0", false},
	} {
		if got := tc.ranges.Contain(tc.v); got != tc.want {
			t.Errorf("%q contain %s: %v", tc.ranges, tc.v, got)
		}
	}
}
