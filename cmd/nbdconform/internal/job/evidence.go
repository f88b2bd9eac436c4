package job

import (
	"cmp"

	"nbdconform/reports/evidence"
)

// Evidence is the job as a bundle of evidence has it, with a filter of its own.
func (j *Job) Evidence(filter string) evidence.Run {
	if c := j.Client; c != nil {
		r := evidence.Run{
			Program: c.Program, Command: c.Command, Provider: c.Provider, Release: c.Release, Quirk: c.Quirk,
			TimeoutSeconds: c.Timeout.Seconds(), Filter: filter,
		}
		if len(c.Command) > 0 {
			r.Does = c.Does
		} else {
			r.Program = cmp.Or(c.Program, Reference)
		}
		return r
	}
	return evidence.Run{
		Target: j.Target, URI: j.URI, Command: j.Command, Provider: j.Provider, Release: j.Release, Profile: j.Profile,
		Quirk: j.Quirk, Export: j.Export, Destructive: j.Destructive, TimeoutSeconds: j.Timeout.Seconds(), Filter: filter,
	}
}
