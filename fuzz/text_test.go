package fuzz

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"nbdconform/fuzz/internal/fromcapture"
	"nbdconform/fuzz/internal/script"
)

// seeds adds the contents of files in testdata to the seeds of a target.
func seeds[T any](f *testing.F, pattern string, convert func([]byte) T) {
	f.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", pattern))
	if err != nil || len(files) == 0 {
		f.Fatalf("%d files match %s, error %v", len(files), pattern, err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(convert(b))
	}
}

// FuzzScript parses any text as a script: what parses is written as text that
// parses to the same script.
func FuzzScript(f *testing.F) {
	seeds(f, "scripts/*.script", func(b []byte) string { return string(b) })
	for seed := range uint64(5) {
		f.Add(script.Generate(seed, script.Options{}).String())
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := script.Parse(text)
		if err != nil {
			return
		}
		checkText(t, s)
	})
}

// FuzzCapture makes scripts of any captures: the text of each parses to the
// same script.
func FuzzCapture(f *testing.F) {
	seeds(f, "recorded/nbd*.pcapng", func(b []byte) []byte { return b })
	f.Fuzz(func(t *testing.T, b []byte) {
		s, _, err := fromcapture.Read(bytes.NewReader(b))
		if err != nil {
			return
		}
		checkText(t, s)
	})
}

// checkText fails if the text of a script does not parse to the same script.
func checkText(t *testing.T, s script.Script) {
	t.Helper()
	again, err := script.Parse(s.String())
	if err != nil || again.String() != s.String() {
		t.Fatalf("error %v\n%v\nbecame\n%v", err, s, again)
	}
}
