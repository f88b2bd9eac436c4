package job

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"nbdconform/conformance/subject"
	"nbdconform/conformance/subject/referenceclient"
	"nbdconform/containers"
	"nbdconform/containers/clients"
)

// A Client says which client program to judge, and how.
type Client struct {
	Program  string
	Provider string
	Release  string
	Quirk    string
	Filter   string
	Seed     int64
	Timeout  time.Duration
	Does     string
	Command  []string
}

// ClientTimeout is how long a program may take for a visit, unless told otherwise.
const ClientTimeout = 20 * time.Second

// Check refuses what makes no sense; doesGiven says that Does was asked for.
func (c *Client) Check(doesGiven bool) error {
	switch {
	case doesGiven && len(c.Command) == 0:
		return fmt.Errorf("--does %s says what a command after -- does, and there is none", c.Does)
	case !slices.Contains(subject.Operations, subject.Operation(c.Does)):
		return fmt.Errorf("--does %s: use one of %s", c.Does, Join(subject.Operations))
	case c.Timeout <= 0:
		return fmt.Errorf("--timeout %v: it has to be positive", c.Timeout)
	}
	return c.CheckProgram()
}

// CheckProgram finds what can be said to be wrong with the choice of a program.
func (c *Client) CheckProgram() error {
	named := c.Program != "" && c.Program != Reference
	switch {
	case c.Program != "" && len(c.Command) > 0:
		return fmt.Errorf("%s and a command after --: which is it?", c.Program)
	case c.Quirk != "" && (named || len(c.Command) > 0):
		return fmt.Errorf("--quirk %s is for the reference client", c.Quirk)
	case c.Provider != containers.Container && c.Provider != containers.Local:
		return fmt.Errorf("unknown provider %q: use %s or %s", c.Provider, containers.Container, containers.Local)
	case !slices.Contains(Releases(), c.Release):
		return fmt.Errorf("unknown release %q: use one of %s", c.Release, strings.Join(Releases(), ", "))
	case c.Timeout < 0:
		return fmt.Errorf("--timeout %v can't be negative", c.Timeout)
	}
	if named {
		_, err := clients.Find(c.Program)
		return err
	}
	return nil
}

// Join lists words with commas.
func Join[T ~string](list []T) string {
	words := make([]string, len(list))
	for i, w := range list {
		words[i] = string(w)
	}
	return strings.Join(words, ", ")
}

// Name is that of the reports' directory.
func (c *Client) Name() string {
	if len(c.Command) > 0 {
		return "client-" + filepath.Base(c.Command[0])
	}
	name := "client-" + cmp.Or(c.Program, Reference)
	if c.Program != "" && c.Program != Reference && c.Provider == containers.Container {
		name += "-" + c.Release
	}
	return name
}

// Job is the whole job, with evidence below a directory.
func (c *Client) Job(evidence string) Job {
	return Job{Target: cmp.Or(c.Program, Reference), Filter: c.Filter, Seed: c.Seed, EvidenceDir: evidence, Client: c}
}

// Open opens the program.
func (c *Client) Open(ctx context.Context, progress func(string)) (subject.Client, error) {
	switch {
	case len(c.Command) > 0:
		return clients.Command(c.Command, subject.Operation(c.Does))
	case c.Program == "" || c.Program == Reference:
		return referenceclient.Open(c.Quirk)
	}
	return clients.Open(ctx, clients.Request{Program: c.Program, Provider: c.Provider, Release: c.Release, Progress: progress})
}

// Reproduce is the command that runs a part again.
func (c *Client) Reproduce(filter string) string {
	words := []string{"nbdconform", "clients"}
	add := func(flag, value, normal string) {
		if value != normal {
			words = append(words, "--"+flag, Quote(value))
		}
	}
	add("program", c.Program, "")
	if c.Program != "" && c.Program != Reference {
		add("provider", c.Provider, containers.Container)
		if c.Provider == containers.Container {
			words = append(words, "--release", c.Release)
		}
	}
	add("quirk", c.Quirk, "")
	add("filter", filter, "")
	if len(c.Command) > 0 {
		add("does", c.Does, string(subject.Visit))
		words = append(words, "--")
		for _, w := range c.Command {
			words = append(words, Quote(w))
		}
	}
	return strings.Join(words, " ")
}
