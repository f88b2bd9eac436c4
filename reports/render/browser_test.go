package render

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"nbdconform/reports/fuzzing"
)

// The pages are opened in a real browser. NBDCONFORM_SCREENSHOTS names a
// directory for pictures of what it shows.

// A tab is a page in the browser, and what went wrong in it.
type tab struct {
	context.Context
	t        *testing.T
	problems []string // what its console shows; for the goroutine that listens
}

// browse opens a page in Chromium, where there is one.
func browse(t *testing.T, page []byte) *tab {
	t.Helper()
	program := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			program = path
			break
		}
	}
	switch {
	case program != "":
	case os.Getenv("NBDCONFORM_REQUIRE_BROWSER") != "":
		t.Fatal("no Chromium on PATH: apt-get install chromium")
	default:
		t.Skip("no Chromium on PATH: apt-get install chromium")
	}
	if testing.Short() {
		t.Skip("a browser takes seconds to start")
	}
	file := filepath.Join(t.TempDir(), "page.html")
	if err := os.WriteFile(file, page, 0o644); err != nil {
		t.Fatal(err)
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(program), chromedp.NoSandbox,
		chromedp.WSURLReadTimeout(90*time.Second))
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, 3*time.Minute)
	b := &tab{Context: ctx, t: t}
	messages := chromedp.Console(ctx)
	listening := make(chan struct{})
	go func() {
		defer close(listening)
		for m, err := range messages {
			if err != nil {
				return
			}
			b.problems = append(b.problems, fmt.Sprintf("%s: %s", m.Type, m.Text))
		}
	}()
	t.Cleanup(func() {
		cancel()
		<-listening
		if len(b.problems) > 0 {
			t.Errorf("the browser says:\n%s", strings.Join(b.problems, "\n"))
		}
	})
	b.do(chromedp.Navigate("file://" + file))
	return b
}

func (b *tab) do(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b, actions...); err != nil {
		b.t.Fatal(err)
	}
}

// run runs JavaScript.
func run(script string) chromedp.Action[chromedp.Void] {
	return chromedp.Evaluate[chromedp.Void](script)
}

// until waits for a JavaScript expression to hold.
func until(expression string) chromedp.Action[chromedp.Void] {
	return chromedp.Poll[chromedp.Void](expression)
}

// keys types.
func keys(text string) chromedp.Action[chromedp.Void] { return chromedp.KeyEvent(text) }

// search goes to the search by its key, and types. The browser is told of the key
// and its character apart, so the character may end up in the field.
func (b *tab) search(text string) {
	b.t.Helper()
	b.do(keys("/"), until(`document.activeElement.id === 'page-search'`), run(`document.activeElement.value = ''`), keys(text))
}

// is requires that a JavaScript expression gives a value.
func (b *tab) is(expression string, want any) {
	b.t.Helper()
	got, err := chromedp.Run(b, chromedp.Evaluate[any](expression))
	if err != nil {
		b.t.Fatal(err)
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		b.t.Errorf("%s\n is %v, want %v", expression, got, want)
	}
}

// Expressions that hold on every page.
const (
	deadLinks = `[...document.querySelectorAll('a[href]')].map(a => a.getAttribute('href'))
		.filter(h => !/^(runs\/[^/]+\/)?evidence\//.test(h)) // files beside the page
		.filter(h => !h.startsWith('#') || !document.getElementById(decodeURIComponent(h.slice(1).split('?')[0]))).join(' ')`
	tooWide   = `document.documentElement.scrollWidth > document.documentElement.clientWidth`
	unlabeled = `[...document.querySelectorAll('button, input, select')]
		.filter(e => !e.textContent.trim() && !e.labels?.length && !e.getAttribute('aria-label')).length`
	doubleIDs = `(() => { const ids = [...document.querySelectorAll('[id]')].map(e => e.id); return ids.length - new Set(ids).size })()`
)

// fits checks the page at desktop and phone width, in light and dark, and takes pictures.
func (b *tab) fits(name string) {
	b.t.Helper()
	for _, view := range []struct {
		name          string
		width, height int64
	}{{"desktop", 1280, 900}, {"phone", 390, 844}} {
		for _, scheme := range []string{"light", "dark"} {
			b.do(chromedp.EmulateViewport(view.width, view.height))
			media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}
			if _, err := chromedp.Call(b, emulation.SetEmulatedMedia, media); err != nil {
				b.t.Fatal(err)
			}
			b.is(tooWide, false)
			b.picture(fmt.Sprintf("%s-%s-%s", name, view.name, scheme))
		}
	}
	b.do(chromedp.EmulateViewport(1280, 900))
}

