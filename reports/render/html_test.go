package render

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"nbdconform/reports/result"
)

// allowedTags are the elements of the page: anything else came from a target.
var allowedTags = strings.Fields(`html head meta title style body a header p h1 h2 h3 h4 span strong b small div ul li
	main section article dl dt dd code pre details summary table thead tbody tr th td
	form label input select option button footer script`)

// A strictPage is what the strict consumer learns about a page.
type strictPage struct {
	ids     map[string]int
	links   []string
	scripts []string
	policy  string
	text    strings.Builder // outside of script and style
}

// evidenceLink is a link to a file of a bundle, beside the page.
var evidenceLink = regexp.MustCompile(`^evidence/[a-z][a-z0-9.-]*/(transcript\.txt|capture\.pcapng|reproduce\.py)$`)

func parsePage(t *testing.T, doc []byte) *strictPage {
	t.Helper()
	p := &strictPage{ids: map[string]int{}}
	var open []string
	z := html.NewTokenizer(bytes.NewReader(doc))
	for {
		kind := z.Next()
		if kind == html.ErrorToken {
			if !errors.Is(z.Err(), io.EOF) {
				t.Fatal(z.Err())
			}
			break
		}
		tok := z.Token()
		switch kind {
		case html.StartTagToken:
			if !slices.Contains(allowedTags, tok.Data) {
				t.Errorf("<%s> is no element of this page", tok.Data)
			}
			p.attributes(t, tok)
			if tok.Data != "meta" && tok.Data != "input" {
				open = append(open, tok.Data)
			}
		case html.EndTagToken:
			if len(open) == 0 || open[len(open)-1] != tok.Data {
				t.Fatalf("</%s> inside of %q", tok.Data, open)
			}
			open = open[:len(open)-1]
		case html.TextToken:
			switch {
			case len(open) > 0 && open[len(open)-1] == "script":
				p.scripts = append(p.scripts, tok.Data)
			case len(open) > 0 && open[len(open)-1] == "style":
				if strings.Contains(tok.Data, "url(") || strings.Contains(tok.Data, "@import") {
					t.Error("the style fetches something")
				}
			default:
				p.text.WriteString(tok.Data)
			}
		case html.CommentToken:
			t.Errorf("a comment: %q", tok.Data)
		}
	}
	if len(open) > 0 {
		t.Errorf("left open: %q", open)
	}
	return p
}

func (p *strictPage) attributes(t *testing.T, tok html.Token) {
	t.Helper()
	for _, a := range tok.Attr {
		switch {
		case a.Key == "id":
			p.ids[a.Val]++
		case a.Key == "href":
			if evidenceLink.MatchString(a.Val) {
				continue
			}
			if !strings.HasPrefix(a.Val, "#") {
				t.Errorf("<%s href=%q> leaves the page", tok.Data, a.Val)
			}
			p.links = append(p.links, a.Val[1:])
		case a.Key == "src" || a.Key == "action" || strings.HasPrefix(a.Key, "on"):
			t.Errorf("<%s %s=%q>", tok.Data, a.Key, a.Val)
		case a.Key == "content" && strings.HasPrefix(a.Val, "default-src"):
			p.policy = a.Val
		}
	}
}

func TestHTMLForAStrictConsumer(t *testing.T) {
	for name, r := range samples() {
		t.Run(name, func(t *testing.T) {
			p := parsePage(t, rendered(t, r, HTML))
			for id, n := range p.ids {
				if n > 1 {
					t.Errorf("the id %q is there %d times", id, n)
				}
			}
			for _, link := range p.links {
				id, err := url.PathUnescape(link)
				if err != nil || p.ids[id] == 0 {
					t.Errorf("#%s leads nowhere (%v)", link, err)
				}
			}
			for _, s := range r.Specs {
				if p.ids[s.ID] != 1 {
					t.Errorf("no deep link to %s", s.ID)
				}
			}
			if len(p.scripts) != 1 || p.scripts[0] != pageScript {
				t.Fatalf("%d scripts, want ours alone", len(p.scripts))
			}
			hash := sha256.Sum256([]byte(p.scripts[0]))
			if want := "'sha256-" + base64.StdEncoding.EncodeToString(hash[:]) + "'"; !strings.Contains(p.policy, want) {
				t.Errorf("the policy %q does not let %s run", p.policy, want)
			}
		})
	}
}

func TestHTMLTellsWhatMatters(t *testing.T) {
	r := broken()
	p := parsePage(t, rendered(t, r, HTML))
	text := p.text.String()
	wants := []string{
		"qemu-nbd 7.2.22 (bookworm)", "does not conform", r.Target.Image, "v0.1.0", "3b9e4a1", r.Reproduce,
		"101 specs judged, 3 did not hold: 1 fail, 1 crash, 1 hang. 2 broke a SHOULD. 8 not judged.",
	}
	for _, f := range findings(r) {
		wants = append(wants, f.ID, f.Name, f.Requires, f.Section, f.Message, f.Transcript, f.Stderr, f.Exit, f.Reproduce)
	}
	for _, want := range wants {
		if !strings.Contains(text, visible(want)) {
			t.Errorf("the page does not say %q", want)
		}
	}
	head, _, _ := strings.Cut(text, "What needs attention")
	if !strings.Contains(head, "does not conform") || !strings.Contains(head, r.Reproduce) {
		t.Error("the verdict or the command is not up front")
	}
}

func TestHTMLKeepsHostileTextInert(t *testing.T) {
	doc := rendered(t, hostile(), HTML)
	p := parsePage(t, doc)
	for _, want := range []string{"<script>alert(1)</script>", `"><img src=x onerror=alert(1)>`, "<b>Group</b>", `\x1b[31m`, `\u202e`} {
		if !strings.Contains(p.text.String(), want) {
			t.Errorf("the page does not show %q as text", want)
		}
	}
	for _, c := range string(doc) {
		if c != '\n' && (c < ' ' || c >= 0x7f && c < 0xa0 || c == '\u202e' || c == '\u2028') {
			t.Errorf("the page has %U", c)
		}
	}
}

func TestSentence(t *testing.T) {
	for name, want := range map[string]string{
		"conforms":  "18 specs judged, none broke a MUST. 1 broke a SHOULD. 2 not judged.",
		"untrusted": "Nothing was judged.",
		"empty":     "Nothing was judged.",
	} {
		r := samples()[name]
		if got := sentence(counted(r)); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if got := sentence(counted(result.Result{Specs: []result.Spec{{ID: "a", Verdict: result.Fail}}})); got != "1 spec judged, 1 did not hold: 1 fail." {
		t.Errorf("one failure: %q", got)
	}
}
