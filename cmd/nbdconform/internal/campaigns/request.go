package campaigns

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"nbdconform/cmd/nbdconform/internal/job"
)

// A Request is all that a campaign, or a sweep of them, depends on.
type Request struct {
	job.Job
	Against   string // what to compare with: TARGET, TARGET:RELEASE or uri:URI
	Program   string // a client to fuzz
	Does      string // what Command does, which is a client then
	Time      time.Duration
	Seed      uint64 // of the inputs
	Shard     string // I/N or /N
	Dir       string // of the campaign; "": one by the name of the request
	Corpus    []string
	Baselines []string
	Patience  time.Duration // until something that is missing counts as missing
	Version   string        // of the suite

	shard, shards int
}

// All stands for every server that package containers knows, or for every
// profile.
const All = "all"

// Sweeps reports whether the request is about several targets or profiles.
func (r *Request) Sweeps() bool { return r.Target == All || r.Profile == All }

// Check finds what can be said to be wrong without starting anything.
func (r *Request) Check() error {
	if r.Time <= 0 || r.Patience <= 0 {
		return errors.New("--time and --patience have to be positive")
	}
	if err := r.parseShard(); err != nil {
		return err
	}
	if r.IsClient() {
		return r.checkClient()
	}
	plain := r.Job
	if plain.Target == All {
		plain.Target = ""
		if plain.URI != "" || len(plain.Command) > 0 || r.Quirk != "" {
			return errors.New("--target all goes with neither --uri, --quirk nor a command")
		}
	}
	if plain.Profile == All {
		if plain.URI != "" || len(plain.Command) > 0 {
			return errors.New("--profile all goes with --target")
		}
		plain.Profile = ""
	}
	sweeps := plain.Target != r.Target || plain.Profile != r.Profile
	if sweeps && (r.Against != "" || r.Shard != "") {
		return errors.New("--against and --shard go with one target in one profile")
	}
	if err := plain.Check(); err != nil {
		return err
	}
	if !sweeps {
		r.Job = plain
	} else if r.Target != All {
		r.Target = plain.Target
	}
	if r.Against != "" {
		_, err := r.other()
		return err
	}
	return nil
}

var shardForm = regexp.MustCompile(`^(\d*)/(\d+)$`)

// parseShard reads --shard. In an indexed job of Kubernetes the number comes
// from the environment.
func (r *Request) parseShard() error {
	r.shard, r.shards = 0, 1
	if r.Shard == "" {
		return nil
	}
	m := shardForm.FindStringSubmatch(r.Shard)
	if m == nil {
		return fmt.Errorf("--shard %q: want I/N, such as 0/4", r.Shard)
	}
	index := m[1]
	if index == "" {
		if index = os.Getenv("JOB_COMPLETION_INDEX"); index == "" {
			return fmt.Errorf("--shard %s takes its number from JOB_COMPLETION_INDEX, which is not set", r.Shard)
		}
	}
	i, err := strconv.Atoi(index)
	n, err2 := strconv.Atoi(m[2])
	if err != nil || err2 != nil || i < 0 || i >= n {
		return fmt.Errorf("--shard %s: there is no part %s of %s, they count from 0", r.Shard, index, m[2])
	}
	r.shard, r.shards = i, n
	return nil
}

// other is the job for what --against names.
func (r *Request) other() (job.Job, error) {
	b := job.Job{Target: r.Against, Provider: r.Provider, Release: r.Release, Profile: r.Profile, Destructive: r.Destructive}
	if !strings.HasPrefix(r.Against, "uri:") {
		if name, release, ok := strings.Cut(r.Against, ":"); ok {
			b.Target, b.Release = name, release
		}
	}
	if b.URI != "" || strings.HasPrefix(b.Target, "uri:") {
		b.Profile = ""
	}
	err := b.Check()
	return b, err
}

// Directory is where the campaign is kept.
func (r *Request) Directory() string {
	if r.Dir != "" {
		return r.Dir
	}
	name := r.Name()
	if r.IsClient() {
		who := r.program()
		name = who.Name()
	}
	name = "fuzz-" + name
	if r.Against != "" {
		name += "-against-" + strings.Trim(job.PathName(r.Against), "-")
	}
	if r.shards > 1 {
		name += fmt.Sprintf("-%d-of-%d", r.shard, r.shards)
	}
	return filepath.Join("reports", "out", name)
}
