package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestReplayScript(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		return path
	}
	const body = "0 flags FIXED_NEWSTYLE|NO_ZEROES\n0 NBD_OPT_GO export=\"\"\n0 NBD_CMD_FLUSH\n"
	quirky := write("a.script", "# finding: violation trans.cookie.echo simple\n# quirk: reply-cookie-off-by-one\n"+body)
	plain := write("b.script", body+"0 NBD_CMD_TRIM offset=0 length=512\n")
	const nbdinfo = "../../fuzz/testdata/recorded/nbdinfo.pcapng"
	for name, tt := range map[string]struct {
		args   []string
		status int
		want   string
	}{
		"again":         {[]string{quirky}, 1, "reproduced: violation trans.cookie.echo simple"},
		"not any more":  {[]string{quirky, "--quirk", ""}, 0, "not reproduced"},
		"nothing":       {[]string{plain}, 0, "nothing found"},
		"something":     {[]string{plain, "--quirk", "reply-twice"}, 1, "findings: "},
		"no permission": {[]string{plain, "--uri", "nbd://localhost:1"}, 2, "--destructive"},
		"no file":       {[]string{filepath.Join(dir, "none.script")}, 2, "no such file"},
		"a capture":     {[]string{nbdinfo}, 0, "nothing found"},
		"its script":    {[]string{nbdinfo, "--script"}, 0, "0 NBD_OPT_LIST_META_CONTEXT export=\"\"\n"},
		"a capture, no": {[]string{nbdinfo, "--quirk", "reply-twice"}, 1, "findings: "},
		"of a script":   {[]string{plain, "--script"}, 2, "neither a capture nor an evidence bundle"},
		"no capture":    {[]string{write("d.pcap", "nothing of the kind"), "--script"}, 2, "neither pcapng nor pcap"},
		"no script":     {[]string{write("c.script", "hello\n")}, 2, "is no operation"},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			c := root()
			c.SetOut(&out)
			c.SetArgs(append([]string{"replay"}, tt.args...))
			err := c.ExecuteContext(t.Context())
			status := 0
			var e *exitError
			if errors.As(err, &e) {
				status = e.status
			} else if err != nil {
				status = exitUntrusted
				out.WriteString(err.Error())
			}
			if status != tt.status || !strings.Contains(out.String(), tt.want) {
				t.Errorf("exit status %d, want %d and %q:\n%s", status, tt.status, tt.want, out.String())
			}
		})
	}
}
