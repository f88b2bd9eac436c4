package evidence

import (
	"errors"
	"io"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"nbdconform/reports/recording"
)

// python runs reproduce.py and returns what it printed and its exit status.
func python(t *testing.T, dir string, args ...string) (string, int) {
	t.Helper()
	program, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("python3 is not on PATH: the script was not run")
	}
	cmd := exec.CommandContext(t.Context(), program, append([]string{filepath.Join(dir, ScriptFile)}, args...)...)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// A line is what a server says once it has read so many bytes.
type line struct {
	after int
	say   string
}

// serve speaks by a script on every connection; with hangUp it ends each then.
// The first ends of them are served.
func serve(t *testing.T, lines []line, hangUp bool, most int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for n := 0; n < most; n++ {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				for _, x := range lines {
					if _, err := io.ReadFull(c, make([]byte, x.after)); err != nil {
						return
					}
					_, _ = io.WriteString(c, x.say)
				}
				if !hangUp {
					_, _ = io.Copy(io.Discard, c)
				}
			}()
		}
		l.Close()
	}()
	return path
}

func TestTheScriptTellsTheSameFromAnother(t *testing.T) {
	t.Parallel()
	const always = 100
	silent := spoken()
	silent.Events = append(silent.Events[:4:4], recording.Event{Kind: recording.Silence, Text: "nothing within 1s"}, recording.Event{Kind: recording.ClientEnds})
	cut := spoken()
	cut.Events = append(cut.Events[:2:2], recording.Event{Kind: recording.CutServer})
	for name, tc := range map[string]struct {
		rec    *recording.Recording
		change func(*Bundle, *Material)
		lines  []line
		hangUp bool
		most   int
		status int
		says   string
	}{
		"the same":                {lines: []line{{0, "hello, client"}, {13, "bye"}}, hangUp: true, status: 1, says: "reproduced: all that came then"},
		"in other pieces":         {lines: []line{{0, "hello"}, {0, ", client"}, {13, "bye"}}, hangUp: true, status: 1, says: "reproduced"},
		"other words":             {lines: []line{{0, "hullo, claent"}, {13, "bye"}}, hangUp: true, status: 0, says: "from byte 1 on"},
		"fewer words":             {lines: []line{{0, "hell"}}, hangUp: true, status: 0, says: "4 of 13 bytes came, the other side ended the connection"},
		"silence":                 {lines: []line{{13, ""}}, status: 0, says: "nothing more came in time"},
		"more words":              {change: func(b *Bundle, _ *Material) { b.Offending = nil }, lines: []line{{0, "hello, client"}, {13, "bye, bye"}}, hangUp: true, status: 0, says: "says more now"},
		"no end":                  {change: func(b *Bundle, _ *Material) { b.Offending = nil }, lines: []line{{0, "hello, client"}, {13, "bye"}}, status: 0, says: "does not now"},
		"the message in question": {lines: []line{{0, "hello, client"}, {13, "BYE"}}, hangUp: true, status: 1, says: "the message in question came again; differences elsewhere: 1"},
		"other contents":          {change: func(_ *Bundle, m *Material) { m.Contents = []recording.Range{{Start: 13, End: 16}} }, lines: []line{{0, "hello, client"}, {13, "BYE"}}, hangUp: true, status: 1, says: "with other contents of the export"},
		"contents that matter": {change: func(b *Bundle, m *Material) {
			m.Contents = []recording.Range{{Start: 13, End: 16}}
			b.Offending = &Place{Connection: 1, Offset: 13, Length: 3}
		}, lines: []line{{0, "hello, client"}, {13, "BYE"}}, hangUp: true, status: 0, says: "something else came"},
		"silence as then":             {rec: silent, lines: []line{{0, "hello, client"}, {13, "bye"}}, status: 1, says: "nothing comes, as then"},
		"words for silence":           {rec: silent, change: func(b *Bundle, _ *Material) { b.Offending = nil }, lines: []line{{0, "hello, client"}, {13, "bye!"}}, status: 0, says: "something does now"},
		"half a recording":            {rec: cut, change: func(b *Bundle, _ *Material) { b.Offending = nil }, lines: []line{{0, "hello, client"}}, status: 2, says: "not complete"},
		"it died then and dies now":   {change: func(b *Bundle, _ *Material) { b.Afterwards.Served = false }, lines: []line{{0, "hello, client"}, {13, "bye"}}, hangUp: true, most: 1, status: 1, says: "serves no further connection, as then"},
		"it died then and serves now": {change: func(b *Bundle, _ *Material) { b.Afterwards.Served = false }, lines: []line{{0, "hello, client"}, {13, "bye"}}, hangUp: true, status: 0, says: "still serves"},
		"it dies now":                 {lines: []line{{0, "hello, client"}, {13, "bye"}}, hangUp: true, most: 1, status: 0, says: "something else is broken"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, m := bundle(), Material{Recording: spoken(), Transcript: "S: hello\n"}
			if tc.rec != nil {
				m.Recording = tc.rec
			}
			if tc.change != nil {
				tc.change(&b, &m)
			}
			dir := t.TempDir()
			if err := Write(dir, b, m); err != nil {
				t.Fatal(err)
			}
			most := tc.most
			if most == 0 {
				most = always
			}
			out, status := python(t, dir, "--timeout", "1", serve(t, tc.lines, tc.hangUp, most))
			if status != tc.status || !strings.Contains(out, tc.says) {
				t.Errorf("status %d, want %d and %q:\n%s", status, tc.status, tc.says, out)
			}
		})
	}
}

func TestTheScriptSaysWhenItCantTell(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := Write(dir, bundle(), Material{Recording: spoken()}); err != nil {
		t.Fatal(err)
	}
	for args, want := range map[string]string{
		filepath.Join(dir, "nobody"): "can't tell", "localhost:1": "can't tell", "nowhere": "neither host:port nor the path", "": "required",
	} {
		if out, status := python(t, dir, strings.Fields(args)...); status != 2 || !strings.Contains(out, want) {
			t.Errorf("%q: status %d, want 2 and %q:\n%s", args, status, want, out)
		}
	}
}
