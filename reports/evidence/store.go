package evidence

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"nbdconform/reports/capture"
	"nbdconform/reports/recording"
)

// Dir is the directory of all bundles, below that of the result.
const Dir = "evidence"

// Limits bound the bundles of a run.
type Limits struct {
	Bundles int // more than this have no recordings
	Bytes   int // of recordings
}

// DefaultLimits are 500 bundles and 64 MiB of recordings.
var DefaultLimits = Limits{Bundles: 500, Bytes: 64 << 20}

// A Store writes the bundles of one run.
type Store struct {
	out    string
	limits Limits
	used   Limits
}

// fresh is the directory of the bundles of a run whose result is not there yet.
const fresh = ".evidence"

// NewStore makes a store below the directory of a result. Its bundles are out
// of the way until [Publish] puts them in the place of those of an earlier run,
// which the result that is there names.
func NewStore(out string, l Limits) (*Store, error) {
	if err := Discard(out); err != nil {
		return nil, err
	}
	return &Store{out: out, limits: l}, nil
}

// Publish puts the bundles of the last run into the place of those of the run
// before it, once its result is there.
func Publish(out string) error {
	if err := clear(filepath.Join(out, Dir)); err != nil {
		return err
	}
	all, err := bundles(filepath.Join(out, fresh))
	if err != nil {
		return err
	}
	for _, name := range all {
		from, to := filepath.Join(out, fresh, name), filepath.Join(out, Dir, name)
		if err := os.MkdirAll(to, 0o755); err != nil {
			return fmt.Errorf("publishing evidence: %w", err)
		}
		for _, f := range bundleFiles {
			if err := os.Rename(filepath.Join(from, f), filepath.Join(to, f)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("publishing evidence: %w", err)
			}
		}
	}
	return Discard(out)
}

// Discard removes bundles that were not published: those of a run that has no
// result, or that was killed.
func Discard(out string) error { return os.RemoveAll(filepath.Join(out, fresh)) }

// bundleFiles are what a bundle may have; bundle.json, without which it is
// none, is the last.
var bundleFiles = []string{TranscriptFile, CaptureFile, ScriptFile, StderrFile, BundleFile}

// bundles are the names of the directories in dir that hold one.
func bundles(dir string) (names []string, err error) {
	all, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("looking for evidence: %w", err)
	}
	for _, d := range all {
		if _, err := os.Stat(filepath.Join(dir, d.Name(), BundleFile)); err == nil {
			names = append(names, d.Name())
		}
	}
	return names, nil
}

// clear removes the bundles in dir, and only what is a bundle.
func clear(dir string) error {
	old, err := bundles(dir)
	if err != nil {
		return err
	}
	for _, name := range old {
		for _, f := range bundleFiles {
			if err := os.Remove(filepath.Join(dir, name, f)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("removing old evidence: %w", err)
			}
		}
		_ = os.Remove(filepath.Join(dir, name)) // stays if somebody put more into it
	}
	_ = os.Remove(dir)
	return nil
}

var unsafe = regexp.MustCompile(`[^A-Za-z0-9._-]+`)

// Add writes a bundle and returns the directory that it is going to have,
// relative to that of the result, with slashes.
func (s *Store) Add(b Bundle, m Material) (string, error) {
	name := strings.TrimLeft(unsafe.ReplaceAllString(b.Spec.ID, "-"), ".-")
	name = cmp.Or(name, "unnamed")
	dir := filepath.Join(s.out, fresh, name)
	s.used.Bundles++
	if m.Recording != nil {
		n := m.Recording.Size()
		switch {
		case s.used.Bundles > s.limits.Bundles:
			b.LeftOut = fmt.Sprintf("the recording, with its capture and script: %d bundles of this run have theirs already", s.limits.Bundles)
			m.Recording = nil
		case s.used.Bytes+n > s.limits.Bytes:
			b.LeftOut = fmt.Sprintf("the recording, with its capture and script: recordings of this run take %d MiB already", s.limits.Bytes>>20)
			m.Recording = nil
		default:
			s.used.Bytes += n
		}
	}
	return path.Join(Dir, name), Write(dir, b, m)
}

