package job

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nbdconform/reports/evidence"
)

// server is a job with the defaults of the flags.
func server(change func(*Job)) Job {
	j := Job{Provider: "container", Release: "trixie", Seed: 1}
	change(&j)
	return j
}

func TestJobsThatMakeNoSense(t *testing.T) {
	for want, change := range map[string]func(*Job){
		"name one thing to test":                         func(j *Job) { j.Target, j.URI = "nbdkit", "nbd://h" },
		"name one thing to test:":                        func(j *Job) { j.URI, j.Command = "nbd://h", []string{"true"} },
		`unknown target "qemu"`:                          func(j *Job) { j.Target = "qemu" },
		"--quirk goes with --target refer":               func(j *Job) { j.Target, j.Quirk = "nbdkit", "q" },
		"--profile goes with --target":                   func(j *Job) { j.URI, j.Profile = "nbd://h", "bare" },
		"--dialect goes with --uri":                      func(j *Job) { j.Target, j.Dialect = "nbdkit", "get-lba-status" },
		`unknown provider "vm"`:                          func(j *Job) { j.Provider = "vm" },
		`unknown release "buster": use one of bullseye,`: func(j *Job) { j.Release = "buster" },
		"--timeout can't be negative":                    func(j *Job) { j.Timeout = -1 },
		`scheme "http"`:                                  func(j *Job) { j.Target = "uri:http://h" },
	} {
		j := server(change)
		if err := j.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// A job has a name for its files, and a command that asks for the same.
func TestNamesAndCommands(t *testing.T) {
	export := "a b"
	for name, tc := range map[string]struct {
		job  Job
		name string
		args string
	}{
		"the default":         {server(func(*Job) {}), "reference", "--target reference"},
		"a quirk":             {server(func(j *Job) { j.Quirk = "q" }), "reference-q", "--target reference --quirk q"},
		"a server":            {server(func(j *Job) { j.Target, j.Profile = "nbdkit", "huge" }), "nbdkit-trixie-huge", "--target nbdkit --release trixie --profile huge"},
		"a default profile":   {server(func(j *Job) { j.Target, j.Profile = "nbdkit", "default" }), "nbdkit-trixie", "--target nbdkit --release trixie --profile default"},
		"a program on PATH":   {server(func(j *Job) { j.Target, j.Provider = "nbdkit", "local" }), "nbdkit-trixie-local", "--target nbdkit --provider local"},
		"an address":          {server(func(j *Job) { j.Target, j.Destructive = "uri:nbd://h/d", true }), "uri-nbd-h-d", "--uri nbd://h/d --destructive"},
		"a socket":            {server(func(j *Job) { j.URI = "nbd+unix:///?socket=/s" }), "uri-nbd-unix-socket-s", "--uri 'nbd+unix:///?socket=/s'"},
		"a command":           {server(func(j *Job) { j.Command = []string{"x", "a'b"} }), "command-x", `-- x 'a'\''b'`},
		"an export of spaces": {server(func(j *Job) { j.Export = &export }), "reference", "--target reference --export 'a b'"},
	} {
		if err := tc.job.Check(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got := tc.job.Name(); got != tc.name {
			t.Errorf("%s: name %s, want %s", name, got, tc.name)
		}
		if got := tc.job.Reproduce(""); got != "nbdconform run "+tc.args {
			t.Errorf("%s: %s, want %s", name, got, tc.args)
		}
	}
	j := server(func(*Job) {})
	if got := j.Reproduce("a && b"); got != "nbdconform run --filter 'a && b'" {
		t.Error(got)
	}
}

func client(change func(*Client)) Client {
	c := Client{Provider: "container", Release: "trixie", Timeout: ClientTimeout, Does: "visit"}
	change(&c)
	return c
}

func TestClientsThatMakeNoSense(t *testing.T) {
	for want, change := range map[string]func(*Client){
		"--does dance: use one of":    func(c *Client) { c.Does = "dance" },
		"it has to be positive":       func(c *Client) { c.Timeout = 0 },
		"which is it?":                func(c *Client) { c.Program, c.Command = "nbdcopy", []string{"x"} },
		"is for the reference client": func(c *Client) { c.Program, c.Quirk = "nbdcopy", "q" },
		`unknown provider "vm"`:       func(c *Client) { c.Provider = "vm" },
		`unknown release "buster"`:    func(c *Client) { c.Release = "buster" },
		`unknown client program "x"`:  func(c *Client) { c.Program = "x" },
	} {
		c := client(change)
		if err := c.Check(false); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	c := client(func(*Client) {})
	if err := c.Check(true); err == nil || !strings.Contains(err.Error(), "there is none") {
		t.Errorf("--does without a command: %v", err)
	}
}

func TestNamesAndCommandsOfClients(t *testing.T) {
	for name, tc := range map[string]struct {
		client     Client
		name, args string
	}{
		"the reference":     {client(func(*Client) {}), "client-reference", ""},
		"a program":         {client(func(c *Client) { c.Program = "nbdcopy" }), "client-nbdcopy-trixie", " --program nbdcopy --release trixie"},
		"a program on PATH": {client(func(c *Client) { c.Program, c.Provider = "nbdcopy", "local" }), "client-nbdcopy", " --program nbdcopy --provider local"},
		"a command":         {client(func(c *Client) { c.Command, c.Does = []string{"/bin/x", "{uri}"}, "map" }), "client-x", " --does map -- /bin/x '{uri}'"},
	} {
		if got := tc.client.Name(); got != tc.name {
			t.Errorf("%s: name %s, want %s", name, got, tc.name)
		}
		whole := tc.client.Job("dir")
		if got := whole.Reproduce(""); got != "nbdconform clients"+tc.args {
			t.Errorf("%s: %s, want %s", name, got, tc.args)
		}
	}
}

// A child gets its job as JSON, of which nothing may be lost.
func TestAJobSurvivesJSON(t *testing.T) {
	export := ""
	c := client(func(c *Client) { c.Program = "nbdcopy" })
	want := Job{
		Target: "t", URI: "u", Command: []string{"c"}, Provider: "p", Release: "r", Profile: "p", Quirk: "q", Dialect: "d",
		Export: &export, Destructive: true, Filter: "f", Seed: 3, Timeout: time.Second, EvidenceDir: "e", EvidenceRoom: 9, Client: &c,
	}
	text, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var got Job
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestTheJobInABundle(t *testing.T) {
	j := server(func(j *Job) { j.Target, j.Timeout = "nbdkit", 1500*time.Millisecond })
	want := evidence.Run{Target: "nbdkit", Provider: "container", Release: "trixie", TimeoutSeconds: 1.5, Filter: "f"}
	if d := cmp.Diff(want, j.Evidence("f")); d != "" {
		t.Error(d)
	}
	c := client(func(*Client) {})
	whole := c.Job("")
	if got := whole.Evidence("f"); got.Program != "reference" || got.Does != "" || got.TimeoutSeconds != 20 {
		t.Errorf("%+v", got)
	}
	j.EvidenceRoom = 1000
	if got := j.Limits(); got.Bytes != 1000 {
		t.Errorf("%+v", got)
	}
}

func TestSome(t *testing.T) {
	all := []string{"a", "b", "c"}
	for _, tc := range []struct{ names, want []string }{{nil, all}, {[]string{"c", "a"}, []string{"a", "c"}}} {
		if got, err := Some("letter", tc.names, all); err != nil || cmp.Diff(tc.want, got) != "" {
			t.Errorf("%v: %v, %v", tc.names, got, err)
		}
	}
	if _, err := Some("letter", []string{"d"}, all); err == nil || err.Error() != `unknown letter "d": use some of a, b, c` {
		t.Error(err)
	}
}
