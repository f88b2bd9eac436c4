package evidence

import (
	"time"

	"nbdconform/reports/recording"
	"nbdconform/reports/result"
)

// SchemaVersion is the version of bundle.json, by the rules of result.json's.
const SchemaVersion = "2.0"

// formerVersion is read as well.
const formerVersion = "1.0"

// The files of a bundle.
const (
	BundleFile     = "bundle.json"
	TranscriptFile = "transcript.txt"
	CaptureFile    = "capture.pcapng"
	ScriptFile     = "reproduce.py"
	StderrFile     = "stderr.txt"
)

// A Bundle is bundle.json.
type Bundle struct {
	SchemaVersion string          `json:"schemaVersion"`
	Spec          Spec            `json:"spec"`
	SeenIn        string          `json:"seenIn"` // the spec that ran, or "discovery"
	Target        result.Target   `json:"target"`
	Suite         result.Suite    `json:"suite"`
	Document      result.Document `json:"document"`
	Environment   Environment     `json:"environment"`
	Task          *Task           `json:"task,omitempty"` // of the program, if a client was tested
	Run           Run             `json:"run"`
	Command       string          `json:"command"` // that tries the spec again
	Recorded      time.Time       `json:"recorded"`
	Afterwards    Afterwards      `json:"afterwards"`
	Offending     *Place          `json:"offending,omitempty"`
	Connections   []Connection    `json:"connections"`
	Limits        string          `json:"limits"`            // of what is kept
	LeftOut       string          `json:"leftOut,omitempty"` // what is missing here, and why
}

// Spec is the spec and what came of it.
type Spec struct {
	ID       string         `json:"id"`
	Name     string         `json:"name"`
	Level    string         `json:"level"`
	Clause   string         `json:"clause"` // that was broken
	Clauses  []string       `json:"clauses"`
	Section  string         `json:"section,omitempty"`
	Requires string         `json:"requires,omitempty"`
	Location string         `json:"location,omitempty"`
	Verdict  result.Verdict `json:"verdict"`
	Message  string         `json:"message"`
}

// Environment is where the suite ran.
type Environment struct {
	OS     string `json:"os"`
	Arch   string `json:"arch"`
	Kernel string `json:"kernel,omitempty"`
	Go     string `json:"go"`
	CPUs   int    `json:"cpus"`
}

// Task is what a client program was to do.
type Task struct {
	Activity string   `json:"activity"`
	Argv     []string `json:"argv,omitempty"` // none of the reference client
	Dir      string   `json:"dir"`            // had the server's socket, and the files
	Export   string   `json:"export"`
	End      string   `json:"end"`             // of the program
	Wrote    string   `json:"wrote,omitempty"` // SHA-256 of the file that it wrote
}

// Run is what the suite was asked for, as far as it takes to ask again.
type Run struct {
	Program        string   `json:"program,omitempty"` // a client program
	Does           string   `json:"does,omitempty"`    // of a client program that Command starts
	Target         string   `json:"target,omitempty"`
	URI            string   `json:"uri,omitempty"`
	Command        []string `json:"command,omitempty"`
	Provider       string   `json:"provider,omitempty"`
	Release        string   `json:"suite,omitempty"`
	Profile        string   `json:"profile,omitempty"`
	Quirk          string   `json:"quirk,omitempty"`
	Export         *string  `json:"export,omitempty"`
	Destructive    bool     `json:"destructive,omitempty"`
	TimeoutSeconds float64  `json:"timeoutSeconds,omitempty"`
	Filter         string   `json:"filter"` // that runs the spec in question
}

// Afterwards is how the target was found behind the spec.
type Afterwards struct {
	Served bool   `json:"served"`          // a new connection, by a server
	State  string `json:"state,omitempty"` // of the program: running, exited, unknown
	Exit   string `json:"exit,omitempty"`
}

// A Place is a message of the side that was tested.
type Place struct {
	Connection int    `json:"connection"` // from 1
	Offset     int64  `json:"offset"`     // in what that side sent on it, bytes
	Length     uint64 `json:"length"`     // 0: nothing came, or the end
	// Judged says that the message as such broke the clause. Else it is the
	// last one that came before the spec was not content.
	Judged bool `json:"judged"`
}

// A Connection is what was recorded of one.
type Connection struct {
	ClientBytes int  `json:"clientBytes"`
	ServerBytes int  `json:"serverBytes"`
	ClientCut   bool `json:"clientCut,omitempty"` // the client said more, which was not kept
	ServerCut   bool `json:"serverCut,omitempty"`
	TLS         bool `json:"tls,omitempty"` // a part is the plain text from within TLS
}

// Material is what the files beside bundle.json are made from.
type Material struct {
	Recording  *recording.Recording // may be nil
	Transcript string
	Contents   []recording.Range // of the export, in what the server sent: they may differ another time
	Stderr     string
	Input      []byte             // of the file that a client program was to read
	Cookies    []recording.Cookie // in what was said to and by a client program
}

func connections(r *recording.Recording) []Connection {
	list := []Connection{}
	if r == nil {
		return list
	}
	for _, s := range r.Sums() {
		list = append(list, Connection{
			ClientBytes: s.Client, ServerBytes: s.Server, ClientCut: s.CutClient, ServerCut: s.CutServer, TLS: s.TLS,
		})
	}
	return list
}
