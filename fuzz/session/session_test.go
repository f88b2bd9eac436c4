package session

import (
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"nbdconform/fuzz/internal/script"
)

// runText runs the text of a script on a fresh reference server.
func runText(t *testing.T, quirk, text string) Result {
	t.Helper()
	s, err := script.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	r, err := Reference(s.Profile, quirk)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if strings.Contains(text, "# patience") {
		r.Patience = 100 * time.Millisecond
	}
	return Run(t.Context(), s, &r.Target)
}

const enter = "0 flags FIXED_NEWSTYLE|NO_ZEROES\n0 NBD_OPT_GO export=\"\" info=NBD_INFO_BLOCK_SIZE\n"

func TestFindings(t *testing.T) {
	for name, tt := range map[string]struct{ quirk, text, want string }{
		"the judge's": {
			"reply-cookie-off-by-one", enter + "0 NBD_CMD_FLUSH\n",
			"violation trans.cookie.echo simple",
		},
		"contents on the same connection": {
			"write-incomplete", enter + "0 NBD_CMD_WRITE offset=512 length=512 fill=3\n0 NBD_CMD_READ offset=512 length=512\n",
			"wrong cmd.write.then-reply NBD_CMD_READ",
		},
		"contents that nobody read, in the probe": {
			"write-misplaced", enter + "0 NBD_CMD_WRITE offset=8192 length=512 fill=3 flags=FUA\n",
			"wrong cmd.write.then-reply NBD_CMD_READ",
		},
		"contents that a refused request changed": {
			"read-only-refused-and-done", "profile read-only\n" + enter + "0 NBD_CMD_WRITE offset=0 length=512 fill=3\n",
			"wrong layout.write.range NBD_CMD_READ",
		},
		"a valid request that fails": {
			"fua-only-with-writes", enter + "0 NBD_CMD_READ offset=0 length=512 flags=FUA\n",
			"wrong cmdflag.fua.accept NBD_CMD_READ",
		},
		"a bad disk that one form of a request sees alone": {
			"write-fua-eio", enter + "0 NBD_CMD_WRITE offset=0 length=512 fill=3 flags=FUA\n",
			"wrong cmdflag.fua.accept NBD_CMD_WRITE",
		},
		"a full disk in the midst of room": {
			"write-across-enospc", enter + "0 NBD_CMD_WRITE offset=4000 length=512 fill=3\n",
			"wrong size.default.minimum NBD_CMD_WRITE",
		},
		"a bad disk within structured replies": {
			"read-structured-eio", "0 flags FIXED_NEWSTYLE\n0 NBD_OPT_STRUCTURED_REPLY\n0 NBD_OPT_GO export=\"\"\n0 NBD_CMD_READ offset=0 length=4096\n",
			"wrong baseline.server.read NBD_CMD_READ",
		},
		"a bad disk at one end": {
			"read-high-eio", enter + "0 NBD_CMD_READ offset=end-4096 length=4096\n",
			"wrong baseline.server.read NBD_CMD_READ",
		},
		"a bad disk that has shrunk to nothing by the end": {
			"read-high-eio", "profile resize\n" + enter + "0 NBD_CMD_READ offset=end-4096 length=4096\n0 NBD_CMD_RESIZE offset=0\n",
			"wrong baseline.server.read NBD_CMD_READ",
		},
		"memory that lacks for one request": {
			"read-enomem", enter + "0 NBD_CMD_READ offset=0 length=131072\n",
			"violation err.enomem simple",
		},
		"answers that don't fit": {
			"go-other-size", enter + "0 NBD_CMD_DISC\n1 flags FIXED_NEWSTYLE\n1 NBD_OPT_INFO export=\"\"\n",
			"wrong opt.info.repeatable NBD_OPT_INFO",
		},
		"an export that is hidden, and none, as is asked within TLS behind the script": {
			"selective-tls-half-hidden", "profile tls\n0 flags FIXED_NEWSTYLE\n0 NBD_OPT_INFO export=\"attic\"\n0 NBD_OPT_INFO export=\"vault\"\n",
			"wrong opt.info.hide-unknown.no-info NBD_OPT_INFO",
		},
		"a hang": {
			"flush-unanswered", "# patience\n" + enter + "0 NBD_CMD_FLUSH\n",
			"hang interop.server.flush NBD_CMD_FLUSH",
		},
		"a crash": {
			"crash-on-unknown-command", enter + "0 Command(77) offset=0 length=0\n",
			"crash trans.end.unjustified.server server",
		},
		"a second connection that is not served": {
			"slot-leaked", enter + "0 close\n",
			"unserved baseline.server.fixed-newstyle probe",
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := runText(t, tt.quirk, tt.text)
			if _, ok := r.Has(tt.want); !ok {
				t.Errorf("want %q among %v", tt.want, r.Findings)
			}
			for _, f := range runText(t, "", tt.text).Findings {
				t.Errorf("the good server: %v\n%s", f, f.Transcript)
			}
		})
	}
}