// Write writes the files of a bundle into dir, which it makes; bundle.json comes last.
func Write(dir string, b Bundle, m Material) error {
	b.SchemaVersion = SchemaVersion
	b.Spec.Message = cmp.Or(shortened(b.Spec.Message), "no reason was recorded")
	b.Limits = fmt.Sprintf("kept are %v", recording.DefaultLimits)
	b.Connections = connections(m.Recording)
	if m.Recording != nil {
		b.Recorded = m.Recording.Start.UTC()
		if m.Recording.Cut() {
			b.LeftOut = cmp.Or(b.LeftOut, "what was said beyond the limits: the capture and the script end there")
		}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("writing evidence: %w", err)
	}
	files := []struct {
		name string
		make func() ([]byte, error)
	}{
		{TranscriptFile, func() ([]byte, error) { return []byte(transcript(b, m)), nil }},
		{StderrFile, func() ([]byte, error) { return []byte(stderr(b, m)), nil }},
		{CaptureFile, func() ([]byte, error) { return pcapng(b, m) }},
		{ScriptFile, func() ([]byte, error) { return script(b, m) }},
		{BundleFile, func() ([]byte, error) { return encode(b) }},
	}
	for _, f := range files {
		text, err := f.make()
		if err == nil && text != nil {
			err = os.WriteFile(filepath.Join(dir, f.name), text, mode(f.name))
		}
		if err != nil {
			return fmt.Errorf("writing evidence: %s: %w", f.name, err)
		}
	}
	return nil
}

// shortened bounds a message, which may quote what a target said.
func shortened(s string) string {
	const most = 64 << 10
	if len(s) > most {
		s = s[:most] + "\n(shortened)"
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

func mode(name string) fs.FileMode {
	if name == ScriptFile {
		return 0o755
	}
	return 0o644
}

func encode(b Bundle) ([]byte, error) {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(b); err != nil {
		return nil, err
	}
	_, err := parse(out.Bytes())
	return out.Bytes(), err
}

func pcapng(b Bundle, m Material) ([]byte, error) {
	if m.Recording == nil {
		return nil, nil
	}
	about := capture.About{
		Application: b.Suite.Name + " " + b.Suite.Version,
		Comment:     fmt.Sprintf("%s: %s\n%s", b.Spec.ID, b.Spec.Verdict, b.Spec.Message),
	}
	if p := b.Offending; p != nil && p.Length > 0 {
		text := fmt.Sprintf("this breaks %s: %s", b.Spec.Clause, b.Spec.Message)
		if !p.Judged {
			text = fmt.Sprintf("the last message before %s found: %s", b.SeenIn, b.Spec.Message)
		}
		about.Marks = []capture.Mark{{Conn: p.Connection - 1, Client: b.Task != nil, Offset: p.Offset, Text: text}}
	}
	var out bytes.Buffer
	err := capture.Write(&out, m.Recording, about)
	return out.Bytes(), err
}

// transcript is the conversation under a head that says what it is about.
func transcript(b Bundle, m Material) string {
	var t strings.Builder
	fmt.Fprintf(&t, "spec      %s\nverdict   %s\nclause    %s (%s)\nsection   %s\nrequires  %s\n", b.Spec.ID, b.Spec.Verdict, b.Spec.Clause, b.Spec.Level, b.Spec.Section, b.Spec.Requires)
	if b.SeenIn != b.Spec.ID {
		fmt.Fprintf(&t, "seen in   %s\n", b.SeenIn)
	}
	fmt.Fprintf(&t, "because   %s\nagain     %s\n\n", indent(b.Spec.Message, "          "), b.Command)
	t.WriteString("C is the client, S the server. The number is where the message starts in what\nthat side said, in bytes. !! marks what is wrong, with the message's bytes.\n\n")
	t.WriteString(m.Transcript)
	return strings.ToValidUTF8(t.String(), "\uFFFD")
}

func stderr(b Bundle, m Material) string {
	var t strings.Builder
	fmt.Fprintf(&t, "# the target's program afterwards: %s\n", cmp.Or(b.Afterwards.State, "unknown"))
	if b.Afterwards.Exit != "" {
		fmt.Fprintf(&t, "# it ended: %s\n", b.Afterwards.Exit)
	}
	if b.Task == nil && !b.Afterwards.Served {
		t.WriteString("# it served no further connection\n")
	}
	if m.Stderr == "" {
		t.WriteString("# it wrote nothing to its standard error that is at hand\n")
		return t.String()
	}
	t.WriteString("# the end of what it wrote to its standard error:\n")
	return t.String() + m.Stderr
}

func indent(s, with string) string {
	return strings.ReplaceAll(strings.TrimRight(s, "\n"), "\n", "\n"+with)
}
