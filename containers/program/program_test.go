package program

import (
	"os/exec"
	"testing"
)

func TestVersionAtLeast(t *testing.T) {
	for _, tc := range []struct {
		have Version
		min  string
		want bool
	}{
		{"1:7.2+dfsg-7+deb12u18+b3", "7.1", true},
		{"1:5.2+dfsg-11+deb11u3", "7.1", false},
		{"1:10.0.2+ds-2~bpo12+1", "8.2", true},
		{"1:3.24-1.1", "3.26", false},
		{"1:3.26.1-1", "3.26", true},
		{"1.30", "1.30.0", true},
		{"1.30", "1.30.1", false},
		{"", "9", true},
		{"git", "9", true},
	} {
		if got := tc.have.AtLeast(tc.min); got != tc.want {
			t.Errorf("Version(%q).AtLeast(%q) = %v", tc.have, tc.min, got)
		}
	}
}

func TestCommandSurvivesTheShell(t *testing.T) {
	l := Launch{Prepare: []string{"x=1"}, Argv: []string{"printf", "%s|", "two words", "it's", "", "$x", "{socket}"}}
	argv := l.Command()
	out, err := exec.Command(argv[0], argv[1:]...).Output()
	if want := "two words|it's||$x|{socket}|"; err != nil || string(out) != want {
		t.Errorf("%q, %v, want %q", out, err, want)
	}
}
