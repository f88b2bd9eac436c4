package result

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// MaxBytes is the largest result.json that Read accepts and Write makes.
const MaxBytes = 64 << 20

// Write writes r as indented JSON, complete: Summary is counted afresh, lists
// that are nil become empty, an empty SchemaVersion is filled in, long
// transcripts lose their middle, and a spec that owes a reason and has none
// says so. Signatures are added. A result of a former version is written as it
// was read. Write refuses whatever Read would refuse, before it writes a byte.
func Write(w io.Writer, r Result) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	r = complete(r)
	if r.Former() {
		r = withFormerNames(r)
	}
	if err := enc.Encode(r); err != nil {
		return fmt.Errorf("encoding result: %w", err)
	}
	if _, err := parse(b.Bytes()); err != nil {
		return fmt.Errorf("writing result: %w", err)
	}
	if _, err := w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("writing result: %w", err)
	}
	return nil
}

// Read reads one result.json and nothing after it. The error of a document
// that doesn't fit the schema names the place, as in
//
//	reading result: specs[3] ("cmd.read").verdict: value must be one of ...
//
// Beyond the schema it insists that the ids of specs are unique and that
// Summary is what counting the specs gives.
func Read(r io.Reader) (Result, error) {
	b, err := io.ReadAll(io.LimitReader(r, MaxBytes+1))
	if err != nil {
		return Result{}, fmt.Errorf("reading result: %w", err)
	}
	res, err := parse(b)
	if err != nil {
		return Result{}, fmt.Errorf("reading result: %w", err)
	}
	return res, nil
}

func parse(b []byte) (Result, error) {
	if len(b) > MaxBytes {
		return Result{}, fmt.Errorf("larger than %d MiB", MaxBytes>>20)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		return Result{}, jsonError(b, err)
	}
	version, err := knownVersion(doc)
	if err != nil {
		return Result{}, err
	}
	if err := validate(doc, version); err != nil {
		return Result{}, err
	}
	var r Result
	if err := json.Unmarshal(b, &r); err != nil {
		return Result{}, jsonError(b, err)
	}
	if r.Former() {
		r = withCurrentNames(r)
	}
	if err := consistent(r); err != nil {
		return Result{}, err
	}
	return r, nil
}

// jsonError adds the line to an error of the JSON decoder. Decoders count
// bytes, people count lines.
func jsonError(b []byte, err error) error {
	offset := int64(-1)
	if se, ok := errors.AsType[*json.SyntaxError](err); ok {
		offset = se.Offset
	} else if te, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		offset = te.Offset
	}
	if offset < 0 || offset > int64(len(b)) {
		return fmt.Errorf("not a JSON document: %w", err)
	}
	return fmt.Errorf("line %d: %w", 1+bytes.Count(b[:offset], []byte("\n")), err)
}

// knownVersion speaks before the schema does: a document of another version
// may be wrong in a hundred places, and only one of them matters.
func knownVersion(doc any) (string, error) {
	m, ok := doc.(map[string]any)
	if !ok {
		return "", errors.New("document: want an object")
	}
	switch v := m["schemaVersion"].(type) {
	case nil:
		return "", errors.New("document: no schemaVersion, so not a result of this suite")
	case string:
		if v != SchemaVersion && v != FormerVersion {
			return "", fmt.Errorf("schemaVersion: %.20q is unknown here, this program reads %q and %q", v, SchemaVersion, FormerVersion)
		}
		return v, nil
	}
	return "", nil
}

func consistent(r Result) error {
	at := make(map[string]int, len(r.Specs))
	for i, s := range r.Specs {
		if j, ok := at[s.ID]; ok {
			return fmt.Errorf("specs[%d].id: %.60q is the id of specs[%d] already", i, s.ID, j)
		}
		at[s.ID] = i
	}
	counted := Result{Specs: r.Specs}
	counted.Count()
	for _, v := range Verdicts {
		if got, want := r.Summary[v], counted.Summary[v]; got != want {
			return fmt.Errorf("summary.%s: %d, but counting the specs gives %d", v, got, want)
		}
	}
	return nil
}

// complete returns r as it is written down. It shares nothing with r that it changes.
func complete(r Result) Result {
	if r.SchemaVersion == "" {
		r.SchemaVersion = SchemaVersion
	}
	r.Target.Advertised = orEmpty(r.Target.Advertised)
	r.Observations = orEmpty(r.Observations)
	r.Specs = orEmpty(slices.Clone(r.Specs))
	for i := range r.Specs {
		s := &r.Specs[i]
		s.Clauses = orEmpty(s.Clauses)
		if s.Message == "" && s.Verdict != Pass {
			s.Message = "no reason was recorded"
		}
		if s.Signature == "" && !r.Former() {
			s.Signature = SignatureOf(*s)
		}
		s.shortenTranscript()
		s.Stderr = withoutMiddle(s.Stderr)
	}
	r.Count()
	return r
}

func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// MaxText is how much of a transcript, or of a stderr, Write keeps.
const MaxText = 256 << 10

// half of a text is kept at either end. There is room for the note between them,
// so that writing twice changes nothing.
const half = MaxText/2 - 32

// shortenTranscript takes the middle out of a long transcript. Marks stay at
// their lines as long as these are there.
func (s *Spec) shortenTranscript() {
	before := strings.ToValidUTF8(s.Transcript, "\uFFFD")
	s.Transcript = withoutMiddle(s.Transcript)
	if len(s.Marks) == 0 || s.Transcript == before {
		return
	}
	was, is := strings.Count(before, "\n"), strings.Count(s.Transcript, "\n")
	head := strings.Count(s.Transcript[:half], "\n") // whole lines before the note
	tail := strings.Count(s.Transcript[len(s.Transcript)-half:], "\n")
	var marks []Mark
	for _, m := range s.Marks {
		switch {
		case m.Line <= head:
			marks = append(marks, m)
		case m.Line > was-tail+1:
			m.Line += is - was
			marks = append(marks, m)
		}
	}
	s.Marks = marks
}

func withoutMiddle(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if len(s) <= MaxText {
		return s
	}
	left := len(s) - 2*half
	return fmt.Sprintf("%s\n[%d bytes left out]\n%s", s[:half], left, s[len(s)-half:])
}
