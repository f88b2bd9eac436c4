package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"time"

	"nbdconform/conformance/target"
	"nbdconform/conformance/target/inprocess"
	"nbdconform/containers"
	"nbdconform/reference/wire"
	"nbdconform/reports/evidence"
)

// An order is all that a run depends on. The parent checks it and hands it to
// the child.
type order struct {
	Target      string   // "reference", a program that package containers knows, or "" with URI or Command
	URI         string   // any server
	Command     []string // a server to start; {socket} or {port} stand for where it listens
	Provider    string   // "container" or "local"
	Suite       string   // Debian suite
	Profile     string
	Quirk       string // of the reference server
	Dialect     string // that the server at URI, or of Command, was told to speak
	Export      *string
	Destructive bool
	Filter      string
	Seed        int64
	Timeout     time.Duration
	Evidence    string       // directory of the result, where evidence goes; "": none is kept
	Room        int          // for recordings of the evidence, bytes; 0: as much as a single run may take
	Client      *clientOrder // a client to judge in place of a server, or nil
}

const reference = "reference"

// limits are those of the evidence.
func (o *order) limits() evidence.Limits {
	l := evidence.DefaultLimits
	if o.Room > 0 {
		l.Bytes = min(l.Bytes, o.Room)
	}
	return l
}

// check finds what can be said to be wrong without starting anything.
func (o *order) check() error {
	if rest, ok := strings.CutPrefix(o.Target, "uri:"); ok {
		o.Target, o.URI = "", rest
	}
	named := o.Target != ""
	switch {
	case named && o.URI != "" || o.URI != "" && len(o.Command) > 0 || named && len(o.Command) > 0:
		return errors.New("name one thing to test: --target, --uri or a command behind --")
	case !named && o.URI == "" && len(o.Command) == 0:
		o.Target = reference
	}
	switch targets := append([]string{reference}, targetNames()...); {
	case o.Target != "" && !slices.Contains(targets, o.Target):
		return fmt.Errorf("unknown target %q: use one of %s or uri:URI", o.Target, strings.Join(targets, ", "))
	case o.Quirk != "" && o.Target != reference:
		return errors.New("--quirk goes with --target reference")
	case o.Profile != "" && o.Target == "":
		return errors.New("--profile goes with --target")
	case o.Dialect != "" && o.Target != "":
		return errors.New("--dialect goes with --uri or a command; the reference server has profiles of them")
	case o.Provider != containers.Container && o.Provider != containers.Local:
		return fmt.Errorf("unknown provider %q: use %s or %s", o.Provider, containers.Container, containers.Local)
	case !slices.Contains(suiteNames(), o.Suite):
		return fmt.Errorf("unknown suite %q: use one of %s", o.Suite, strings.Join(suiteNames(), ", "))
	case o.Timeout < 0:
		return errors.New("--timeout can't be negative")
	}
	if _, err := wire.DialectOf(o.Dialect); err != nil {
		return err
	}
	if o.URI != "" {
		_, _, err := target.NewAddress(o.URI, false)
		return err
	}
	return nil
}

// open starts, or finds, what the order names.
func (o *order) open(ctx context.Context, progress func(string)) (target.Target, error) {
	switch {
	case o.Target == reference:
		return inprocess.Open(o.Profile, o.Quirk)
	case o.URI != "":
		a, warnings, err := target.NewAddress(o.URI, o.Destructive)
		for _, w := range warnings {
			progress(fmt.Sprint("warning: ", w))
		}
		if err == nil {
			a.SetDialect(o.dialect())
		}
		return a, err
	case len(o.Command) > 0:
		if _, err := exec.LookPath(o.Command[0]); err != nil {
			return nil, err
		}
		return containers.Command(ctx, o.Command, target.Profile{
			Name: "command", Destructive: true, Dialect: o.dialect(),
		})
	default:
		return containers.Open(ctx, containers.Request{
			Target: o.Target, Provider: o.Provider, Release: o.Suite, Profile: o.Profile, Progress: progress,
		})
	}
}

// dialect is that of a server which is not ours to set up. The order was checked.
func (o *order) dialect() wire.Dialect {
	d, _ := wire.DialectOf(o.Dialect)
	return d
}

// name is what the results of the order are filed under.
func (o *order) name() string {
	parts := []string{o.Target, o.Suite, o.Profile, o.Quirk}
	switch {
	case o.Target == reference:
		parts = []string{o.Target, o.Profile, o.Quirk}
	case o.URI != "":
		parts = []string{"uri", o.URI}
	case len(o.Command) > 0:
		parts = []string{"command", o.Command[0]}
	}
	if o.Provider == containers.Local && o.Target != reference {
		parts = append(parts, "local")
	}
	parts = slices.DeleteFunc(parts, func(s string) bool { return s == "" || s == "default" })
	return strings.Trim(unsafeInPaths.ReplaceAllString(strings.Join(parts, "-"), "-"), "-.")
}

var unsafeInPaths = regexp.MustCompile(`[^A-Za-z0-9._-]+`)

// args are the flags that ask for the same again.
func (o *order) args() []string {
	var args []string
	add := func(flag, value string) {
		if value != "" {
			args = append(args, "--"+flag, value)
		}
	}
	add("target", o.Target)
	add("uri", o.URI)
	if o.Target != reference {
		if o.Provider != containers.Container {
			add("provider", o.Provider)
		}
		if o.Provider != containers.Local && o.Target != "" {
			add("suite", o.Suite)
		}
	}
	add("profile", o.Profile)
	add("quirk", o.Quirk)
	add("dialect", o.Dialect)
	if o.Export != nil {
		add("export", *o.Export)
	}
	if o.Destructive && o.URI != "" {
		args = append(args, "--destructive")
	}
	return args
}

// reproduce is the command that runs the specs that match filter again.
func (o *order) reproduce(filter string) string {
	if o.Client != nil {
		return o.Client.reproduce(filter)
	}
	args := append([]string{"nbdconform", "run"}, o.args()...)
	if filter != "" {
		args = append(args, "--filter", filter)
	}
	if len(o.Command) > 0 {
		args = append(append(args, "--"), o.Command...)
	}
	for i, a := range args {
		args[i] = quote(a)
	}
	return strings.Join(args, " ")
}

var plain = regexp.MustCompile(`^[A-Za-z0-9_@%+=:,./?-]+$`)

// quote makes a word safe for a shell.
func quote(s string) string {
	if plain.MatchString(s) && !strings.ContainsAny(s, "?") {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
