package script

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"nbdconform/reference/wire"
)

// Parse reads a script as String writes it. Empty lines, and what follows a
// "#" at the start of a line, say nothing.
func Parse(text string) (Script, error) {
	var s Script
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		if name, ok := strings.CutPrefix(line, "profile "); ok {
			s.Profile = strings.TrimSpace(name)
			continue
		}
		o, err := ParseOp(line)
		if err != nil {
			return s, fmt.Errorf("line %d: %w", i+1, err)
		}
		s.Ops = append(s.Ops, o)
	}
	return s, nil
}

// ParseOp reads one operation.
func ParseOp(line string) (o Op, err error) {
	words, err := split(line)
	if err != nil {
		return o, err
	}
	if len(words) < 2 {
		return o, fmt.Errorf("%q is no operation: a connection and a verb are due", line)
	}
	if o.Conn, err = strconv.Atoi(words[0]); err != nil || o.Conn < 0 || o.Conn >= Connections {
		return o, fmt.Errorf("connection %q is not a number from 0 to %d", words[0], Connections-1)
	}
	verb, words := words[1], words[2:]
	switch verb {
	case "flags", "raw":
		if len(words) == 0 {
			return o, fmt.Errorf("%q lacks what is to be sent", verb)
		}
		if verb == "raw" {
			o.Kind = Raw
			o.Data, err = hex.DecodeString(words[0])
		} else {
			o.ClientFlags, err = parseFlags[wire.ClientFlags](words[0])
		}
		words = words[1:]
	case "await":
		o.Kind = Await
	case "half-close":
		o.Kind = Half
	case "close":
		o.Kind = Close
	default:
		err = o.verb(verb)
	}
	for _, w := range words {
		if err != nil {
			break
		}
		err = o.attribute(w)
	}
	return o, err
}

func (o *Op) verb(verb string) error {
	if t, ok := named[wire.Option](verb); ok {
		o.Kind, o.Option = Option, t
		return nil
	}
	if t, ok := named[wire.Command](verb); ok {
		o.Kind, o.Request.Type = Request, t
		return nil
	}
	return fmt.Errorf("%q is no verb: use the name of an option or a command, flags, raw, await, half-close or close", verb)
}

// split cuts a line into words; blanks within quotes are part of a word.
func split(line string) (words []string, err error) {
	start, quoted, escaped := -1, false, false
	for i := 0; i <= len(line); i++ {
		switch {
		case i == len(line) || line[i] == ' ' && !quoted:
			if start >= 0 {
				words = append(words, line[start:i])
			}
			start = -1
			continue
		case escaped:
			escaped = false
		case quoted && line[i] == '\\':
			escaped = true
		case line[i] == '"':
			quoted = !quoted
		}
		if start < 0 {
			start = i
		}
	}
	if quoted {
		return nil, errors.New("a quote is not closed")
	}
	return words, nil
}

// attribute reads one of the words behind the verb.
func (o *Op) attribute(word string) (err error) {
	key, value, _ := strings.Cut(word, "=")
	switch key {
	case "anyway":
		o.Anyway = true
	case "nowait":
		o.NoWait = true
	case "glue":
		o.Glue = true
	case "bare":
		o.Bare = true
	case "split":
		o.Split, err = strconv.Atoi(value)
	case "announce":
		var n uint64
		n, err = strconv.ParseUint(value, 0, 64)
		o.Announce = &n
	case "data":
		o.Data, err = hex.DecodeString(value)
	case "export":
		o.Export, err = strconv.Unquote(value)
	case "query":
		var q string
		q, err = strconv.Unquote(value)
		o.Queries = append(o.Queries, q)
	case "info":
		t, ok := named[wire.InfoType](value)
		if !ok {
			err = fmt.Errorf("%q is no information", value)
		}
		o.Infos = append(o.Infos, t)
	default:
		err = o.requestAttribute(key, value)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", word, err)
	}
	return nil
}

func (o *Op) requestAttribute(key, value string) (err error) {
	q := &o.Request
	switch key {
	case "offset":
		if rest, ok := strings.CutPrefix(value, "end"); ok {
			var n int64
			n, err = strconv.ParseInt(rest, 10, 64)
			o.FromEnd, q.Offset = true, uint64(n)
			return err
		}
		q.Offset, err = strconv.ParseUint(value, 0, 64)
	case "length":
		q.Length, err = strconv.ParseUint(value, 0, 64)
	case "cookie":
		q.Cookie, err = strconv.ParseUint(value, 0, 64)
	case "flags":
		q.Flags, err = parseFlags[wire.CommandFlags](value)
	case "fill":
		var n uint64
		n, err = strconv.ParseUint(value, 0, 8)
		o.Fill = Fill(n)
	case "contexts":
		o.Contexts = []int{}
		for _, w := range strings.FieldsFunc(value, func(r rune) bool { return r == ',' }) {
			i, err := strconv.Atoi(w)
			if err != nil {
				return err
			}
			o.Contexts = append(o.Contexts, i)
		}
	default:
		return errors.New("no operation has this")
	}
	return err
}
