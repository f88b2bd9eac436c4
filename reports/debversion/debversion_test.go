package debversion

import (
	"cmp"
	"os/exec"
	"testing"
)

// ascending are versions in Debian's order, as deb-version(7) and Debian's
// policy have it, and as the servers and clients under test come.
var ascending = [][]string{
	{"1.0~~", "1.0~~a", "1.0~", "1.0", "1.0a", "1.0+"},
	{"1.0~beta1~svn1245", "1.0~beta1", "1.0"},
	{"1.2", "1.10"},
	{"1.9", "1.09.1", "1.010"},
	{"1.30", "1.30.0", "1.30.1"},
	{"1a", "1aa", "1b", "1+", "1.", "1.1"},
	{"3.27~rc1-1", "3.27-1~bpo12+1", "3.27-1", "3.27-1+b1", "3.27-1+deb12u1", "3.27-1+deb12u9", "3.27-1+deb12u10", "3.27-1.1"},
	{"1:5.2+dfsg-11+deb11u5", "1:7.2+dfsg-7+deb12u13", "1:7.2+dfsg-7+deb12u18+b3", "1:10.0.2+ds-2+deb13u1~bpo12+1", "1:10.0.2+ds-2+deb13u1"},
	{"99", "1:0.1", "1:1", "2:0~1"},
	{"1.24.1-2", "1.32.5-1", "1.48.1-1"},
	{"0-1", "0-2"},
}

func each(f func(a, b string, want int)) {
	for _, list := range ascending {
		for i, a := range list {
			for k, b := range list {
				f(a, b, cmp.Compare(i, k))
			}
		}
	}
}

func TestCompareHasDebiansOrder(t *testing.T) {
	each(func(a, b string, want int) {
		bound, err := ParseBound(whole(b))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := bound.Compare(whole(a)); err != nil || got != want {
			t.Errorf("%s compared with %s: %d, %v; expected %d", a, b, got, err, want)
		}
	})
}

// whole is a version that omits nothing.
func whole(v string) string {
	epoch, revision := false, false
	for _, r := range v {
		epoch, revision = epoch || r == ':', revision || r == '-'
	}
	if !epoch {
		v = "0:" + v
	}
	if !revision {
		v += "-0"
	}
	return v
}

// dpkg is the authority on the order of its versions.
func TestTheCasesAgreeWithDpkg(t *testing.T) {
	if _, err := exec.LookPath("dpkg"); err != nil {
		t.Skip("dpkg is not installed")
	}
	each(func(a, b string, want int) {
		if want >= 0 {
			return
		}
		if err := exec.Command("dpkg", "--compare-versions", a, "lt", b).Run(); err != nil {
			t.Errorf("dpkg does not say that %s is less than %s: %v", a, b, err)
		}
	})
}

func TestWhatABoundOmitsIsNotCompared(t *testing.T) {
	for _, c := range []struct {
		version, bound string
		want           int
	}{
		{"1:3.24-1.1", "3.24", 0},
		{"1:3.24-1.1", "3.24-1", 1},
		{"1:3.24-1.1", "1:3.24", 0},
		{"1:3.24-1.1", "2:3.24", -1},
		{"3.24-1.1", "1:3.24", -1},
		{"1:7.2+dfsg-7+deb12u18", "7.2", 1},
		{"1:7.2+dfsg-7+deb12u18", "7.3", -1},
		{"1:7.2~rc1-1", "7.2", -1},
		{"1.30.5-1", "1.30", 1},
	} {
		b, err := ParseBound(c.bound)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := b.Compare(c.version); err != nil || got != c.want {
			t.Errorf("%s compared with %s: %d, %v; expected %d", c.version, c.bound, got, err, c.want)
		}
	}
}

func TestAtLeast(t *testing.T) {
	for _, c := range []struct {
		version, since string
		want           bool
	}{
		{"1:7.2+dfsg-7+deb12u18+b3", "7.1", true},
		{"1:5.2+dfsg-11+deb11u3", "7.1", false},
		{"1:10.0.2+ds-2~bpo12+1", "8.2", true},
		{"1:3.24-1.1", "3.26", false},
		{"1:3.26.1-1", "3.26", true},
		{"1.30", "1.30", true},
		{"", "9", true},
		{"git", "9", true},
	} {
		if got := AtLeast(c.version, c.since); got != c.want {
			t.Errorf("AtLeast(%q, %q) = %t", c.version, c.since, got)
		}
	}
}

func TestWhatIsNotAVersionIsAnError(t *testing.T) {
	for _, text := range []string{"", "x", "v1.4.0", "1:", "a:1", "1 2", "1_2", "1-"} {
		if _, err := ParseBound(text); err == nil {
			t.Errorf("the bound %q is accepted", text)
		}
		b, err := ParseBound("1")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.Compare(text); err == nil {
			t.Errorf("the version %q is accepted", text)
		}
	}
}

func TestUpstream(t *testing.T) {
	for version, want := range map[string]string{
		"1:7.2.22+dfsg-0+deb12u1": "7.2.22",
		"1:10.0.2+ds-2~bpo12+1":   "10.0.2",
		"1.48.1-1":                "1.48.1",
		"3.27~rc1-1":              "3.27",
		"git":                     "",
		"":                        "",
	} {
		if got := Upstream(version); got != want {
			t.Errorf("Upstream(%q) = %q, expected %q", version, got, want)
		}
	}
}
