package program

import (
	"os/exec"
	"testing"
)

func TestCommandSurvivesTheShell(t *testing.T) {
	l := Launch{Prepare: []string{"x=1"}, Argv: []string{"printf", "%s|", "two words", "it's", "", "$x", "{socket}"}}
	argv := l.Command()
	out, err := exec.Command(argv[0], argv[1:]...).Output()
	if want := "two words|it's||$x|{socket}|"; err != nil || string(out) != want {
		t.Errorf("%q, %v, want %q", out, err, want)
	}
}
