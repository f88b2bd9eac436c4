package campaign

import (
	_ "embed"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"nbdconform/conformance/clause"
	"nbdconform/conformance/judge"
	"nbdconform/conformance/subject"
	"nbdconform/fuzz/session"
)

//go:embed reproducer.py
var reproducer string

// Reproducer is a Python program that needs nothing but Python and the client:
// it is the server of one run, sends the same bytes except for
// cookies, and checks the client for the same finding. It exits with 1 if the
// finding is reproduced.
func (g Client) Reproducer(m FaultScript, v ClientResult) string {
	var argv []string
	for _, w := range v.Report.Argv {
		argv = append(argv, strings.ReplaceAll(w, g.Program.Dir(), "{dir}"))
	}
	id := g.Program.Identity()
	about := fmt.Sprintf("%s\n%s\n\n%s %s", v.Finding.Signature, v.Finding.Detail, id.Name, id.Version)
	if id.Image != "" {
		about += fmt.Sprintf(" of %s: COMMAND was run in a container of the image %s", id.Release, id.Image)
	}
	var connections strings.Builder
	for i, t := range v.connections {
		fmt.Fprintf(&connections, "def connection%d(c):\n%s\n\n", i, t.python())
	}
	var names []string
	for i := range v.connections {
		names = append(names, "connection"+strconv.Itoa(i))
	}
	fmt.Fprintf(&connections, "connections = [%s]\n\n", strings.Join(names, ", "))
	segment := "len(data) or 1"
	if x, ok := m.get(segments); ok {
		segment = strconv.Itoa(x.n)
	}
	return strings.NewReplacer(
		"@HEAD@", session.Comment(about+"\n\n"+m.String()), "@COMMAND@", quoted(argv), "@WORDS@", strconv.Itoa(copied/8),
		"@SEGMENT@", segment, "@TALKS@", connections.String(), "@TIMEOUT@", strconv.FormatFloat(g.timeout().Seconds(), 'f', -1, 64),
		"@COPY_IN@", map[bool]string{true: "True", false: "False"}[m.Operation == subject.CopyIn],
		"@WRONG@", v.wrong(m.Operation), "@WHAT@", strings.Trim(quoted(v.Finding.Signature), `"`),
	).Replace(reproducer)
}

// wrong is what is wrong with the client, in Python.
func (v ClientResult) wrong(a subject.Operation) string {
	switch session.Kind(v.Finding.Kind) {
	case session.Crash:
		return "status is not None and (status < 0 or status > 128)"
	case session.Hang:
		return "status is None"
	case Complaint:
		return quoted(complaint(v.Report.Stderr)) + " in said"
	}
	if a == subject.CopyOut {
		return "status == 0 and copy != server and not others"
	}
	return "status == 0 and not others"
}

// quoted writes a value as Python has it too.
func quoted(v any) string {
	b, _ := json.Marshal(v) // texts do not fail
	return string(b)
}

// python is what a server says and hears on a connection.
func (t *connection) python() string {
	cookies := t.cookies()
	var b strings.Builder
	var at [2]int64 // bytes said and heard so far
	for _, e := range t.events {
		switch e.what {
		case said, heard:
			fmt.Fprintf(&b, "    c.%s(%s)\n", []string{"say", "hear"}[e.what], parts(e.data, at[e.what], cookies[e.what]))
			at[e.what] += int64(len(e.data))
		case left:
			b.WriteString("    c.left()\n")
		case silent:
			b.WriteString("    c.silent()\n")
		}
	}
	if b.Len() == 0 {
		return "    pass\n"
	}
	return b.String()
}

// A place is where a cookie is in one direction, and whose it is: the request's
// with that number.
type place struct {
	offset int64
	number int
}

// cookies are the places of the cookies that were said and heard. A reply has
// that of a request, or it is left as it is.
func (t *connection) cookies() (list [2][]place) {
	asked := make(map[uint64]int)
	requests := 0
	for _, m := range t.judge.Transcript().Messages {
		cookie, ok := m.Cookie()
		switch {
		case !ok:
		case m.Side == clause.Client:
			asked[cookie] = requests
			list[heard] = append(list[heard], place{m.Offset + judge.CookieAt, requests})
			requests++
		default:
			if n, ok := asked[cookie]; ok {
				list[said] = append(list[said], place{m.Offset + judge.CookieAt, n})
			}
		}
	}
	return list
}

// parts writes bytes that begin at an offset, with numbers in place of cookies
// that are whole.
func parts(data []byte, from int64, cookies []place) string {
	const size = 8
	var list []string
	text := func(b []byte) {
		if len(b) > 0 {
			list = append(list, literal(b))
		}
	}
	done := 0
	for _, c := range cookies {
		at := int(c.offset - from)
		if at < done || at+size > len(data) {
			continue
		}
		text(data[done:at])
		list = append(list, strconv.Itoa(c.number))
		done = at + size
	}
	text(data[done:])
	return strings.Join(list, ", ")
}

// literal writes bytes for Python, with names for pieces of the contents.
func literal(b []byte) string {
	const least = 64 // bytes of a piece
	var list []string
	text := func(b []byte) {
		if len(b) > 0 {
			list = append(list, session.Literal(b))
		}
	}
	done := 0
	for i := 0; i+least <= len(b); {
		name, at, n := piece(b[i:])
		if n < least {
			i++
			continue
		}
		text(b[done:i])
		list = append(list, fmt.Sprintf("%s[%d:%d]", name, at, at+n))
		i += n
		done = i
	}
	text(b[done:])
	return strings.Join(list, " + ")
}

// piece finds contents that bytes begin with, from the beginning of a word on.
func piece(b []byte) (name string, at, n int) {
	word := binary.BigEndian.Uint64(b)
	for seed, name := range []string{onServer: "server", local: "local"} {
		i := (word - uint64(seed)) * inverse
		if name == "" || i >= copied/8 {
			continue
		}
		c := contents(uint64(seed))[i*8:]
		n := 0
		for n < min(len(b), len(c)) && b[n] == c[n] {
			n++
		}
		return name, int(i * 8), n
	}
	return "", 0, 0
}
