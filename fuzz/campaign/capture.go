package campaign

import (
	"nbdconform/fuzz/internal/fromcapture"
	"nbdconform/fuzz/session"
)

// FindCapture returns the capture at a path: the path is that of a capture, by
// its extension, or of an evidence bundle with a capture in it. ok is false for
// anything else.
func FindCapture(path string) (file string, ok bool) { return fromcapture.Find(path) }

// LoadCapture makes a script of what clients sent in a capture. The notes say
// what the script omits.
func LoadCapture(file string) (saved session.Saved, notes []string, err error) {
	saved.Script, notes, err = fromcapture.Load(file)
	return saved, notes, err
}
