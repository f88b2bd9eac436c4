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

// NewStore makes a store below the directory of a result, and removes the
// bundles that an earlier run left there: only what is a bundle is removed.
func NewStore(out string, l Limits) (*Store, error) {
	all, err := os.ReadDir(filepath.Join(out, Dir))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("looking for old evidence: %w", err)
	}
	for _, d := range all {
		old := filepath.Join(out, Dir, d.Name())
		if _, err := os.Stat(filepath.Join(old, BundleFile)); err != nil {
			continue
		}
		for _, name := range []string{TranscriptFile, CaptureFile, ScriptFile, StderrFile, BundleFile} {
			if err := os.Remove(filepath.Join(old, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return nil, fmt.Errorf("removing old evidence: %w", err)
			}
		}
		_ = os.Remove(old) // stays if somebody put more into it
	}
	_ = os.Remove(filepath.Join(out, Dir))
	return &Store{out: out, limits: l}, nil
}

var unsafe = regexp.MustCompile(`[^A-Za-z0-9._-]+`)

// Add writes a bundle and returns its directory, relative to that of the
// result, with slashes.
func (s *Store) Add(b Bundle, m Material) (string, error) {
	name := strings.TrimLeft(unsafe.ReplaceAllString(b.Spec.ID, "-"), ".-")
	relative := path.Join(Dir, cmp.Or(name, "unnamed"))
	dir := filepath.Join(s.out, filepath.FromSlash(relative))
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
	return relative, Write(dir, b, m)
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
