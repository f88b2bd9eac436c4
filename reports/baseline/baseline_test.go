package baseline

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nbdconform/reports/result"
)

var today = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// run is a result with one spec of every kind that the tests need.
func run() result.Result {
	r := result.Result{
		Target: result.Target{Name: "nbd-server", Version: "1:3.24-1.1", Release: "bookworm", Profile: "default"},
		Specs: []result.Spec{
			{ID: "read.ok", Verdict: result.Pass, Clauses: []string{"cmd.read"}},
			{ID: "abort.ack", Verdict: result.Fail, Clauses: []string{"opt.abort.ack"}, Message: "want NBD_REP_ACK; the server ended the connection", Signature: "opt.abort.ack: gone"},
			{ID: "abort.data", Verdict: result.Warning, Clauses: []string{"opt.abort.data"}, Message: "warned", Signature: "opt.abort.data: warned"},
			{ID: "info.empty", Verdict: result.Hang, Clauses: []string{"opt.info"}, Message: "silence", Signature: "opt.info: silence"},
			{ID: "trim.odd", Verdict: result.Unsupported, Clauses: []string{"cmd.trim"}, Message: "none"},
			{ID: "judge.cookie", Group: result.JudgeGroup, Verdict: result.Pass, Clauses: []string{"cookie"}},
		},
	}
	r.Count()
	return r
}

const head = "baseline: 2\nentries:\n"

// whole is a baseline that is true of run.
const whole = head + `
  # exits
  - target: nbd-server
    versions: ">= 3.21, < 3.28"
    spec: abort.ack
    clause: opt.abort.ack
    verdict: fail
    signature: "opt.abort.ack: gone"
    reason: Exits without an answer. # as it always did
    link: https://example.org/1

  - target: nbd-server
    clause: opt.abort.data
    verdict: warning
    reason: The same.

  - target: nbd-server
    spec: info.empty
    verdict: hang
    signature: ["opt.info: other", "opt.info: silence"]
    reason: Waits for more.
    expires: 2026-11-20
`

