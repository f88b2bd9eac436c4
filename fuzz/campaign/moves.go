package campaign

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"nbdconform/conformance/subject"
	"nbdconform/fuzz/session"
	serverquirk "nbdconform/reference/quirk/server"
)

// MovesExtension ends the names of files with moves.
const MovesExtension = ".moves"

// Moves are what a server does to a client program that is asked for an activity.
type Moves struct {
	Operation subject.Operation
	List     []move // no two of a sort
}

// A move is one thing that a server does to a client.
type move struct {
	sort string
	n    int    // of the first three sorts
	name string // of the other ones
}

// The sorts of moves. None of them but quirks changes contents.
const (
	segments = "segments"      // everything is sent in segments of n bytes
	hangUp   = "hang-up-after" // the connection ends after n bytes
	failing  = "fail"          // reading or writing contents fails, the nth time
	profiled = "profile"       // the server has a profile of package inprocess
	quirky   = "quirk"         // the server has a quirk
)

var sorts = []string{segments, hangUp, failing, profiled, quirky}

const activityWord = "activity"

func (m move) String() string {
	if m.counts() {
		return fmt.Sprintf("%s %d", m.sort, m.n)
	}
	return m.sort + " " + m.name
}

// counts reports whether the move has a number.
func (m move) counts() bool { return m.sort == segments || m.sort == hangUp || m.sort == failing }

func (m Moves) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s\n", activityWord, m.Operation)
	for _, x := range m.List {
		fmt.Fprintln(&b, x)
	}
	return b.String()
}

// get returns the move of a sort.
func (m Moves) get(sort string) (move, bool) {
	for _, x := range m.List {
		if x.sort == sort {
			return x, true
		}
	}
	return move{}, false
}

// lies reports whether one of the moves may be a lie about contents, so that a
// client can't know better.
func (m Moves) lies() bool {
	x, _ := m.get(quirky)
	q, ok := serverquirk.Get(x.name)
	return ok && !q.Allowed
}

// ParseMoves reads what String wrote. Empty lines and those that begin with #
// say nothing.
func ParseMoves(text string) (m Moves, err error) {
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
		return m, errors.New("there is no activity in it")
	}
	return m, nil
}

// read takes up one line.
func (m *Moves) read(line string) error {
	word, rest, _ := strings.Cut(line, " ")
	x := move{sort: word}
	switch {
	case word == activityWord && m.Operation != "":
		return errors.New("it has an activity already")
	case word == activityWord && !slices.Contains(subject.Operations, subject.Operation(rest)):
		return fmt.Errorf("%q is no activity: use one of %v", rest, subject.Operations)
	case word == activityWord:
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
		return fmt.Errorf("%q is no move", line)
	}
	if _, ok := m.get(word); ok {
		return fmt.Errorf("there is a second %s", word)
	}
	m.List = append(m.List, x)
	return nil
}

// SavedMoves are moves in a file, as text with its header ahead of it.
type SavedMoves struct {
	session.Header
	Moves Moves
}

// LoadMoves reads a file.
func LoadMoves(path string) (SavedMoves, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return SavedMoves{}, err
	}
	m, err := ParseMoves(string(text))
	if err != nil {
		return SavedMoves{}, fmt.Errorf("%s: %w", path, err)
	}
	return SavedMoves{session.ParseHeader(string(text)), m}, nil
}

// String is the text of the file.
func (s SavedMoves) String() string { return s.Header.String() + s.Moves.String() }
