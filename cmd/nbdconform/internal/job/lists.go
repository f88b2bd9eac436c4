package job

import "nbdconform/containers"

// Releases lists the Debian releases, oldest first.
func Releases() []string {
	var names []string
	for _, r := range containers.Releases() {
		names = append(names, r.Name)
	}
	return names
}

// Targets lists the server programs that run in containers.
func Targets() []string {
	var names []string
	for _, t := range containers.Targets() {
		names = append(names, t.Name)
	}
	return names
}
