package nbdserver

import (
	"fmt"

	"nbdconform/containers/internal/program"
	"nbdconform/reference/starttls"
)

// Program is nbd-server. Every export of it has a name.
var Program = program.Program{
	Name:          "nbd-server",
	Package:       "nbd-server",
	Interop:       []string{"default", "read-only", "rotational", "several-exports", "tls", "tls-required"},
	LeavesWaiting: true,

	Profiles: append([]program.Profile{
		profile("default", []string{"flush", "fua", "trim", "write-zeroes", "multi-conn"}, disk("disk", "flush fua trim")),
		profile("read-only", []string{"read-only", "multi-conn"}, disk("disk", "readonly")),
		profile("plain", []string{"write-zeroes", "multi-conn"}, disk("disk", "")).AsVariant(),
		profile("rotational", []string{"write-zeroes", "multi-conn", "rotational"}, disk("disk", "rotational")).AsVariant(),
		profile("copy-on-write", []string{"write-zeroes"}, disk("disk", "copyonwrite")),
		profile("several-exports", []string{"flush", "fua", "trim", "write-zeroes", "multi-conn"},
			disk("disk", "flush fua trim"), disk("locked", "readonly"), disk("other", "")).AsVariant(),
		durable(profile("default", []string{"flush", "fua", "trim", "write-zeroes", "multi-conn"}, disk("disk", "flush fua trim"))),
		withTLS("tls", []string{"starttls"}),
		withTLS("tls-required", []string{"starttls", "forced-tls"}, "force_tls = true"),
	}, variants()...),
}

// disk is an export of a file that has size bytes.
func disk(name, on string) export { return export{name: name, on: on, size: size} }

// durable returns a durable profile, from the version on that stays in the foreground.
func durable(s program.Profile) program.Profile {
	s = s.AsDurable("durable")
	s.Since = "3.26"
	return s
}

// withTLS returns a profile with TLS and one export.
func withTLS(name string, features []string, generic ...string) program.Profile {
	for key, file := range map[string]string{
		"certfile": starttls.ServerCert, "keyfile": starttls.ServerKey, "cacertfile": starttls.CACert,
	} {
		generic = append(generic, fmt.Sprintf("%s = $PWD/%s/%s", key, program.PKI, file))
	}
	e := disk("disk", "flush fua trim")
	s := profile(name, append([]string{"flush", "fua", "trim", "write-zeroes", "multi-conn"}, features...), e)
	s.Start = start([]export{e}, generic...)
	return s.WithTLS()
}

// profile returns a profile that tests the first of its exports and is certain of features.
func profile(name string, features []string, exports ...export) program.Profile {
	s := program.Profile{
		Name:     name,
		Export:   exports[0].name,
		Size:     size,
		Features: program.Promise(append([]string{fixed}, features...)...),
		Start:    start(exports),
	}
	for _, e := range exports {
		s.Exports = append(s.Exports, e.name)
	}
	return s
}
