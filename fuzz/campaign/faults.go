package campaign

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"nbdconform/conformance/subject"
	"nbdconform/fuzz/session"
	serverquirk "nbdconform/reference/quirk/server"
)

// FaultExtension is the extension of files with fault scripts.
const FaultExtension = ".faults"

// oldFaultExtension is the extension that earlier versions used.
const oldFaultExtension = ".moves"

// IsFaultScript reports whether a path is that of a fault script, by its extension.
func IsFaultScript(path string) bool {
	e := filepath.Ext(path)
	return e == FaultExtension || e == oldFaultExtension
}

// A FaultScript is an operation that a client program is asked for, and what the
// server does wrong meanwhile.
type FaultScript struct {
	Operation subject.Operation
	Faults    []fault // no two of a kind
}

// A fault is one thing that the server does to the client.
type fault struct {
	kind string
	n    int    // of the first three kinds
	name string // of the other ones
}

// The faultKinds of faults. None of them but quirks changes contents.
const (
	segments = "segments"      // everything is sent in segments of n bytes
	hangUp   = "hang-up-after" // the connection ends after n bytes
	failing  = "fail"          // reading or writing contents fails, the nth time
	profiled = "profile"       // the server has a profile of package inprocess
	quirky   = "quirk"         // the server has a quirk
)

var faultKinds = []string{segments, hangUp, failing, profiled, quirky}

const operationWord = "operation"

// oldOperationWord is the word that earlier versions used.
const oldOperationWord = "activity"

func (m fault) String() string {
	if m.counts() {
		return fmt.Sprintf("%s %d", m.kind, m.n)
	}
	return m.kind + " " + m.name
}

// counts reports whether the fault has a number.
func (m fault) counts() bool { return m.kind == segments || m.kind == hangUp || m.kind == failing }

func (m FaultScript) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s\n", operationWord, m.Operation)
	for _, x := range m.Faults {
		fmt.Fprintln(&b, x)
	}
	return b.String()
}

// get returns the fault of a kind.
func (m FaultScript) get(kind string) (fault, bool) {
	for _, x := range m.Faults {
		if x.kind == kind {
			return x, true
		}
	}
	return fault{}, false
}

// corrupts reports whether one of the faults may change contents, which a client
// can't notice.
func (m FaultScript) corrupts() bool {
	x, _ := m.get(quirky)
	q, ok := serverquirk.Get(x.name)
	return ok && !q.Allowed
}

// ParseFaults reads what String wrote. Empty lines and those that begin with #
// say nothing.
func ParseFaults(text string) (m FaultScript, err error) {
	n := 0
	for line := range strings.Lines(text) {
		n++
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		if err := m.read(line); err != nil {
			return m, fmt.Errorf("line %d: %w", n, err)
		}
	}
	if m.Operation == "" {
		return m, errors.New("it names no operation")
	}
	return m, nil
}

// read takes up one line.
func (m *FaultScript) read(line string) error {
	word, rest, _ := strings.Cut(line, " ")
	if word == oldOperationWord {
		word = operationWord
	}
	x := fault{kind: word}
	switch {
	case word == operationWord && m.Operation != "":
		return errors.New("there is a second operation")
	case word == operationWord && !slices.Contains(subject.Operations, subject.Operation(rest)):
		return fmt.Errorf("%q is no operation: use one of %v", rest, subject.Operations)
	case word == operationWord:
		m.Operation = subject.Operation(rest)
		return nil
	case x.counts():
		n, err := strconv.Atoi(rest)
		if err != nil || n < 0 || n == 0 && word != hangUp {
			return fmt.Errorf("%s %q: want a positive number", word, rest)
		}
		x.n = n
	case word == profiled && !slices.Contains(profiles(), rest):
		return fmt.Errorf("profile %q: use one of %s", rest, strings.Join(profiles(), ", "))
	case word == profiled:
		x.name = rest
	case word == quirky:
		if _, ok := serverquirk.Get(rest); !ok {
			return fmt.Errorf("the reference server has no quirk %q (see nbdconform list --quirks)", rest)
		}
		x.name = rest
	default:
		return fmt.Errorf("%q is no fault", line)
	}
	if _, ok := m.get(word); ok {
		return fmt.Errorf("there is a second %s", word)
	}
	m.Faults = append(m.Faults, x)
	return nil
}

// SavedFaults is a fault script in a file, as text with its header ahead of it.
type SavedFaults struct {
	session.Header
	Script FaultScript
}

// LoadFaults reads a file.
func LoadFaults(path string) (SavedFaults, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return SavedFaults{}, err
	}
	m, err := ParseFaults(string(text))
	if err != nil {
		return SavedFaults{}, fmt.Errorf("%s: %w", path, err)
	}
	return SavedFaults{session.ParseHeader(string(text)), m}, nil
}

// String is the text of the file.
func (s SavedFaults) String() string { return s.Header.String() + s.Script.String() }
