package evidence

import (
	"bytes"
	"compress/zlib"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// What is said to a server, what is said to a client, and what both scripts have.
var (
	//go:embed reproduce.py
	toServer string
	//go:embed reproduce_client.py
	toClient string
	//go:embed recorded.py
	common string
)

// headLines is how much of the transcript stands at the head of the script.
const headLines = 60

// script makes reproduce.py: the program with the recording inside.
func script(b Bundle, m Material) ([]byte, error) {
	if m.Recording == nil {
		return nil, nil
	}
	program := toServer
	if b.Task != nil {
		program = toClient
	}
	about, err := json.Marshal(map[string]any{
		"spec": b.Spec.ID, "verdict": b.Spec.Verdict, "clause": b.Spec.Clause, "message": b.Spec.Message,
		"served": b.Afterwards.Served, "offending": b.Offending, "contents": contents(m),
		"task": b.Task, "cookies": cookies(m),
	})
	if err != nil {
		return nil, err
	}
	data, err := pack(m)
	if err != nil {
		return nil, err
	}
	head := commented(fmt.Sprintf("%s of %s %s\n%s: %s\n\n%s", b.Spec.ID, b.Target.Name, b.Target.Version,
		b.Spec.Clause, b.Spec.Requires, firstLines(m.Transcript, headLines)))
	// A raw literal ends at three quotes; JSON has another way to write one.
	text := strings.ReplaceAll(string(about), "'", `\u0027`)
	program = strings.Replace(program, "@COMMON@\n", common, 1)
	return []byte(strings.NewReplacer("@HEAD@", head, "@ABOUT@", text, "@DATA@", data).Replace(program)), nil
}

// contents are the ranges of contents as [connection from 0, start, end].
func contents(m Material) [][3]int64 {
	list := [][3]int64{}
	for _, c := range m.Contents {
		list = append(list, [3]int64{int64(c.Conn), c.Start, c.End})
	}
	return list
}

// cookies are the places of cookies as [connection from 0, client, offset].
func cookies(m Material) [][3]any {
	list := [][3]any{}
	for _, c := range m.Cookies {
		list = append(list, [3]any{c.Conn, c.Client, c.Offset})
	}
	return list
}

// pack is the recording in the form that the script reads.
func pack(m Material) (string, error) {
	var events [][]any
	var body bytes.Buffer
	for _, e := range m.Recording.Events {
		events = append(events, []any{e.Conn, e.Kind, len(e.Bytes), e.Text})
		body.Write(e.Bytes)
	}
	if len(m.Input) > 0 {
		events = append(events, []any{-1, "input", len(m.Input), ""})
		body.Write(m.Input)
	}
	head, err := json.Marshal(events)
	if err != nil {
		return "", err
	}
	var out bytes.Buffer
	z := zlib.NewWriter(&out)
	if _, err := z.Write(slices.Concat(head, []byte("\n"), body.Bytes())); err != nil {
		return "", err
	}
	if err := z.Close(); err != nil {
		return "", err
	}
	var lines []string
	for part := range slices.Chunk([]byte(base64.StdEncoding.EncodeToString(out.Bytes())), 76) {
		lines = append(lines, string(part))
	}
	return strings.Join(lines, "\n"), nil
}

func firstLines(s string, n int) string {
	lines := strings.Split(strings.TrimRight(s, "\n"), "\n")
	if len(lines) > n {
		lines = append(lines[:n], fmt.Sprintf("(%d lines more in %s)", len(lines)-n, TranscriptFile))
	}
	return strings.Join(lines, "\n")
}

// commented makes text from a target safe in a comment of Python's.
func commented(s string) string {
	s = strings.Map(func(c rune) rune {
		if c != '\n' && !unicode.IsPrint(c) {
			return '?'
		}
		return c
	}, strings.ToValidUTF8(s, "?"))
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		lines[i] = strings.TrimRight("# "+l, " ")
	}
	return strings.Join(lines, "\n")
}
