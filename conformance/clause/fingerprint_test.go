package clause

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSentences(t *testing.T) {
	for name, c := range map[string]struct {
		md   string
		want []string
	}{
		"wrapped lines": {
			"The server MUST\nreply.  It MAY\n  wait.\n",
			[]string{"The server MUST reply.", "It MAY wait."},
		},
		"a code span keeps its full stop": {
			"Use `a. B` or\n`c`. `NBD_OPT_GO` MAY follow.",
			[]string{"Use a. B or c.", "NBD_OPT_GO MAY follow."},
		},
		"abbreviations": {
			"Some (e.g. `X`), i.e. *Y*, ('MUST' etc.) by others. Next.",
			[]string{"Some (e.g. X), i.e. Y, ('MUST' etc.) by others.", "Next."},
		},
		"etc. at the end of a sentence": {
			"One, two, etc. Then more.",
			[]string{"One, two, etc.", "Then more."},
		},
		"a list after a colon": {
			"One of the following:\n- `base`, for\n  us; or\n* other. Really.\n",
			[]string{"One of the following:", "base, for us; or", "other.", "Really."},
		},
		"a sentence within parentheses": {
			"First. (Second one.) Third (not. A. Split) here.",
			[]string{"First.", "(Second one.)", "Third (not. A. Split) here."},
		},
		"a parenthesis that is never closed": {
			"Sent (by a server. Then another.",
			[]string{"Sent (by a server.", "Then another."},
		},
		"emphasis begins a sentence": {
			"In a category.  *length* MUST be at least 9. A 8*2^20 b.",
			[]string{"In a category.", "length MUST be at least 9.", "A 8*2^20 b."},
		},
		"semicolons do not split": {
			"- bit 0, `NBD_X`; MUST be set; else not",
			[]string{"bit 0, NBD_X; MUST be set; else not"},
		},
		"a message's layout": {
			"S: 32 bits, magic (`M`; used to be\n   `N`)  \nS: 32 bits, error (MAY be zero)  \n64 bits: offset  \n",
			[]string{"S: 32 bits, magic (M; used to be N)", "S: 32 bits, error (MAY be zero)", "64 bits: offset"},
		},
		"links": {
			"See the\n[kernel\ndocumentation](https://example.org/a_(b.txt). And [RFC 2119](https://example.org/x).",
			[]string{"See the [kernel documentation](https://example.org/a_(b.txt).", "And RFC 2119."},
		},
		"numbers and versions": {
			"Until nbd 2.9.16; then 3.10 came. 16 bits.",
			[]string{"Until nbd 2.9.16; then 3.10 came.", "16 bits."},
		},
		"headings and fences are no sentences": {
			"# The MUST\n\n```\nMUST\n```\nText.\n",
			[]string{"Text."},
		},
		"nothing": {"\n  \n", nil},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, s := range Sentences([]byte(c.md)) {
				got = append(got, s.Text)
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Errorf("sentences (-want +got):\n%s", d)
			}
		})
	}
}

func TestSectionsAreHeadingsOrConstants(t *testing.T) {
	md := strings.Join([]string{
		"# One",                  // 1
		"In one.",                // 2
		"",                       // 3
		"* `NBD_REP_INFO` (3)",   // 4
		"",                       // 5
		"    Of info.",           // 6
		"",                       // 7
		"    * `NBD_INFO_A` (0)", // 8
		"",                       // 9
		"      Of A.",            // 10
		"",                       // 11
		"    Of info again.",     // 12
		"",                       // 13
		"Back in one.",           // 14
		"## `two`",               // 15
		"In two.",                // 16
	}, "\n")
	type place struct {
		Line    int
		Section string
	}
	want := []place{
		{2, "One"},
		{4, "NBD_REP_INFO"},
		{6, "NBD_REP_INFO"},
		{8, "NBD_INFO_A"},
		{10, "NBD_INFO_A"},
		{12, "NBD_REP_INFO"},
		{14, "One"},
		{16, "two"},
	}
	var got []place
	for _, s := range Sentences([]byte(md)) {
		got = append(got, place{s.Line, s.Section})
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("places (-want +got):\n%s", d)
	}
}

func TestLevels(t *testing.T) {
	for text, want := range map[string][]Level{
		"It MUST NOT, SHOULD and MAY.":       {Must, Should, May},
		"This SHALL be REQUIRED.":            {Must},
		"RECOMMENDED but OPTIONAL":           {Should, May},
		"The client MAY NOT assume.":         {Must},
		"You must, should and may.":          nil,
		`The key words "MUST" and "MAY".`:    nil,
		"A condition ('MUST' etc.), it MAY.": {May},
		"NBD_MUST MUSTARD":                   nil,
	} {
		if d := cmp.Diff(want, levels(text)); d != "" {
			t.Errorf("levels of %q (-want +got):\n%s", text, d)
		}
	}
}

// The catalogue rests on these: whoever changes the normalisation invalidates
// every fingerprint in it.
func TestFingerprintsStay(t *testing.T) {
	md := "The client and the server **MUST NOT** initiate any form\nof disconnect  other than in one of the above\ncircumstances.\n"
	got := Sentences([]byte(md))
	if len(got) != 1 || got[0].Fingerprint != "8b7ed5d4e48b" {
		t.Errorf("got %+v, want one sentence with fingerprint 8b7ed5d4e48b", got)
	}
}

func FuzzSentences(f *testing.F) {
	f.Add("A `b. c` (MUST). *d*\n- e: [f](g)  \nS: h")
	f.Add("((`*\\")
	f.Fuzz(func(t *testing.T, md string) {
		lines := strings.Count(md, "\n") + 1
		for _, s := range Sentences([]byte(md)) {
			if s.Text == "" || s.Text != strings.TrimSpace(s.Text) {
				t.Errorf("sentence %q is empty or not trimmed", s.Text)
			}
			if s.Line < 1 || s.Line > lines {
				t.Errorf("sentence %q is in line %d of %d", s.Text, s.Line, lines)
			}
			if !wellFormedFingerprint.MatchString(s.Fingerprint) {
				t.Errorf("fingerprint %q", s.Fingerprint)
			}
		}
	})
}
