package matrix

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
)

// A Store says which files of an earlier matrix are taken as they are.
type Store struct {
	Version string // of the suite
	Fresh   bool   // none are
}

// takes reports whether what a version of the suite found is what this one
// would find. A suite that was built from uncommitted files is never the same.
func (s Store) takes(version string) bool {
	unsettled := strings.HasSuffix(version, "-dirty") || version == "unknown"
	return !s.Fresh && version == s.Version && !unsettled
}

// read reads JSON from a file.
func read(file string, v any) error {
	b, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	return json.Unmarshal(b, v)
}

// write writes JSON to a file, whose directory it makes.
func write(file string, v any) error {
	b, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil { // #nosec: reports are for everybody
		return err
	}
	return os.WriteFile(file, b, 0o644) // #nosec: reports are for everybody
}
