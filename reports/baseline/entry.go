package baseline

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"nbdconform/reports/result"
)

// An Entry is a failure that is known.
type Entry struct {
	Target    string         `yaml:"target"`             // what the result calls it; "*" is any
	Versions  Versions       `yaml:"versions,omitempty"` // none: any
	Profile   string         `yaml:"profile,omitempty"`  // several with spaces between, "*" for anything; see ofProfile
	Release   string         `yaml:"release,omitempty"`  // of Debian; "" is any
	Spec      string         `yaml:"spec,omitempty"`     // id, in which "*" stands for anything
	Clause    string         `yaml:"clause,omitempty"`   // one of those that the spec cites
	Verdict   result.Verdict `yaml:"verdict,omitempty"`
	Signature Texts          `yaml:"signature,omitempty"` // any of them; see result.SignatureOf
	Withheld  string         `yaml:"withheld,omitempty"`  // a Digest in place of spec, clause, verdict and signature
	Flaky     bool           `yaml:"flaky,omitempty"`     // it may also pass
	Reason    string         `yaml:"reason"`
	Link      string         `yaml:"link,omitempty"`
	Expires   string         `yaml:"expires,omitempty"` // the last day, as 2027-01-31

	Line int `yaml:"-"` // where the entry stands in its file
}

// Corrupt is the verdict on wrong data under a success.
const Corrupt result.Verdict = "corrupt"

// grave reports whether v is too bad for a wildcard to wave it through.
func grave(v result.Verdict) bool {
	return v == result.Crash || v == result.Hang || v == Corrupt
}

var verdicts = []result.Verdict{
	result.Fail, result.Warning, result.Crash, result.Hang, Corrupt, result.Blocked, result.Inconclusive,
}

// wildcard reports whether e may stand for several specs.
func (e Entry) wildcard() bool {
	return e.Withheld == "" && (e.Spec == "" || strings.Contains(e.Spec, "*"))
}

// check says what is wrong with e by itself.
func (e Entry) check() error {
	switch {
	case e.Target == "":
		return errors.New("no target: name one, or * for any")
	case e.Withheld != "":
		return e.checkWithheld()
	case e.Spec == "" && e.Clause == "":
		return errors.New("neither spec nor clause: which failure is it about?")
	case !slices.Contains(verdicts, e.Verdict):
		return fmt.Errorf("verdict %q: want one of %v", e.Verdict, verdicts)
	case grave(e.Verdict) && (e.wildcard() || e.Target == "*" || len(e.Signature) == 0):
		return fmt.Errorf("a %s is never waved through by a wildcard: name target, spec and signature", e.Verdict)
	case e.Flaky && (e.wildcard() || e.Target == "*"):
		return errors.New("flaky goes with one target and one spec, not with a wildcard")
	case !e.wildcard() && len(e.Signature) == 0:
		return errors.New("no signature: copy it from the output of nbdconform gate")
	}
	if _, err := path.Match(e.Spec, ""); err != nil {
		return fmt.Errorf("spec %q: %w", e.Spec, err)
	}
	return e.checkRest()
}

func (e Entry) checkWithheld() error {
	switch b, err := hex.DecodeString(e.Withheld); {
	case err != nil || len(b) != digestSize:
		return fmt.Errorf("withheld: want a digest of %d hexadecimal digits", 2*digestSize)
	case e.Target == "*":
		return errors.New("a withheld entry names its target")
	case e.Spec != "" || e.Clause != "" || e.Verdict != "" || len(e.Signature) > 0:
		return errors.New("a withheld entry has no spec, clause, verdict or signature: the digest stands for them")
	}
	return e.checkRest()
}

func (e Entry) checkRest() error {
	if strings.TrimSpace(e.Reason) == "" {
		return errors.New("no reason: why is this failure put up with?")
	}
	for _, pattern := range strings.Fields(e.Profile) {
		if _, err := path.Match(pattern, ""); err != nil {
			return fmt.Errorf("profile %q: %w", pattern, err)
		}
	}
	if e.Link != "" {
		if u, err := url.Parse(e.Link); err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
			return fmt.Errorf("link %q: want an address that starts with https://", e.Link)
		}
	}
	if e.Expires != "" {
		if _, err := time.Parse(time.DateOnly, e.Expires); err != nil {
			return fmt.Errorf("expires %q: want a day like 2027-01-31", e.Expires)
		}
	}
	return nil
}

// expired reports whether the last day of e is over.
func (e Entry) expired(now time.Time) bool {
	return e.Expires != "" && now.UTC().Format(time.DateOnly) > e.Expires
}

// Todo opens a reason that nobody has given yet.
const Todo = "TODO"

func (e Entry) reasoned() bool { return !strings.HasPrefix(strings.TrimSpace(e.Reason), Todo) }

// applies reports whether e is about the target of a result.
func (e Entry) applies(t result.Target) bool {
	return (e.Target == "*" || e.Target == t.Name) && e.Versions.Contain(t.Version) &&
		e.ofProfile(t.Profile) && (e.Release == "" || e.Release == t.Release)
}

// names reports whether e is about a spec, whatever came of it.
func (e Entry) names(s result.Spec) bool {
	if e.Withheld != "" {
		return false
	}
	if e.Spec != "" {
		// Ids have no slashes, so that "*" matches dots as well.
		if ok, err := path.Match(e.Spec, s.ID); err != nil || !ok {
			return false
		}
	}
	return e.Clause == "" || slices.Contains(s.Clauses, e.Clause)
}

// knows reports whether e is about this very failure.
func (e Entry) knows(target string, s result.Spec) bool {
	if e.Withheld != "" {
		return e.Withheld == Digest(target, s)
	}
	return e.names(s) && e.Verdict == s.Verdict &&
		(len(e.Signature) == 0 || slices.Contains(e.Signature, signature(s)))
}

// signature is what the result says, or what its failures come to where it says
// nothing.
func signature(s result.Spec) string {
	if s.Signature != "" {
		return s.Signature
	}
	return result.SignatureOf(s)
}

const digestSize = 16

// Digest stands for a failure of a target in an entry that is withheld.
func Digest(target string, s result.Spec) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{"withheld", target, s.ID, string(s.Verdict), signature(s)}, "\n")))
	return hex.EncodeToString(sum[:digestSize])
}

// NewEntry is the entry for a failure that nobody has given a reason for.
func NewEntry(t result.Target, s result.Spec) Entry {
	e := Entry{
		Target: t.Name, Spec: s.ID, Verdict: s.Verdict, Signature: Texts{signature(s)}, Reason: Todo,
	}
	if len(s.Clauses) > 0 {
		e.Clause = s.Clauses[0]
	}
	if t.Version != "" {
		e.Versions = Versions{"= " + t.Version}
	}
	if !plain(t.Profile) {
		e.Profile = t.Profile
	}
	return e
}

// ofProfile reports whether e is about a profile. An entry that names none is
// about the default, and lets the same failure pass in others, where it need
// not come: see expected.
func (e Entry) ofProfile(name string) bool {
	return e.Profile == "" || slices.ContainsFunc(strings.Fields(e.Profile), func(pattern string) bool {
		ok, err := path.Match(pattern, name)
		return ok && err == nil
	})
}

// expected reports whether a run in this profile has to fail as e says.
func (e Entry) expected(profile string) bool { return e.Profile != "" || plain(profile) }

// plain reports whether a profile needs no mention.
func plain(profile string) bool {
	return slices.Contains([]string{"", "default", "command", "as found"}, profile)
}
