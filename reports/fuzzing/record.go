package fuzzing

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// Version is that of the format.
const Version = 1

// File is the name of a record in the directory of its campaign.
const File = "campaign.json"

// A Record is what is known of a campaign so far.
type Record struct {
	Schema   string  `json:"$schema,omitempty"` // SchemaURL
	Campaign int     `json:"campaign"`          // Version
	Suite    string  `json:"suite"`             // version of nbdconform
	Subject  Subject `json:"subject"`
	// Against is what a differential campaign compares the subject with.
	Against *Subject `json:"against,omitempty"`

	Seed   uint64 `json:"seed"`
	Shard  int    `json:"shard"`
	Shards int    `json:"shards"`
	Next   uint64 `json:"next"` // number of the next input

	Started time.Time `json:"started"`
	Updated time.Time `json:"updated"`
	Seconds float64   `json:"seconds"` // that were spent on it, of all runs
	// Goal is how long the last run was to take, and Left what it still had to
	// do when it was interrupted; 0: it came to its end.
	Goal float64 `json:"goal"`
	Left float64 `json:"left"`

	Execs    int `json:"execs"`    // scripts that were run as inputs
	Requests int `json:"requests"` // that were answered
	Restarts int `json:"restarts"` // of the target
	Corpus   int `json:"corpus"`   // scripts that reached something new

	Points   []string     `json:"points"` // that the subject reached, sorted
	Findings []Finding    `json:"findings"`
	Differs  []Difference `json:"differences,omitempty"`
	Doubts   []string     `json:"doubts,omitempty"` // why it can't be trusted
}

// A Subject is what is fuzzed.
type Subject struct {
	Kind     string   `json:"kind"` // "server" or "client"
	Name     string   `json:"name"`
	Version  string   `json:"version,omitempty"`
	Provider string   `json:"provider,omitempty"`
	Release  string   `json:"suite,omitempty"`
	Profile  string   `json:"profile,omitempty"`
	Image    string   `json:"image,omitempty"`
	Quirk    string   `json:"quirk,omitempty"`
	Command  []string `json:"command,omitempty"`
}

// String names a subject for people.
func (s Subject) String() string {
	text := s.Name
	if s.Version != "" {
		text += " " + s.Version
	}
	var more []string
	for _, m := range []string{s.Release, s.Profile, s.Quirk} {
		if m != "" {
			more = append(more, m)
		}
	}
	if len(more) > 0 {
		text += " (" + strings.Join(more, ", ") + ")"
	}
	return text
}

// A Standing says what is to be made of a finding.
type Standing string

// The standings.
const (
	New         Standing = "new"         // it came again on a fresh server
	Warning     Standing = "weak"        // it was reproduced, and breaks only a SHOULD
	Known       Standing = "known"       // a baseline has its clause
	Unconfirmed Standing = "unconfirmed" // it did not come again
	FuzzerError Standing = "ours"        // the good reference shows it too: the fuzzer is wrong
)

// A Finding is something that was found, and everything else of its signature.
type Finding struct {
	Signature string    `json:"signature"`
	Kind      string    `json:"kind"`
	Clause    string    `json:"clause,omitempty"`
	About     string    `json:"about"`
	Detail    string    `json:"detail"`
	Standing  Standing  `json:"standing"`
	Reason    string    `json:"reason,omitempty"` // of the baseline
	Script    string    `json:"script"`           // shrunk, as text
	File      string    `json:"file,omitempty"`   // that has it, in the directory of the campaign
	Ops       int       `json:"ops"`
	Count     int       `json:"count"` // inputs that showed it
	First     time.Time `json:"first"`
	FirstExec int       `json:"firstExec"` // how many inputs had been run
}

// A Difference is a kind of answer that differs between the two targets of a
// differential campaign.
type Difference struct {
	Asked   string   `json:"asked"`
	Mode    string   `json:"mode"`
	One     string   `json:"one"`     // what the subject says
	Other   string   `json:"other"`   // what it is compared with says
	Verdict string   `json:"verdict"` // "both allowed", or "violates CLAUSE (NAME)"
	Count   int      `json:"count"`
	Script  string   `json:"script"` // the shortest that shows it
	Clauses []string `json:"clauses,omitempty"`
}

// Grave reports whether a finding counts even where it did not come again.
func (f Finding) Grave() bool { return f.Kind == "crash" }

// Broken are the findings that make a campaign fail.
func (r Record) Broken() (list []Finding) {
	for _, f := range r.Findings {
		if f.Standing == New || f.Standing == Unconfirmed && f.Grave() {
			list = append(list, f)
		}
	}
	return list
}

// Doubt is why the campaign can't be trusted, or "".
func (r Record) Doubt() string {
	list := slices.Clone(r.Doubts)
	if r.Execs == 0 {
		list = append(list, "not one script was run")
	} else if r.Unentered() {
		list = append(list, unentered)
	}
	for _, f := range r.Findings {
		if f.Standing == FuzzerError {
			list = append(list, "the good reference server shows "+f.Signature+" too")
		}
	}
	return strings.Join(list, "; ")
}

const unentered = "not one request was answered: is there an export to enter?"

// Unentered reports whether scripts ran, and none of them got into an export:
// the server wants another handshake, or a secret.
func (r Record) Unentered() bool {
	return r.Execs > 0 && r.Requests == 0 && r.Subject.Kind == "server"
}

// Exit is the exit status that a campaign deserves.
func (r Record) Exit() int {
	switch {
	case r.Doubt() != "":
		return 2
	case len(r.Broken()) > 0:
		return 1
	}
	return 0
}

// Apart reports whether nothing is to be said against a campaign but that no
// script of it got into an export: among others it is no reason to doubt those.
func (r Record) Apart() bool { return r.Doubt() == unentered }

// Exit is the exit status that several campaigns deserve together.
func Exit(list []Record) int {
	status, apart := 0, 0
	for _, r := range list {
		switch {
		case !r.Apart():
			status = max(status, r.Exit())
		case len(r.Broken()) > 0:
			status = max(status, 1)
		}
		if r.Apart() {
			apart++
		}
	}
	if apart == len(list) {
		return 2
	}
	return status
}

// Conclusion is the record in one line.
func (r Record) Conclusion() string {
	n := map[Standing]int{}
	for _, f := range r.Findings {
		n[f.Standing]++
	}
	text := fmt.Sprintf("%s: %d scripts in %.0f s, %d states and replies, %d findings", r.Subject, r.Execs, r.Seconds, len(r.Points), n[New])
	for _, s := range []Standing{Warning, Known, Unconfirmed} {
		if n[s] > 0 {
			text += fmt.Sprintf(", %d %s", n[s], s)
		}
	}
	if d := r.Doubt(); d != "" {
		text += ": not to be trusted: " + d
	}
	return text
}

// Write writes a record as JSON.
func Write(w io.Writer, r Record) error {
	r.Campaign, r.Schema = Version, SchemaURL
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	_, err = w.Write(append(b, '\n'))
	return err
}

// Read reads what Write wrote.
func Read(rd io.Reader) (r Record, err error) {
	b, err := io.ReadAll(rd)
	if err != nil {
		return r, err
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil {
		return r, fmt.Errorf("reading the record of a campaign: %w", err)
	}
	if d.More() {
		return r, errors.New("reading the record of a campaign: there is more behind it")
	}
	if r.Campaign != Version {
		return r, fmt.Errorf("reading the record of a campaign: its format is %d, want %d", r.Campaign, Version)
	}
	if err := validate(b); err != nil {
		return r, fmt.Errorf("reading the record of a campaign: %w", err)
	}
	return r, nil
}