func parsed(t *testing.T, text string) *File {
	t.Helper()
	f, err := Parse("known.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func check(t *testing.T, r result.Result, text string) string {
	t.Helper()
	rep := Check(r, []File{*parsed(t, text)}, today)
	var got []string
	for _, f := range rep.Findings {
		if f.Spec != nil {
			got = append(got, string(f.Kind)+" "+f.Spec.ID)
		} else {
			got = append(got, string(f.Kind)+" "+f.Entry.subject())
		}
	}
	return strings.Join(got, ", ")
}

func TestCheck(t *testing.T) {
	edit := func(old, with string) string {
		if !strings.Contains(whole, old) {
			t.Fatalf("no %q", old)
		}
		return strings.Replace(whole, old, with, 1)
	}
	fixed := run()
	fixed.Specs[1] = result.Spec{ID: "abort.ack", Verdict: result.Pass, Clauses: []string{"opt.abort.ack"}}
	gone := run()
	gone.Specs = append(gone.Specs[:1:1], gone.Specs[2:]...)
	blocked := run()
	blocked.Specs[4].Verdict = result.Blocked
	died := run()
	died.Specs[1].Verdict = result.Crash
	filtered := gone
	filtered.Suite.Filter = "x"
	newer := run()
	newer.Target.Version = "1:3.28-1"
	flaky := edit("reason: Exits", "flaky: true\n    reason: Exits")
	_, others, _ := strings.Cut(whole, "https://example.org/1\n") // all but the first entry
	digest := Digest("nbd-server", run().Specs[1])
	withheld := head + "  - {target: nbd-server, withheld: " + digest + ", reason: later}\n" + others
	for name, tc := range map[string]struct {
		r    result.Result
		text string
		want string
	}{
		"a true baseline":                   {run(), whole, ""},
		"no entries":                        {run(), "baseline: 2\nentries: []\n", "new abort.ack, new abort.data, new info.empty"},
		"entries about another target":      {run(), strings.ReplaceAll(whole, "target: nbd-server", "target: nbdkit"), "new abort.ack, new abort.data, new info.empty"},
		"another version":                   {newer, whole, "new abort.ack"},
		"another release":                   {run(), edit("clause: opt.abort.data", "release: sid\n    clause: opt.abort.data"), "new abort.data"},
		"the former key of another release": {run(), edit("clause: opt.abort.data", "suite: sid\n    clause: opt.abort.data"), "new abort.data"},
		"another signature":                 {run(), edit(`"opt.abort.ack: gone"`, `"opt.abort.ack: silent"`), "changed abort.ack"},
		"another verdict":                   {died, whole, "changed abort.ack"},
		"a pass":                            {fixed, whole, "passes abort.ack"},
		"a spec that is no more":            {gone, whole, "stale abort.ack"},
		"a spec that the filter left out":   {filtered, whole, ""},
		"an entry for what is unsupported":  {run(), whole + "  - {target: nbd-server, spec: trim.odd, verdict: fail, signature: x, reason: y}\n", "stale trim.odd"},
		"a blocked spec":                    {blocked, whole, "new trim.odd"},
		"a wildcard for nothing":            {run(), whole + "  - {target: nbd-server, spec: trim.*, verdict: fail, reason: y}\n", "stale trim.odd"},
		"a wildcard for a fail":             {run(), edit("spec: abort.ack\n    clause: opt.abort.ack", "spec: abort.*"), ""},
		"a fail that became a crash under a wildcard": {died, head + "  - {target: nbd-server, spec: abort.*, verdict: fail, reason: y}\n" +
			others, "new abort.ack, stale abort.ack"},
		"an expired entry":                {run(), edit("2026-11-20", "2026-11-19"), "expired info.empty"},
		"an entry without a reason":       {run(), edit("The same.", "'TODO: say'"), "unreasoned clause opt.abort.data"},
		"a flaky entry whose spec fails":  {run(), flaky, ""},
		"a flaky entry whose spec passes": {fixed, flaky, ""},
		"a flaky entry whose spec dies":   {died, flaky, "changed abort.ack"},
		"a flaky entry whose spec fails as another entry has it": {died, flaky +
			"  - {target: nbd-server, spec: abort.ack, verdict: crash, signature: 'opt.abort.ack: gone', flaky: true, reason: y}\n", ""},
		"an entry that is not flaky, beside one that is": {died, whole +
			"  - {target: nbd-server, spec: abort.ack, verdict: crash, signature: 'opt.abort.ack: gone', flaky: true, reason: y}\n", "stale abort.ack"},
		"a flaky entry for nothing":    {gone, flaky, "stale abort.ack"},
		"a withheld entry":             {run(), withheld, ""},
		"a withheld entry for nothing": {fixed, withheld, "stale a withheld entry"},
		"a withheld entry for a crash": {died, withheld, "new abort.ack, stale a withheld entry"},
		"a line of the judge that did not come up, flaky": {run(), whole +
			"  - {target: nbd-server, spec: judge.none, verdict: fail, flaky: true, signature: x, reason: y}\n", ""},
		"a line of the judge that did not come up": {run(), whole +
			"  - {target: nbd-server, spec: judge.none, verdict: fail, signature: x, reason: y}\n", "stale judge.none"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := check(t, tc.r, tc.text); got != tc.want {
				t.Errorf("got  %s\nwant %s", got, tc.want)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	entry := func(s string) string { return head + "  - {" + s + "}\n" }
	for name, tc := range map[string]struct{ text, want string }{
		"nothing":                     {"", "the file is empty"},
		"comments alone":              {"# known\n", "the file is empty"},
		"a text":                      {"hello\n", "no baseline"},
		"some other YAML":             {"services:\n  a: b\n", `unknown key "services"`},
		"no version":                  {"entries: []\n", "no baseline"},
		"a later version":             {"baseline: 3\nentries: []\n", "3 is unknown here"},
		"the former version":          {"baseline: 1\nentries: []\n", "run nbdconform baseline migrate known.yaml --before"},
		"the former name of warning":  {entry("target: a, spec: b, verdict: weak, signature: x, reason: y"), `verdict "weak"`},
		"no entries":                  {"baseline: 2\n", "no baseline"},
		"entries that are no list":    {"baseline: 2\nentries:\n", "is no list"},
		"a syntax error":              {head + "  - {\n", "line 3"},
		"two documents":               {whole + "---\nbaseline: 2\n", "more than one document"},
		"an unknown key":              {entry("target: a, spec: b, verdict: fail, signature: x, reason: y, sepc: c"), `line 3: unknown key "sepc"`},
		"no target":                   {entry("spec: b, verdict: fail, signature: x, reason: y"), "no target"},
		"no spec":                     {entry("target: a, verdict: fail, signature: x, reason: y"), "neither spec nor clause"},
		"a verdict that is none":      {entry("target: a, spec: b, verdict: pass, signature: x, reason: y"), `verdict "pass"`},
		"no signature":                {entry("target: a, spec: b, verdict: fail, reason: y"), "no signature"},
		"no reason":                   {entry("target: a, spec: b, verdict: fail, signature: x"), "no reason"},
		"a link that is none":         {entry("target: a, spec: b, verdict: fail, signature: x, reason: y, link: there"), "link"},
		"a day that is none":          {entry("target: a, spec: b, verdict: fail, signature: x, reason: y, expires: soon"), "want a day"},
		"a range that is none":        {entry("target: a, versions: '>= x', spec: b, verdict: fail, signature: x, reason: y"), "does not start with digit"},
		"a crash by a wildcard":       {entry("target: a, spec: 'b.*', verdict: crash, signature: x, reason: y"), "never waved through"},
		"a crash without a signature": {entry("target: a, spec: b, verdict: crash, reason: y"), "never waved through"},
		"a hang of any target":        {entry("target: '*', spec: b, verdict: hang, signature: x, reason: y"), "never waved through"},
		"corruption by a clause":      {entry("target: a, clause: b, verdict: corrupt, signature: x, reason: y"), "never waved through"},
		"a flaky wildcard":            {entry("target: a, spec: 'b.*', verdict: fail, flaky: true, reason: y"), "flaky goes with one"},
		"a digest that is none":       {entry("target: a, withheld: abc, reason: y"), "want a digest"},
		"a digest beside a spec":      {entry("target: a, withheld: " + strings.Repeat("a", 32) + ", spec: b, reason: y"), "the digest stands for them"},
		"the same twice":              {entry("target: a, spec: b, verdict: fail, signature: x, reason: y") + "  - {target: a, spec: b, verdict: fail, signature: z, reason: w}\n", "line 4: the entry of line 3"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := Parse("known.yaml", []byte(tc.text)); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("Parse = %v, want %q", err, tc.want)
			}
		})
	}
}

func TestTextSaysWhatToAdd(t *testing.T) {
	f := parsed(t, "baseline: 2\nentries: []\n")
	r := run()
	out := Text(Check(r, []File{*f}, today), "nbdconform baseline update x")
	entries := head
	for _, part := range strings.Split(out, "in place of TODO:\n")[1:] {
		entries += part[:strings.Index(part, "reason: TODO\n")+len("reason: TODO\n")]
	}
	g := parsed(t, strings.ReplaceAll(entries, "TODO", "known"))
	if rep := Check(r, []File{*g}, today); !rep.Green() || rep.Known != 3 {
		t.Errorf("what it says to add is not enough: %+v\n%s", rep.Findings, entries)
	}
	if !strings.HasPrefix(out, "NEW FAIL  abort.ack\n") || !strings.HasSuffix(out, "red, 3 new failures\n") {
		t.Error(out)
	}
}

func TestUpdate(t *testing.T) {
	f := parsed(t, whole)
	r := run()
	if ch, err := Update(f, r, nil, today); err != nil || len(ch) > 0 || string(f.Bytes()) != whole {
		t.Fatalf("a true baseline was touched: %v %v", ch, err)
	}
	r.Specs[0] = result.Spec{ID: "read.ok", Verdict: result.Fail, Clauses: []string{"cmd.read"}, Signature: "cmd.read: wrong"}
	r.Specs[1].Signature = "opt.abort.ack: silent"
	r.Specs[3].Verdict = result.Pass
	ch, err := Update(f, r, nil, today)
	if err != nil || len(ch) != 4 {
		t.Fatalf("%d changes, %v", len(ch), err)
	}
	want := head + `
  # exits
  - target: nbd-server
    versions: '>= 3.21, < 3.28, != 1:3.24-1.1'
    spec: abort.ack
    clause: opt.abort.ack
    verdict: fail
    signature: "opt.abort.ack: gone"
    reason: Exits without an answer. # as it always did
    link: https://example.org/1

  - target: nbd-server
    versions: = 1:3.24-1.1
    spec: abort.ack
    clause: opt.abort.ack
    verdict: fail
    signature: 'opt.abort.ack: silent'
    reason: 'TODO: the failure changed. It was: Exits without an answer.'
    link: https://example.org/1

  - target: nbd-server
    clause: opt.abort.data
    verdict: warning
    reason: The same.

  - target: nbd-server
    versions: = 1:3.24-1.1
    spec: read.ok
    clause: cmd.read
    verdict: fail
    signature: 'cmd.read: wrong'
    reason: TODO
`
	if d := cmp.Diff(want, string(f.Bytes())); d != "" {
		t.Error(d)
	}
	if got := check(t, r, string(f.Bytes())); got != "unreasoned abort.ack, unreasoned read.ok" {
		t.Error(got)
	}
	again := string(f.Bytes())
	if _, err := Update(f, r, nil, today); err != nil || string(f.Bytes()) != again {
		t.Errorf("a second update changes it again: %v\n%s", err, cmp.Diff(again, string(f.Bytes())))
	}
}

func TestUpdateWidensWhatIsKnownOfOtherVersions(t *testing.T) {
	f := Empty("known.yaml")
	r := run()
	for _, v := range []string{"1:3.24-1.1", "1:3.26.1-6.1"} {
		r.Target.Version = v
		if _, err := Update(f, r, nil, today); err != nil {
			t.Fatal(err)
		}
	}
	if len(f.Entries) != 3 || len(f.Entries[0].Versions) != 2 {
		t.Errorf("%s", f.Bytes())
	}
	r.Specs[1].Verdict, r.Specs[1].Signature = result.Pass, ""
	if _, err := Update(f, r, nil, today); err != nil {
		t.Fatal(err)
	}
	if got := f.Entries[0].Versions; !cmp.Equal(got, Versions{"= 1:3.24-1.1"}) {
		t.Errorf("%q", got)
	}
}

func TestUpdateWithholds(t *testing.T) {
	f := Empty("known.yaml")
	r := run()
	if _, err := Update(f, r, []string{"info.empty"}, today); err != nil {
		t.Fatal(err)
	}
	if text := string(f.Bytes()); strings.Contains(text, "info") || strings.Contains(text, "hang") || !strings.Contains(text, "withheld: ") {
		t.Error(text)
	}
	if got := check(t, r, strings.ReplaceAll(string(f.Bytes()), "TODO", "known")); got != "" {
		t.Error(got)
	}
	if _, err := Update(f, r, []string{"read.ok"}, today); err == nil {
		t.Error("a pass was withheld")
	}
}
