package render

import (
	"io"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"nbdconform/reports/fuzzing"
)

// sampleCampaign has a finding of each standing, some of them hostile, and
// differences from another server.
func sampleCampaign() fuzzing.Record {
	at := time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)
	script := "0 flags FIXED_NEWSTYLE|NO_ZEROES\n0 NBD_OPT_GO export=\"\" info=NBD_INFO_BLOCK_SIZE\n0 NBD_CMD_READ offset=end-512 length=1024\n"
	find := func(kind, clause, about, detail string, standing fuzzing.Standing, count int) fuzzing.Finding {
		return fuzzing.Finding{
			Signature: kind + " " + clause + " " + about, Kind: kind, Clause: clause, About: about, Detail: detail,
			Standing: standing, Script: script, Ops: 3, Count: count, First: at, FirstExec: 71 * count,
		}
	}
	wrong := find("wrong", "cmd.write.then-reply", "NBD_CMD_READ", "the byte at 4096 is 0x00, want 0x07, which connection 0 wrote", fuzzing.New, 12)
	wrong.File = "findings/wrong-cmd.write.then-reply-NBD_CMD_READ.script"
	within := find("violation", "trans.cookie.echo", "simple", "cookie 0x5eed010000000002 is that of none of the 1 pending requests", fuzzing.Warning, 1)
	within.File, within.Ops = "findings/within-tls.script", 1
	known := find("hang", "trans.simple.required", "NBD_CMD_FLUSH", "nothing comes for 2s, and the connection stays open", fuzzing.Known, 310)
	known.Reason = "it waits for the other client"
	hostile := find("said", "", "\x1b[31m<script>alert(1)</script>", "on its standard error:\n<b>free(): invalid pointer</b> \u202e", fuzzing.New, 2)
	return fuzzing.Record{
		Suite:   "v0.1.0",
		Subject: fuzzing.Subject{Kind: "server", Name: "qemu-nbd", Version: "7.2.22", Release: "bookworm", Profile: "read-only", Image: "sha256:4c3f7d0b51f4ad9b2b3b4f2e3a5d6c7e8f90a1b2c3d4e5f60718293a4b5c6d7e"},
		Against: &fuzzing.Subject{Kind: "server", Name: "nbdkit", Version: "1.42.3", Release: "trixie"},
		Seed:    42, Shards: 1, Started: at, Updated: at.Add(10 * time.Minute), Seconds: 600, Goal: 600,
		Execs: 9876, Requests: 123456, Restarts: 7, Corpus: 210,
		Points: []string{"option NBD_OPT_GO NBD_REP_ACK", "reply NBD_CMD_READ NBD_EINVAL", "reply NBD_CMD_READ OK structured"},
		Findings: []fuzzing.Finding{
			known, wrong, within, hostile,
			find("crash", "trans.end.unjustified.server", "signal: segmentation fault", "the server has ended: signal: segmentation fault", fuzzing.Unconfirmed, 1),
			find("unserved", "baseline.server.go", "probe", "a connection behind the script can't enter the transmission phase", fuzzing.Unconfirmed, 1),
		},
		Differs: []fuzzing.Difference{
			{Asked: "NBD_CMD_READ of no bytes", Mode: "structured", One: "NBD_EINVAL", Other: "success", Verdict: "both allowed", Count: 41, Script: script},
			{Asked: "NBD_OPT_LIST", Mode: "<i>", One: "NBD_REP_ACK", Other: "hangs up", Verdict: "violates opt.list.reply (nbdkit)", Count: 1, Script: script, Clauses: []string{"opt.list.reply"}},
		},
	}
}

// doubtful is a campaign that says nothing of its target.
func doubtful() fuzzing.Record {
	return fuzzing.Record{
		Suite: "v0.1.0", Subject: fuzzing.Subject{Kind: "server", Name: "nbd-server", Profile: "<oldstyle>"},
		Updated: time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC), Seconds: 2.4, Execs: 12, Shards: 1,
	}
}

// files are what is in the directory of a campaign: of a finding within TLS
// there is no program.
var files = fstest.MapFS{
	"campaign.json":              {},
	"findings/within-tls.script": {},
	"findings/wrong-cmd.write.then-reply-NBD_CMD_READ.script": {},
	"findings/wrong-cmd.write.then-reply-NBD_CMD_READ.py":     {},
}

func campaignPageOf(w io.Writer, r fuzzing.Record) error { return CampaignHTML(w, r, files) }

// campaignIndexOf is the page of a sweep.
func campaignIndexOf(w io.Writer, list []fuzzing.Record) error {
	below := fstest.MapFS{}
	for name := range files {
		below["qemu-nbd/"+name] = files[name]
	}
	return writeCampaigns(w, []campaignRow{rowOf(list[0], "qemu-nbd/", below), rowOf(list[1], "nbd-server/", below)})
}

func TestCampaignGolden(t *testing.T) {
	golden(t, "campaign.html", rendered(t, sampleCampaign(), campaignPageOf))
	golden(t, "campaigns.html", rendered(t, []fuzzing.Record{sampleCampaign(), doubtful()}, campaignIndexOf))
	golden(t, "campaign.txt", rendered(t, sampleCampaign(), CampaignTerminal))
	printable(t, string(rendered(t, sampleCampaign(), CampaignTerminal)), "")
}

// Its links lead to what is beside it, and nowhere else.
func TestCampaignLinks(t *testing.T) {
	for name, page := range map[string]string{
		"":          string(rendered(t, sampleCampaign(), campaignPageOf)),
		"qemu-nbd/": string(rendered(t, []fuzzing.Record{sampleCampaign(), doubtful()}, campaignIndexOf)),
	} {
		scripts, programs := 0, 0
		for _, m := range regexp.MustCompile(`href="([^"]*)"`).FindAllStringSubmatch(page, -1) {
			file, ok := strings.CutPrefix(m[1], name)
			switch {
			case strings.HasPrefix(m[1], "#") || strings.HasSuffix(m[1], "index.html"):
			case !ok || files[file] == nil:
				t.Errorf("%q leads nowhere", m[1])
			case strings.HasSuffix(file, ".script"):
				scripts++
			case strings.HasSuffix(file, ".py"):
				programs++
			}
		}
		if scripts != 2 || programs != 1 {
			t.Errorf("%d scripts and %d programs are linked, want 2 and 1", scripts, programs)
		}
	}
}

func TestCampaignKeepsHostileTextInert(t *testing.T) {
	page := string(rendered(t, sampleCampaign(), campaignPageOf))
	if strings.Contains(page, "<script") || strings.Contains(page, "<b>") || strings.Contains(page, "<i>") {
		t.Error("what a server said is markup")
	}
	for _, c := range page {
		if c != '\n' && (c < ' ' || c == '\u202e') {
			t.Errorf("the page has %U", c)
		}
	}
}
