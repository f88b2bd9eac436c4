package baseline

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nbdconform/reports/result"
)

// former is a baseline of version 1, of a result of schema 1.
const former = `# known
baseline: 1
entries:
  # exits
  - target: nbd-server
    versions: '>= 3.21, < 3.28'
    spec: abort.ack
    clause: opt.abort.ack
    verdict: fail
    signature: 'opt.abort.ack: want NBD_REP_ACK; gone'
    reason: Exits without an answer. # as it always did

  - target: nbd-server
    clause: opt.abort.data
    verdict: weak
    reason: The same.

  - target: nbd-server
    spec: info.empty
    verdict: hang
    signature:
      - 'opt.info: want an answer; something else'
      - 'opt.info: no answer within T'
    reason: Waits for more.

  - target: nbd-server
    spec: list.empty
    verdict: fail
    signature: 'opt.abort.ack: want NBD_REP_ACK; gone'
    reason: Another spec with a failure that is known.
`

func pair() Pair {
	before, after := run(), run()
	before.SchemaVersion, after.SchemaVersion = result.FormerVersion, result.SchemaVersion
	for i, sig := range map[int]string{
		1: "opt.abort.ack: want NBD_REP_ACK; gone", 2: "opt.abort.data: want nothing", 3: "opt.info: no answer within T",
	} {
		before.Specs[i].Signature = sig
	}
	return Pair{before, after}
}

func TestMigrate(t *testing.T) {
	p := pair()
	f, left, err := Migrate("known.yaml", []byte(former), []Pair{p})
	if err != nil {
		t.Fatal(err)
	}
	want := strings.NewReplacer(
		"baseline: 1", "baseline: 2", "verdict: weak", "verdict: warning", "'opt.abort.ack: want NBD_REP_ACK; gone'", "'opt.abort.ack: gone'",
		"'opt.info: no answer within T'", "'opt.info: silence'",
	).Replace(former)
	if diff := cmp.Diff(want, string(f.Bytes())); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(left) != 1 || !strings.Contains(left[0], "hang info.empty: opt.info: want an answer; something else") {
		t.Errorf("not migrated: %q", left)
	}

	// The entries match the failures that they matched before.
	if got := check(t, p.After, string(f.Bytes())); got != "stale list.empty" {
		t.Errorf("the gate finds %s", got)
	}

	if _, _, err := Migrate("known.yaml", f.Bytes(), []Pair{p}); err == nil {
		t.Error("a file is migrated twice")
	}
}

func TestMigrateWithheld(t *testing.T) {
	p := pair()
	weak := p.Before.Specs[2]
	weak.Verdict = "weak" // as the digest has it
	text := "baseline: 1\nentries:\n" +
		"  - target: nbd-server\n    withheld: " + Digest("nbd-server", p.Before.Specs[1]) + "\n    reason: later\n\n" +
		"  - target: nbd-server\n    withheld: " + Digest("nbd-server", weak) + "\n    reason: later\n\n" +
		"  - target: nbd-server\n    withheld: " + strings.Repeat("a", 32) + "\n    flaky: true\n    reason: later\n\n" +
		"  - target: nbd-server\n    spec: info.empty\n    verdict: hang\n    signature: 'opt.info: no answer within T'\n    reason: Waits.\n"
	f, left, err := Migrate("known.yaml", []byte(text), []Pair{p})
	if err != nil || len(left) != 1 || !strings.Contains(left[0], "withheld aaaa") {
		t.Fatalf("not migrated: %q, %v", left, err)
	}
	if got := check(t, p.After, string(f.Bytes())); got != "" {
		t.Errorf("the gate finds %s", got)
	}
}

// What a pair can't tell for certain stays as it is.
func TestMigrateDoesNotGuess(t *testing.T) {
	p := pair()
	p.Before.Specs[3].Verdict, p.After.Specs[3].Verdict = result.Fail, result.Fail
	p.Before.Specs[3].Signature = p.Before.Specs[1].Signature
	_, left, err := Migrate("known.yaml", []byte(former), []Pair{p})
	if err != nil || !strings.Contains(strings.Join(left, "\n"), "fail list.empty") {
		t.Errorf("a signature that became two was taken for one of them: %q, %v", left, err)
	}
}

func TestMigrateRefuses(t *testing.T) {
	p := pair()
	other := pair()
	other.After.Target.Name = "nbdkit"
	for name, tt := range map[string]struct {
		text string
		pair Pair
		want string
	}{
		"two results of schema 2": {former, Pair{p.After, p.After}, "schema 1"},
		"the wrong order":         {former, Pair{p.After, p.Before}, "schema 1"},
		"two targets":             {former, other, "nbdkit"},
		"a list in brackets":      {"baseline: 1\nentries: [{target: a, clause: b, verdict: fail, reason: y}]\n", p, "brackets"},
	} {
		if _, _, err := Migrate("known.yaml", []byte(tt.text), []Pair{tt.pair}); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
}
