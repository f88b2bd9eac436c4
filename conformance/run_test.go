package conformance_test

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nbdconform/conformance"
	"nbdconform/conformance/subject"
	"nbdconform/conformance/subject/referenceclient"
	"nbdconform/conformance/subject/referenceserver"
	"nbdconform/reports/result"
)

// A server in the same process, or one that the test has started.
func ExampleRun() {
	_ = func(t *testing.T) { // func TestServer(t *testing.T)
		conformance.Run(t, &subject.Dialer{
			Name: "my-server",
			Connect: func(ctx context.Context) (net.Conn, error) {
				var d net.Dialer
				return d.DialContext(ctx, "unix", "/run/my-server.sock")
			},
		}, conformance.Destructive(), conformance.Filter("level: containsAny MUST"), conformance.Baseline("known.yaml"))
	}
}

func open(t *testing.T, profile, quirk string) subject.Server {
	t.Helper()
	server, err := referenceserver.Open(profile, quirk)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	return server
}

func TestSeveralTargetsInOneProcess(t *testing.T) {
	for _, profile := range []string{"default", "read-only", "block-4096"} {
		t.Run(profile, func(t *testing.T) {
			t.Parallel()
			conformance.Run(t, open(t, profile, ""), conformance.Filter("level: containsAny SHOULD"),
				conformance.Timeout(5*time.Second),
				conformance.Result(func(r result.Result) {
					if r.Exit() != result.ExitConforms || r.Summary[result.Pass] < 30 || r.Target.Profile != profile {
						t.Errorf("%s: %v", r.Conclusion(), r.Summary)
					}
				}))
		})
	}
}

func openClient(t *testing.T, quirk string) subject.Client {
	t.Helper()
	c, err := referenceclient.Open(quirk)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func TestServersAndClientsInParallel(t *testing.T) {
	t.Run("server", func(t *testing.T) {
		t.Parallel()
		conformance.Run(t, open(t, "default", ""), conformance.Filter("opt.abort.ack"), conformance.Timeout(5*time.Second))
	})
	for _, filter := range []string{"client.info.unknown", "asks: containsAny copy-out && level: containsAny SHOULD"} {
		t.Run(filter, func(t *testing.T) {
			t.Parallel()
			conformance.RunClient(t, openClient(t, ""), conformance.Filter(filter), conformance.Result(func(r result.Result) {
				if r.Exit() != result.ExitConforms || r.Summary[result.Pass] == 0 || r.Target.Name == "" {
					t.Errorf("%s: %v", r.Conclusion(), r.Summary)
				}
			}))
		})
	}
}

// playVariable makes TestPlay a run that is meant to go wrong.
const playVariable = "NBDCONFORM_TEST_PLAY" // QUIRK BASELINE

func TestPlay(t *testing.T) {
	play, known, _ := strings.Cut(os.Getenv(playVariable), " ")
	if os.Getenv(playVariable) == "" {
		t.Skip("is run by TestRunFails")
	}
	opts := []conformance.Option{conformance.Filter("id: containsAny {abort.ack, abort.ack.later, greeting.fixed-newstyle}")}
	if known != "" {
		opts = append(opts, conformance.Baseline(known))
	}
	conformance.Run(t, open(t, "", play), opts...)
}

func TestRunFails(t *testing.T) {
	dir := t.TempDir()
	baseline := func(name, entries string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte("baseline: 2\nentries:\n"+entries), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	const wild = "  - {target: reference, clause: opt.abort.ack, verdict: fail, reason: planted}\n"
	known, empty := baseline("known.yaml", wild), baseline("empty.yaml", "  []\n")
	stale := baseline("stale.yaml", wild+"  - {target: reference, spec: greeting.fixed-newstyle, verdict: fail, signature: x, reason: y}\n")
	for name, tc := range map[string]struct {
		play, run string
		fails     bool
		want      string
	}{
		"no bug":                           {" " + empty, "TestPlay", false, "--- PASS: TestPlay/opt.abort.ack:abort.ack "},
		"a bug":                            {"abort-unsupported", "TestPlay", true, "--- FAIL: TestPlay/opt.abort.ack:abort.ack "},
		"a bug, said with its clause":      {"abort-unsupported", "TestPlay", true, "fail: opt.abort.ack (MUST)"},
		"a known bug":                      {"abort-unsupported " + known, "TestPlay", false, "--- SKIP: TestPlay/opt.abort.ack:abort.ack "},
		"a bug that an empty baseline has": {"abort-unsupported " + empty, "TestPlay", true, "--- FAIL: TestPlay/opt.abort.ack:abort.ack "},
		"a stale entry":                    {"abort-unsupported " + stale, "TestPlay", true, "stale.yaml:4: passes entry"},
		"a part":                           {"abort-unsupported", "TestPlay/greeting", false, "--- PASS: TestPlay/"},
		"a part that is nothing":           {"abort-unsupported", "TestPlay/nothing", true, "nothing was judged"},
		"no baseline where one was named":  {"abort-unsupported " + dir + "/none", "TestPlay", true, "reading baseline"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd := exec.Command(os.Args[0], "-test.v", "-test.run", tc.run)
			cmd.Env = append(os.Environ(), playVariable+"="+tc.play)
			out, err := cmd.CombinedOutput()
			if (err != nil) != tc.fails || !strings.Contains(string(out), tc.want) {
				t.Errorf("%v, want failure %v and %q in:\n%s", err, tc.fails, tc.want, out)
			}
		})
	}
}
