package session

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nbdconform/fuzz/internal/script"
	"nbdconform/reference/server"
)

// listen serves a reference server on a Unix socket.
func listen(t *testing.T, quirk, profile string) string {
	t.Helper()
	r, err := Reference(profile, quirk)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "nbd")
	ln, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := r.srv.Serve(t.Context(), ln); !errors.Is(err, server.ErrClosed) && t.Context().Err() == nil {
			t.Errorf("serving: %v", err)
		}
	}()
	t.Cleanup(func() {
		r.Close()
		<-done
	})
	return path
}

func TestReproducers(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("python3 is not installed")
	}
	for quirk, text := range map[string]string{
		"reply-cookie-off-by-one":  enter + "0 NBD_CMD_FLUSH\n",
		"write-incomplete":         enter + "0 NBD_CMD_WRITE offset=512 length=512 fill=3\n0 NBD_CMD_READ offset=512 length=512\n",
		"flush-unanswered":         "# patience\n" + enter + "0 NBD_CMD_FLUSH\n",
		"crash-on-unknown-command": enter + "0 Command(77) offset=0 length=0\n",
		"slot-leaked":              enter + "0 close\n",
		"list-name-with-nul":       "0 flags FIXED_NEWSTYLE|NO_ZEROES\n0 NBD_OPT_LIST\n",
	} {
		t.Run(quirk, func(t *testing.T) {
			t.Parallel()
			s, err := script.Parse(text)
			if err != nil {
				t.Fatal(err)
			}
			r, err := Reference("", quirk)
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			r.Record, r.Patience = true, 300*time.Millisecond
			result := Run(t.Context(), s, &r.Target)
			if len(result.Findings) == 0 {
				t.Fatal("nothing was found")
			}
			dir := t.TempDir()
			path, err := Save(dir, s, result.Findings[0], quirk, result.Events)
			if err != nil {
				t.Fatal(err)
			}
			saved, err := Load(path)
			if err != nil || saved.Finding != result.Findings[0].Signature() || saved.Quirk != quirk || saved.Script.String() != s.String() {
				t.Errorf("saved %+v, error %v", saved, err)
			}
			for plant, want := range map[string]int{quirk: 1, "": 0} {
				c := exec.CommandContext(t.Context(), python, strings.TrimSuffix(path, Extension)+".py", listen(t, plant, ""))
				c.Stderr = os.Stderr
				out, _ := c.Output()
				if got := c.ProcessState.ExitCode(); got != want {
					program, _ := os.ReadFile(strings.TrimSuffix(path, Extension) + ".py")
					t.Errorf("with quirk %q: exit status %d, want %d\n%s\n%s", plant, got, want, out, program)
				}
			}
		})
	}
}
