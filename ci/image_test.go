package ci

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"nbdconform/containers/containertest"
)

// docker runs the engine's client.
func docker(t *testing.T, args ...string) (string, error) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "docker", args...).CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

// The image has the suite and nothing else, is run by nobody, and judges.
func TestImageRuns(t *testing.T) {
	containertest.NeedEngine(t)
	if _, err := exec.LookPath("docker"); err != nil {
		t.Skip("the engine has no client here")
	}
	context := t.TempDir()
	build := exec.Command("go", "build", "-trimpath", "-tags", "nopsk", "-o", filepath.Join(context, "nbdconform"), "../cmd/nbdconform")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if err := os.Mkdir(filepath.Join(context, "tmp"), 0o755); err != nil {
		t.Fatal(err)
	}
	const name = "nbdconform:test"
	if out, err := docker(t, "build", "-q", "-t", name, "-f", "../Dockerfile", context); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Cleanup(func() { _ = exec.Command("docker", "rmi", "-f", name).Run() })
	for _, tc := range []struct {
		args string
		want string
		fail bool
	}{
		{"--version", "nbdconform ", false},
		{"run --filter abort.ack", "conforms", false},
		{"run --filter abort.ack --quirk abort-unsupported", "does not conform", true},
	} {
		out, err := docker(t, append([]string{"run", "--rm", "--network", "none", "--read-only", "--tmpfs", "/out:uid=65534", "--tmpfs", "/tmp:uid=65534", name}, strings.Fields(tc.args)...)...)
		if (err != nil) != tc.fail || !strings.Contains(out, tc.want) {
			t.Errorf("%s: %v, want %q in:\n%s", tc.args, err, tc.want, out)
		}
	}
	if user, err := docker(t, "inspect", "-f", "{{.Config.User}}", name); err != nil || user != "65534:65534" {
		t.Errorf("the image is run by %q, %v", user, err)
	}
}
