package containers

import (
	"encoding/json"
	"errors"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"nbdconform/conformance/subject"
	"nbdconform/containers/containertest"
	"nbdconform/reference/starttls"
	"nbdconform/reference/starttls/pki"
)

// releasesVariable names the releases whose servers are held to their promises:
// NBDCONFORM_RELEASES="trixie sid" go test -run Promises ./containers
const releasesVariable = "NBDCONFORM_RELEASES"

func TestPromisesAreKeptByLocalServers(t *testing.T) {
	containertest.NeedProgram(t, "nbdinfo")
	eachProfile(t, Request{Provider: Local})
}

func TestPromisesAreKeptInContainers(t *testing.T) {
	releases := strings.Fields(os.Getenv(releasesVariable))
	if len(releases) == 0 {
		t.Skipf("%s is not set", releasesVariable)
	}
	containertest.NeedProgram(t, "nbdinfo")
	for _, release := range releases {
		t.Run(release, func(t *testing.T) {
			containertest.NeedImage(t, release)
			eachProfile(t, Request{Release: release})
		})
	}
}

func eachProfile(t *testing.T, r Request) {
	for _, info := range Targets() {
		profiles := info.Profiles
		if r.Provider == Local {
			profiles = info.Representative // the others take a minute: a sweep holds them to their promises too
		}
		for _, profile := range profiles {
			t.Run(info.Name+"/"+profile, func(t *testing.T) {
				r := r
				r.Target, r.Profile = info.Name, profile
				if r.Provider == Local {
					containertest.NeedProgram(t, info.Name)
				}
				s, err := Open(t.Context(), r)
				if errors.Is(err, starttls.ErrNoGnuTLS) || errors.Is(err, ErrTooOld) {
					t.Skip(err)
				} else if err != nil {
					t.Fatal(err)
				}
				defer s.Close()
				keepsPromises(t, s)
			})
		}
	}
}

// keepsPromises asks nbdinfo, an independent client, what the server advertises.
func keepsPromises(t *testing.T, s subject.Server) {
	t.Helper()
	p := s.Profile()
	out, err := exec.Command("nbdinfo", "--json", "--no-content", uri(t, s)).Output()
	if err != nil {
		t.Fatalf("nbdinfo: %v", err)
	}
	var said struct {
		Structured bool
		Exports    []map[string]any
	}
	if err := json.Unmarshal(out, &said); err != nil || len(said.Exports) != 1 {
		t.Fatalf("%v: %s", err, out)
	}
	e := said.Exports[0]
	contexts, _ := e["contexts"].([]any)
	advertised := map[string]bool{
		"structured-reply": said.Structured,
		"meta-context":     len(contexts) > 0,
		"block-status":     slices.Contains(contexts, any("base:allocation")),
		"block-size":       e["block_size_minimum"] != nil,
	}
	for key, feature := range map[string]string{
		"can_flush": "flush", "can_fua": "fua", "can_trim": "trim", "can_zero": "write-zeroes",
		"can_fast_zero": "fast-zero", "can_cache": "cache", "can_df": "df", "can_multi_conn": "multi-conn",
		"is_read_only": "read-only", "is_rotational": "rotational",
	} {
		advertised[feature] = e[key] == true
	}
	for f, is := range advertised {
		switch promised := slices.Contains(p.Features, f); {
		case promised && !is:
			t.Errorf("%s is promised and not advertised", f)
		case is && !promised:
			t.Logf("%s %s advertises %s without a promise", s.Identity().Name, p.Name, f)
		}
	}
	if !p.Destructive {
		t.Error("the specs may not write to a disk that is there for them alone")
	}
}

func uri(t *testing.T, s subject.Server) string {
	switch s.Profile().Name {
	case "tls-psk":
		t.Skip("the key is in the directory of the server; the suite has it")
	case "tls-anon":
		t.Skip("libnbd has no anonymous TLS")
	}
	scheme, query := "nbd", url.Values{}
	if slices.Contains(s.Profile().Features, "forced-tls") {
		scheme = "nbds"
		dir := t.TempDir()
		if err := pki.Shared().Write(dir); err != nil {
			t.Fatal(err)
		}
		query.Set("tls-certificates", dir)
	}
	u := url.URL{Scheme: scheme, Path: "/" + s.Profile().Export}
	switch i := s.(*server).current().(type) {
	case *contained:
		u.Host = i.mapped
	case *process:
		u.Scheme += "+unix"
		query.Set("socket", i.addr)
	}
	u.RawQuery = query.Encode()
	return u.String()
}
