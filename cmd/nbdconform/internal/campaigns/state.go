package campaigns

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"time"

	"nbdconform/reports/render"
)

// A state says how far a sweep is, so that one that was stopped goes on.
type state struct {
	Goal time.Duration `json:"goal"` // of the whole sweep
	Done []string      `json:"done"` // names of campaigns that came to their end
}

// StateFile has the state, in the directory of a sweep.
const StateFile = "sweep.json"

func readState(dir string) (s state) {
	text, err := os.ReadFile(filepath.Join(dir, StateFile))
	if err == nil && json.Unmarshal(text, &s) != nil {
		return state{}
	}
	return s
}

func (s state) write(dir string) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	return render.Replace(filepath.Join(dir, StateFile), func(w io.Writer) error { return json.NewEncoder(w).Encode(s) })
}