func (b *tab) picture(name string) {
	dir := os.Getenv("NBDCONFORM_SCREENSHOTS")
	if dir == "" {
		return
	}
	png, err := chromedp.Run(b, chromedp.CaptureScreenshot())
	if err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), png, 0o644); err != nil {
		b.t.Fatal(err)
	}
}

func TestReportInABrowser(t *testing.T) {
	b := browse(t, rendered(t, broken(), HTML))
	b.is(deadLinks, "")
	b.is(unlabeled, 0)
	b.is(doubleIDs, 0)
	const shown = `document.querySelectorAll('details.spec:not([hidden])').length`
	all := len(broken().Specs)
	b.is(shown, all)
	b.do(chromedp.SetValue(chromedp.CSS("#page-verdict"), "crash"), run(`document.querySelector('form').dispatchEvent(new Event('input'))`))
	b.is(shown, 1)
	b.do(keys("/"), keys("nothing like it"))
	b.is(shown, 0)
	b.do(keys("\x1b"))
	b.is(shown, all)
	b.do(run(`location.hash = '#trim.beyond-end'`), until(`document.activeElement.id === 'trim.beyond-end'`))
	b.fits("report")
}

func TestMatrixInABrowser(t *testing.T) {
	b := browse(t, rendered(t, sampleMatrix(), MatrixHTML))
	b.is(deadLinks, "")
	b.is(unlabeled, 0)
	b.is(doubleIDs, 0)
	const shown = `document.querySelectorAll('#requirements tbody:not([hidden])').length`
	all := len(sampleMatrix().Clauses()) // servers were asked all of them
	b.is(shown, all)
	pick := func(id, value string) {
		b.do(chromedp.SetValue(chromedp.CSS("#page-"+id), value), run(`document.querySelector('form').dispatchEvent(new Event('input'))`))
	}
	pick("verdict", "hang")
	b.is(shown, 2)
	pick("server", "program-qemu-nbd-bullseye") // which did not hang
	b.is(shown, 0)
	b.do(keys("\x1b"))
	b.is(shown, all)
	pick("side", "client")
	b.is(shown, 5) // of nbdcopy
	b.is(`[...document.querySelectorAll('#requirements .of-server')].every(c => getComputedStyle(c).display === 'none')`, true)
	b.do(keys("\x1b"))
	b.search("Bounds refused")
	b.is(`[...document.querySelectorAll('#requirements tbody:not([hidden])')].map(c => c.id).join()`, "cmd.bounds.refused")
	b.do(keys("\x1b"))
	pick("level", "SHOULD")
	b.is(`[...document.querySelectorAll('#requirements tbody:not([hidden])')].every(c => c.dataset.level === 'SHOULD')`, true)
	const charts = `[...document.querySelectorAll('#speed svg')]`
	b.is(charts+`.length`, len(sampleSpeed().Loads()))
	b.is(charts+`.every(s => s.querySelectorAll('rect').length === s.parentElement.querySelectorAll('tbody tr').length)`, true)
	b.is(charts+`.every(s => s.getAttribute('aria-labelledby').split(' ').every(id => document.getElementById(id).textContent.trim()))`, true)
	b.is(charts+`.every(s => [...s.querySelectorAll('rect')].every(r => r.getBBox().x >= 0 && r.getBBox().x + r.getBBox().width <= s.clientWidth + 1))`, true)
	b.do(run(`location.hash = '#cmd.bounds.refused'`),
		until(`document.activeElement.closest('tbody')?.id === 'cmd.bounds.refused'`))
	b.is(shown, all)               // a deep link shows its clause whatever the filters say
	for _, want := range []string{ // the requirement, who kept it, what came, and how to see it again
		"beyond the size of the export is answered", "Verdictscrash: qemu-nbd trixie", "core dumped", "!! this does not do",
		"runs/qemu-nbd-trixie/evidence/trim.beyond-end", "nbdconform run --target qemu-nbd --spec trim.beyond-end",
	} {
		b.is(fmt.Sprintf(`document.getElementById('cmd.bounds.refused').querySelector('.detail').textContent.includes(%q)`, want), true)
	}
	b.do(keys("j"))
	b.is(`document.activeElement.closest('tbody').id !== 'cmd.bounds.refused'`, true)
	b.do(keys("\r"))
	b.is(`document.activeElement.getAttribute('aria-expanded')`, "true")
	b.is(deadLinks, "")
	b.fits("matrix")
	b.do(run(`document.querySelectorAll('main > section:not(#speed)').forEach(s => { s.hidden = true })`))
	b.fits("matrix-speed")
	b.do(chromedp.EmulateViewport(390, 844), run(`document.querySelector('#requirements .scroll').scrollLeft = 300`))
	b.is(`[...document.querySelectorAll('#requirements .sheet')].filter(s => s.offsetParent && s.getBoundingClientRect().right > innerWidth).length`, 0)
	b.picture("matrix-phone-scrolled")
}

