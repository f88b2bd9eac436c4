package matrix

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"nbdconform/reports/result"
)

// MaxBytes is the largest matrix.json that Read accepts.
const MaxBytes = 256 << 20

// file is a Matrix whose runs are still text, so that each goes through the
// one door of package result.
type file struct {
	Matrix
	Runs []json.RawMessage `json:"runs"`
}

// Write writes m as indented JSON, every run as [result.Write] has it.
func Write(w io.Writer, m Matrix) error {
	f := file{Matrix: m, Runs: make([]json.RawMessage, 0, len(m.Runs))}
	f.Schema = SchemaURL
	if f.SchemaVersion == "" || f.SchemaVersion == FormerVersion {
		f.SchemaVersion = SchemaVersion
	}
	if f.Pairings == nil {
		f.Pairings = []Pairing{}
	}
	if f.Skipped == nil {
		f.Skipped = []Skip{}
	}
	for _, r := range m.Runs {
		var b bytes.Buffer
		if err := result.Write(&b, r); err != nil {
			return fmt.Errorf("writing the run of %v: %w", PeerOf(r), err)
		}
		f.Runs = append(f.Runs, b.Bytes())
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	if err := enc.Encode(f); err != nil {
		return fmt.Errorf("writing matrix: %w", err)
	}
	return nil
}

// Read reads one matrix.json. What the schema does not allow and runs that
// [result.Read] refuses are errors.
func Read(r io.Reader) (Matrix, error) {
	b, err := io.ReadAll(io.LimitReader(r, MaxBytes+1))
	if err != nil {
		return Matrix{}, fmt.Errorf("reading matrix: %w", err)
	}
	if len(b) > MaxBytes {
		return Matrix{}, fmt.Errorf("reading matrix: larger than %d MiB", MaxBytes>>20)
	}
	m, err := parse(b)
	if err != nil {
		return Matrix{}, fmt.Errorf("reading matrix: %w", err)
	}
	return m, nil
}

func parse(b []byte) (Matrix, error) {
	var f file
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&f); err != nil {
		return Matrix{}, err
	}
	if dec.More() {
		return Matrix{}, errors.New("something follows the document")
	}
	if f.SchemaVersion != SchemaVersion && f.SchemaVersion != FormerVersion {
		return Matrix{}, fmt.Errorf("schemaVersion: %.20q is unknown here, this program reads %q and %q", f.SchemaVersion, SchemaVersion, FormerVersion)
	}
	if err := validate(b); err != nil {
		return Matrix{}, err
	}
	m := f.Matrix
	for i, text := range f.Runs {
		r, err := result.Read(bytes.NewReader(text))
		if err != nil {
			return Matrix{}, fmt.Errorf("runs[%d]: %w", i, err)
		}
		m.Runs = append(m.Runs, r)
	}
	return m, nil
}
