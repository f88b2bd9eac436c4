package job

import (
	"regexp"
	"slices"
	"strings"

	"nbdconform/containers"
)

// Name is what the results of the job are filed under.
func (j *Job) Name() string {
	parts := []string{j.Target, j.Release, j.Profile, j.Quirk}
	switch {
	case j.Target == Reference:
		parts = []string{j.Target, j.Profile, j.Quirk}
	case j.URI != "":
		parts = []string{"uri", j.URI}
	case len(j.Command) > 0:
		parts = []string{"command", j.Command[0]}
	}
	if j.Provider == containers.Local && j.Target != Reference {
		parts = append(parts, "local")
	}
	parts = slices.DeleteFunc(parts, func(s string) bool { return s == "" || s == "default" })
	return strings.Trim(PathName(strings.Join(parts, "-")), "-.")
}

// PathName is text that can be part of a file's name.
func PathName(s string) string { return unsafeInPaths.ReplaceAllString(s, "-") }

var unsafeInPaths = regexp.MustCompile(`[^A-Za-z0-9._-]+`)

// args are the flags that ask for the same again.
func (j *Job) args() []string {
	var args []string
	add := func(flag, value string) {
		if value != "" {
			args = append(args, "--"+flag, value)
		}
	}
	add("target", j.Target)
	add("uri", j.URI)
	if j.Target != Reference {
		if j.Provider != containers.Container {
			add("provider", j.Provider)
		}
		if j.Provider != containers.Local && j.Target != "" {
			add("release", j.Release)
		}
	}
	add("profile", j.Profile)
	add("quirk", j.Quirk)
	add("dialect", j.Dialect)
	if j.Export != nil {
		add("export", *j.Export)
	}
	if j.Destructive && j.URI != "" {
		args = append(args, "--destructive")
	}
	return args
}

// Reproduce is the command that runs the specs that match filter again.
func (j *Job) Reproduce(filter string) string {
	if j.Client != nil {
		return j.Client.Reproduce(filter)
	}
	args := append([]string{"nbdconform", "run"}, j.args()...)
	if filter != "" {
		args = append(args, "--filter", filter)
	}
	if len(j.Command) > 0 {
		args = append(append(args, "--"), j.Command...)
	}
	for i, a := range args {
		args[i] = Quote(a)
	}
	return strings.Join(args, " ")
}

var plain = regexp.MustCompile(`^[A-Za-z0-9_@%+=:,./?-]+$`)

// Quote makes a word safe for a shell.
func Quote(s string) string {
	if plain.MatchString(s) && !strings.ContainsAny(s, "?") {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
