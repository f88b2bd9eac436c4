package program

import (
	"context"
	"os/exec"
	"strings"
)

// Installed is the version of a Debian package on this machine, or "" where it is
// not installed.
func Installed(ctx context.Context, name string) Version {
	out, err := exec.CommandContext(ctx, "dpkg-query", "-W", "-f", "${db:Status-Status} ${Version}", name).Output()
	if v, ok := strings.CutPrefix(string(out), "installed "); err == nil && ok {
		return Version(v)
	}
	return ""
}
