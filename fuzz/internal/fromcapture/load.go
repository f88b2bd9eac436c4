package fromcapture

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"nbdconform/fuzz/internal/script"
	"nbdconform/reports/evidence"
)

// Extensions end the names of captures.
var Extensions = []string{".pcapng", ".pcap"}

// Find returns the capture that a path stands for: it is one, by its name, or
// an evidence bundle that has one. ok is false for anything else.
func Find(path string) (file string, ok bool) {
	if slices.Contains(Extensions, filepath.Ext(path)) {
		return path, true
	}
	if filepath.Base(path) == evidence.BundleFile {
		path = filepath.Dir(path)
	} else if _, err := os.Stat(filepath.Join(path, evidence.BundleFile)); err != nil {
		return "", false
	}
	return filepath.Join(path, evidence.CaptureFile), true
}

// Load makes a script of a file, see [Read].
func Load(file string) (script.Script, []string, error) {
	f, err := os.Open(file)
	if err != nil {
		return script.Script{}, nil, err
	}
	defer func() { _ = f.Close() }()
	s, notes, err := Read(f)
	if err != nil {
		return s, notes, fmt.Errorf("%s: %w", file, err)
	}
	return s, notes, nil
}
