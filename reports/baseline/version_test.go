package baseline

import (
	"os/exec"
	"testing"
)

var released = []string{
	"1:5.2+dfsg-11+deb11u5", "1:7.2+dfsg-7+deb12u13", "1:7.2+dfsg-7+deb12u18+b3", "1:10.0.2+ds-2+deb13u1~bpo12+1",
	"1:10.0.13+ds-0+deb13u1", "1:11.1.3+ds-1~bpo13+1", "1:11.1.3+ds-1", "1.24.1-2", "1.32.5-1", "1.48.1-1",
	"1:3.21-1+deb11u1", "1:3.24-1.1", "1:3.26.1-6.1", "1:3.27.1-4", "3.27~rc1-1", "3.27-1", "0-1", "1.0a-1", "1.0-1", "1.0+a-1",
}

// dpkg is the authority on the order of its versions.
func TestCompareAgreesWithDpkg(t *testing.T) {
	if _, err := exec.LookPath("dpkg"); err != nil {
		t.Skip("dpkg is not at hand")
	}
	for i, a := range released {
		for _, b := range released[i:min(i+4, len(released))] {
			want := 0
			if exec.Command("dpkg", "--compare-versions", a, "lt", b).Run() == nil {
				want = -1
			} else if exec.Command("dpkg", "--compare-versions", a, "gt", b).Run() == nil {
				want = 1
			}
			// A bound without an epoch leaves the epoch of the version alone; dpkg takes it for 0.
			if split(a).hasEpoch != split(b).hasEpoch {
				continue
			}
			if got := compareVersions(a, b); got != want {
				t.Errorf("compareVersions(%s, %s) = %d, dpkg says %d", a, b, got, want)
			}
			if got := compareVersions(b, a); got != -want {
				t.Errorf("compareVersions(%s, %s) = %d, dpkg says %d", b, a, got, -want)
			}
		}
	}
}

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
