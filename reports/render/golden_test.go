package render

import (
	"bytes"
	"flag"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nbdconform/reports/matrix"
	"nbdconform/reports/result"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares got with a file in testdata.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (run with -update to make it)", err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s differs (-golden +got); if it should, run with -update:\n%s", name, diff)
	}
}

var formats = map[string]func(io.Writer, result.Result) error{
	"txt":      func(w io.Writer, r result.Result) error { return Terminal(w, r, false) },
	"ansi.txt": func(w io.Writer, r result.Result) error { return Terminal(w, r, true) },
	"xml":      JUnit,
	"md":       Markdown,
	"html":     HTML,
	"sarif":    SARIF,
	"tap":      TAP,
	"svg":      Badge,
}

func TestGolden(t *testing.T) {
	for name, r := range samples() {
		for ext, write := range formats {
			t.Run(name+"."+ext, func(t *testing.T) {
				golden(t, name+"."+ext, rendered(t, r, write))
			})
		}
	}
	t.Run("matrix", func(t *testing.T) {
		golden(t, "matrix.txt", rendered(t, sampleMatrix(), MatrixTerminal))
		golden(t, "matrix.md", rendered(t, sampleMatrix(), MatrixMarkdown))
		golden(t, "matrix.html", rendered(t, sampleMatrix(), MatrixHTML))
	})
}

func rendered[T any](t *testing.T, v T, write func(io.Writer, T) error) []byte {
	t.Helper()
	var once, again bytes.Buffer
	if err := write(&once, v); err != nil {
		t.Fatal(err)
	}
	if err := write(&again, v); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(once.Bytes(), again.Bytes()) {
		t.Error("rendering twice gives two outputs")
	}
	return once.Bytes()
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

func TestWriteErrorsAreReported(t *testing.T) {
	for ext, write := range formats {
		if err := write(fullDisk{}, broken()); err == nil {
			t.Errorf("%s: no error from a full disk", ext)
		}
	}
	for name, write := range map[string]func(io.Writer, matrix.Matrix) error{"MatrixTerminal": MatrixTerminal, "MatrixMarkdown": MatrixMarkdown} {
		if err := write(fullDisk{}, sampleMatrix()); err == nil {
			t.Errorf("%s: no error from a full disk", name)
		}
	}
}
