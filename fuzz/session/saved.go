package session

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"nbdconform/fuzz/script"
)

// Extension ends the names of files with scripts.
const Extension = ".script"

// A Saved is a script in a file, with what it is about. It is a script as
// text, with comments ahead of it that say what was found:
//
//	# finding: violation trans.cookie.echo simple
//	# quirk: reply-cookie-off-by-one
//	# cookie 0x5eed010000000002 is that of none of the 1 pending requests
//	0 flags FIXED_NEWSTYLE|NO_ZEROES
//	...
type Saved struct {
	Script  script.Script
	Finding string   // signature of what was found; "": nothing is to be found
	Quirk   string   // the quirk of the reference server that shows it, or ""
	Notes   []string // for people
}

// ParseSaved reads the text of a file.
func ParseSaved(text string) (s Saved, err error) {
	for line := range strings.Lines(text) {
		rest, ok := strings.CutPrefix(strings.TrimRight(line, "\n"), "#")
		if !ok {
			break
		}
		rest = strings.TrimSpace(rest)
		if v, ok := strings.CutPrefix(rest, "finding: "); ok {
			s.Finding = v
		} else if v, ok := strings.CutPrefix(rest, "quirk: "); ok {
			s.Quirk = v
		} else if rest != "" {
			s.Notes = append(s.Notes, rest)
		}
	}
	s.Script, err = script.Parse(text)
	// What shows behind a script shows behind one of no operations too.
	if err == nil && len(s.Script.Ops) == 0 && s.Finding == "" {
		err = errors.New("there is no operation in it")
	}
	return s, err
}

// Load reads a file.
func Load(path string) (Saved, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return Saved{}, err
	}
	s, err := ParseSaved(string(text))
	if err != nil {
		return s, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

// String is the text of the file.
func (s Saved) String() string {
	var b strings.Builder
	line := func(text string) { b.WriteString(comment(text) + "\n") }
	if s.Finding != "" {
		line("finding: " + s.Finding)
	}
	if s.Quirk != "" {
		line("quirk: " + s.Quirk)
	}
	for _, n := range s.Notes {
		line(n)
	}
	return b.String() + s.Script.String()
}

// Save writes a finding into a directory, as a script and, where that can be,
// with a stand-alone reproducer beside it. events are those of a recorded run.
// The name of the files follows from the signature; it is returned.
func Save(dir string, s script.Script, f Finding, quirk string, events []Event) (string, error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return "", err
	}
	name := strings.Trim(unsafe.ReplaceAllString(f.Signature(), "-"), "-")
	if quirk != "" {
		name = quirk
	}
	path := filepath.Join(dir, name+Extension)
	saved := Saved{Script: s, Finding: f.Signature(), Quirk: quirk, Notes: []string{strings.ReplaceAll(f.Detail, "\n", " ")}}
	if err := os.WriteFile(path, []byte(saved.String()), 0o666); err != nil {
		return "", err
	}
	program, err := Reproducer(s, f, events)
	if err != nil {
		return path, nil // within TLS there is none
	}
	return path, os.WriteFile(filepath.Join(dir, name+".py"), []byte(program), 0o777)
}

var unsafe = regexp.MustCompile(`[^A-Za-z0-9._-]+`)
