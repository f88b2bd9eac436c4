package session

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"nbdconform/fuzz/internal/script"
)

// Extension ends the names of files with scripts.
const Extension = ".script"

// A Header is the comments at the head of a file, which say what it is about:
//
//	# finding: violation trans.cookie.echo simple
//	# quirk: reply-cookie-off-by-one
//	# cookie 0x5eed010000000002 is that of none of the 1 pending requests
type Header struct {
	Finding string   // signature of what was found; "": nothing is to be found
	Quirk   string   // the quirk of the reference that shows it, or ""
	Notes   []string // for people
}

// ParseHeader reads the comments at the head of a text.
func ParseHeader(text string) (h Header) {
	for line := range strings.Lines(text) {
		rest, ok := strings.CutPrefix(strings.TrimRight(line, "\n"), "#")
		if !ok {
			break
		}
		rest = strings.TrimSpace(rest)
		if v, ok := strings.CutPrefix(rest, "finding: "); ok {
			h.Finding = v
		} else if v, ok := strings.CutPrefix(rest, "quirk: "); ok {
			h.Quirk = v
		} else if rest != "" {
			h.Notes = append(h.Notes, rest)
		}
	}
	return h
}

func (h Header) String() string {
	var b strings.Builder
	line := func(text string) { b.WriteString(Comment(text) + "\n") }
	if h.Finding != "" {
		line("finding: " + h.Finding)
	}
	if h.Quirk != "" {
		line("quirk: " + h.Quirk)
	}
	for _, n := range h.Notes {
		line(n)
	}
	return b.String()
}

// A Saved is a script in a file, as text with its header ahead of it.
type Saved struct {
	Header
	Script script.Script
}

// ParseSaved reads the text of a file.
func ParseSaved(text string) (s Saved, err error) {
	s.Header = ParseHeader(text)
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
func (s Saved) String() string { return s.Header.String() + s.Script.String() }

// FileName is that of the files of a finding, without their endings.
func FileName(signature string) string {
	return strings.Trim(unsafe.ReplaceAllString(signature, "-"), "-")
}

// Save writes a finding into a directory, as a script and, where that can be,
// with a stand-alone reproducer beside it. events are those of a recorded run.
// The name of the files follows from the signature; it is returned.
func Save(dir string, s script.Script, f Finding, quirk string, events []Event) (string, error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return "", err
	}
	name := FileName(f.Signature())
	if quirk != "" {
		name = quirk
	}
	path := filepath.Join(dir, name+Extension)
	saved := Saved{Header{f.Signature(), quirk, []string{strings.ReplaceAll(f.Detail, "\n", " ")}}, s}
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