// The good server, in every profile, has nothing that a fuzzer could find.
func TestGoodServerHasNoFindings(t *testing.T) {
	points := make(map[Point]bool)
	for seed := range uint64(600) {
		s := script.Generate(seed, script.Options{Profiles: Profiles()})
		r, err := Reference(s.Profile, "")
		if err != nil {
			t.Fatal(err)
		}
		result := Run(t.Context(), s, &r.Target)
		r.Close()
		for _, f := range result.Findings {
			t.Errorf("seed %d: %v\n%v\n%s", seed, f, s, f.Transcript)
		}
		for _, p := range result.Reached {
			points[p] = true
		}
	}
	if len(points) < 200 {
		t.Errorf("%d points were reached", len(points))
	}
}

func TestTLS(t *testing.T) {
	r := runText(t, "", "profile tls-required\n0 flags FIXED_NEWSTYLE|NO_ZEROES\n0 NBD_OPT_STARTTLS\n0 NBD_OPT_GO export=\"\"\n0 NBD_CMD_READ offset=0 length=512\n")
	if len(r.Findings) > 0 {
		t.Fatal(r.Findings[0], r.Findings[0].Transcript)
	}
	for _, p := range r.Reached {
		if p.What == AtReply && p.Mode&ModeTLS != 0 {
			return
		}
	}
	t.Errorf("no reply came within TLS: %v", r.Reached)
}

func TestRecord(t *testing.T) {
	s, _ := script.Parse(enter + "0 NBD_CMD_FLUSH split=9\n")
	r, err := Reference("", "")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	r.Record, r.NoProbe = true, true
	var sent []int
	for _, e := range Run(context.Background(), s, &r.Target).Events {
		if e.What == Sent {
			sent = append(sent, len(e.Data))
		}
	}
	want := []int{4, 16 + 4 + 2 + 2, 9, 9, 9, 1, 28}
	if len(sent) != len(want) {
		t.Fatalf("sent %v, want %v", sent, want)
	}
	for i := range want {
		if sent[i] != want[i] {
			t.Errorf("sent %v, want %v", sent, want)
		}
	}
}

func TestPipe(t *testing.T) {
	near, far := Pipe()
	_ = far.SetReadDeadline(time.Now().Add(5 * time.Second))
	for _, s := range []string{"one", "two"} {
		if _, err := near.Write([]byte(s)); err != nil {
			t.Fatal(err)
		}
	}
	b := make([]byte, 10)
	if n, err := far.Read(b); string(b[:n]) != "one" || err != nil {
		t.Errorf("got %q, %v: a segment of its own is due", b[:n], err)
	}
	if n, err := far.Read(b[:2]); string(b[:n]) != "tw" || err != nil {
		t.Errorf("got %q, %v", b[:n], err)
	}
	_ = near.(*end).CloseWrite()
	if rest, err := io.ReadAll(far); string(rest) != "o" || err != nil {
		t.Errorf("got %q, %v", rest, err)
	}
	if _, err := far.Write([]byte("answer")); err != nil {
		t.Errorf("the other direction: %v", err)
	}
	_ = far.SetReadDeadline(time.Now().Add(-time.Second))
	_ = near.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
	if n, err := near.Read(b); string(b[:n]) != "answer" || err != nil {
		t.Errorf("got %q, %v", b[:n], err)
	}
	if _, err := near.Read(b); err == nil {
		t.Error("reading goes on beyond the deadline")
	}
	_ = near.Close()
	if _, err := far.Write([]byte("x")); err == nil {
		t.Error("writing to nobody succeeds")
	}
}
