package session

import (
	"bytes"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"unicode"

	"nbdconform/fuzz/internal/script"
)

//go:embed reproducer.py
var reproducer string

// Reproducer is a Python program of a few lines that needs nothing but Python:
// it says to a server, byte by byte, what was said in a recorded run, and
// compares what comes. It exits with 1 if the same comes again, and with 0 if
// something else does. There is none of a run with TLS.
func Reproducer(s script.Script, f Finding, events []Event) (string, error) {
	var b strings.Builder
	for i := 0; i < len(events); i++ {
		e := events[i]
		c := fmt.Sprint("c", e.Conn)
		if e.Conn < 0 {
			c = "probe"
		}
		switch e.What {
		case Dialled:
			fmt.Fprintf(&b, "%s = dial()\n", c)
		case Sent:
			fmt.Fprintf(&b, "send(%s, %s)\n", c, Literal(e.Data))
		case Received:
			data := bytes.Clone(e.Data)
			for i+1 < len(events) && events[i+1].What == Received && events[i+1].Conn == e.Conn {
				i++
				data = append(data, events[i].Data...)
			}
			fmt.Fprintf(&b, "got(%s, %s)\n", c, Literal(data))
		case HalfDone:
			fmt.Fprintf(&b, "half(%s)\n", c)
		case Closed:
			fmt.Fprintf(&b, "%s.close()\n", c)
		case Ended:
			fmt.Fprintf(&b, "ended(%s)\n", c)
		case Silent:
			fmt.Fprintf(&b, "silent(%s)\n", c)
		case Refused:
			b.WriteString("refused()\n")
		case Secured:
			return "", errors.New("a conversation within TLS can't be said again byte by byte")
		}
	}
	if f.Kind == Crash {
		b.WriteString("refused()\n")
	}
	return strings.NewReplacer("@HEAD@", Comment(f.String()+"\n\n"+s.String()), "@BODY@", b.String()).Replace(reproducer), nil
}

// Literal writes bytes for Python; long runs of one value as such.
func Literal(b []byte) string {
	const long, width = 32, 48
	var parts []string
	text := func(b []byte) {
		var lines []string
		for len(b) > 0 {
			n := min(width, len(b))
			lines = append(lines, `"`+hex.EncodeToString(b[:n])+`"`)
			b = b[n:]
		}
		if len(lines) > 0 {
			parts = append(parts, "b("+strings.Join(lines, "\n    ")+")")
		}
	}
	start := 0
	for i := 0; i < len(b); {
		n := 1
		for i+n < len(b) && b[i+n] == b[i] {
			n++
		}
		if n >= long {
			text(b[start:i])
			parts = append(parts, fmt.Sprintf("%d * b(\"%02x\")", n, b[i]))
			start = i + n
		}
		i += n
	}
	text(b[start:])
	return strings.Join(parts, " + ")
}

// Comment makes a comment of a text, in a script or a Python program.
func Comment(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	for i, l := range lines {
		l = strings.Map(func(r rune) rune {
			if !unicode.IsPrint(r) {
				return '?'
			}
			return r
		}, l)
		lines[i] = strings.TrimRight("# "+l, " ")
	}
	return strings.Join(lines, "\n")
}