// The address carries the filters, both ways.
func TestMatrixFiltersAreInTheAddress(t *testing.T) {
	b := browse(t, rendered(t, sampleMatrix(), MatrixHTML))
	const shown = `[...document.querySelectorAll('#requirements tbody:not([hidden])')].map(c => c.id).join()`
	b.do(run(`document.querySelector('#program-qemu-nbd-trixie a[href^="#requirements?"]').click()`),
		until(`document.getElementById('page-server').value === 'program-qemu-nbd-trixie'`))
	all := len(sampleMatrix().Clauses())
	b.is(`document.querySelectorAll('#requirements tbody:not([hidden])').length < `+fmt.Sprint(all), true)
	b.do(run(`location.hash = '#requirements?verdict=hang&level=MUST&search=done+nonsense&program=nobody'`), until(shown+` === ''`))
	b.is(`document.getElementById('page-server').value`, "")
	b.do(run(`location.hash = '#requirements?verdict=hang&search=trans.structured.done'`), until(shown+` === 'trans.structured.done'`))
	b.search("nonsense")
	b.is(`location.hash`, "#requirements?verdict=hang&search=nonsense")
	b.do(keys("\x1b"))
	b.is(`location.hash`, "#requirements")
	b.is(`document.querySelectorAll('#requirements tbody:not([hidden])').length`, all)
	b.do(run(`location.hash = '#program-qemu-nbd-trixie'`), until(`document.activeElement.id === 'h-program-qemu-nbd-trixie'`))
}

// On paper there are no controls, and what is open is there whole.
func TestMatrixOnPaper(t *testing.T) {
	b := browse(t, rendered(t, sampleMatrix(), MatrixHTML))
	b.do(run(`location.hash = '#cmd.bounds.refused'`), until(`document.activeElement.closest('tbody')?.id === 'cmd.bounds.refused'`))
	if _, err := chromedp.Call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"}); err != nil {
		t.Fatal(err)
	}
	b.do(run(`dispatchEvent(new Event('beforeprint'))`))
	for what, want := range map[string]bool{"form.filters": false, "nav": false, ".jump": false, "h1": true, "#requirements .evidence pre.message": true, "#requirements details.transcript pre": true} {
		b.is(fmt.Sprintf(`[...document.querySelectorAll(%q)].some(e => e.checkVisibility())`, what), want)
	}
	b.is(`getComputedStyle(document.querySelector('#requirements thead th')).position`, "static")
	b.picture("matrix-paper")
}

func TestCampaignInABrowser(t *testing.T) {
	const elsewhere = `[...document.querySelectorAll('a[href]')].map(a => a.getAttribute('href'))
		.filter(h => !/^([a-z-]+\/)?(findings\/[^/]+\.(script|py)|index\.html|campaign\.json)$/.test(h))
		.filter(h => !h.startsWith('#') || !document.getElementById(h.slice(1))).join(' ')`
	for name, page := range map[string][]byte{
		"campaign":  rendered(t, sampleCampaign(), campaignPageOf),
		"campaigns": rendered(t, []fuzzing.Record{sampleCampaign(), doubtful()}, campaignIndexOf),
	} {
		t.Run(name, func(t *testing.T) {
			b := browse(t, page)
			b.is(elsewhere, "")
			b.is(unlabeled, 0)
			b.is(doubleIDs, 0)
			b.is(`document.querySelectorAll('.finding').length`, len(sampleCampaign().Findings)+len(sampleCampaign().Differs))
			b.is(`[...document.querySelectorAll('.finding')].every(f => getComputedStyle(f).borderTopColor !== getComputedStyle(f).borderBottomColor)`, true)
			b.fits(name)
			b.do(run(`document.querySelectorAll('details').forEach(d => { d.open = true })`), chromedp.EmulateViewport(390, 844))
			b.is(tooWide, false)
		})
	}
}
