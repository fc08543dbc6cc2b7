package html_test

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"flag"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"advisor/policies"
	"advisor/report/html"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

func render(t testing.TB, p html.Page) string {
	t.Helper()
	var b bytes.Buffer
	if err := html.Render(&b, p); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// The parts of a page that are the same on all pages.
var (
	styleText   = regexp.MustCompile(`(?s)<style [^>]*>(.*?)</style>`)
	scriptText  = regexp.MustCompile(`(?s)<script>(.*?)</script>`)
	libraryText = regexp.MustCompile(`(?s)<template id="library">(.*?)</template>`)
	dataText    = regexp.MustCompile(`(?s)<script type="application/json" id="data">(.*?)</script>`)
	policyText  = regexp.MustCompile(`http-equiv="Content-Security-Policy" content="([^"]*)"`)
)

// markup is a page without what is embedded in every page.
func markup(page string) string {
	for _, part := range []*regexp.Regexp{styleText, scriptText, libraryText, policyText} {
		page = part.ReplaceAllString(page, "<!-- embedded -->")
	}
	return page
}

func part(t *testing.T, page string, which *regexp.Regexp) string {
	t.Helper()
	found := which.FindAllStringSubmatch(page, -1)
	if len(found) != 1 {
		t.Fatalf("%s is there %d times, want once", which, len(found))
	}
	return found[0][1]
}

func TestGolden(t *testing.T) {
	p := onePage()
	drift(&p.Workloads[0])
	p.Manifests = []string{"k8s/web.yaml"}
	got := markup(render(t, p))
	path := filepath.Join("testdata", "one.html")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("run with -update where this is wanted (-want +got):\n%s", diff)
	}
}

// TestOrderOfInput gives the same page in another order.
// TestNotRecorded holds that what was not looked for is not shown as none.
func TestNotRecorded(t *testing.T) {
	e := evidence(1)
	e.Off = []string{"capabilities: off: no BTF", "syscalls: off: network only"}
	page := html.Page{Traces: []string{"trace.log"}, Evidence: e, Workloads: []html.Workload{
		{Workload: policies.Workload{Kind: "Container", Name: "web"}, Evidence: e},
	}}
	var b strings.Builder
	if err := html.Render(&b, page); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]int{">not recorded<": 2, ">0 flows<": 1, "0 calls": 0, "0 needed": 0, "in part": 1, "every probe on": 0} {
		if got := strings.Count(b.String(), text); got != want {
			t.Errorf("%q is there %d times, want %d", text, got, want)
		}
	}
}

func TestOrderOfInput(t *testing.T) {
	one, other := tenPage(), tenPage()
	slices.Reverse(other.Workloads)
	slices.Reverse(other.Flows)
	for _, w := range other.Workloads {
		slices.Reverse(w.Findings)
		slices.Reverse(w.Syscalls)
		slices.Reverse(w.Capabilities)
	}
	if diff := cmp.Diff(markup(render(t, one)), markup(render(t, other))); diff != "" {
		t.Errorf("another order gives another page (-one +other):\n%s", diff)
	}
	if a, b := render(t, one), render(t, one); a != b {
		t.Error("the same page twice is not the same")
	}
}

func TestSizes(t *testing.T) {
	bare := onePage()
	bare.Flows = nil
	tests := []struct {
		name string
		page html.Page
		most int
	}{
		{"50 workloads", manyPage(50, 80, 250), 1 << 20},
		{"one workload", onePage(), 300 << 10},
		{"no flows, so no graph library", bare, 80 << 10},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := len(render(t, tt.page)); got > tt.most {
				t.Errorf("%d bytes, want at most %d", got, tt.most)
			}
		})
	}
}

// TestPolicyAllowsWhatIsThere holds the hashes of the page's own policy against
// the texts in it: a browser runs nothing else.
func TestPolicyAllowsWhatIsThere(t *testing.T) {
	page := render(t, tenPage())
	allowed := strings.ReplaceAll(part(t, page, policyText), "&#39;", "'")
	allowed = strings.ReplaceAll(allowed, "&#43;", "+")
	for _, word := range []string{"unsafe", "http", "*", "'self'"} {
		if strings.Contains(allowed, word) {
			t.Errorf("the policy allows %s: %s", word, allowed)
		}
	}
	texts := map[string]string{
		"style": part(t, page, styleText), "script": part(t, page, scriptText),
		"library": unpack(t, part(t, page, libraryText)),
	}
	for name, text := range texts {
		sum := sha256.Sum256([]byte(text))
		if h := "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"; !strings.Contains(allowed,
			h) {
			t.Errorf("the policy does not allow the page's %s", name)
		}
		if strings.ContainsAny(text, "\r\x00") {
			t.Errorf("the %s holds CR or NUL, which a browser changes", name)
		}
	}
}

func unpack(t *testing.T, packed string) string {
	t.Helper()
	z, err := gzip.NewReader(base64.NewDecoder(base64.StdEncoding, strings.NewReader(packed)))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestLicences holds that whoever passes the page on passes the licences on.
func TestLicences(t *testing.T) {
	library := unpack(t, part(t, render(t, tenPage()), libraryText))
	for _, name := range []string{"cytoscape", "cytoscape-dagre", "@dagrejs/dagre",
		"@dagrejs/graphlib"} {
		if !strings.Contains(library, "\n=== "+name+" ") {
			t.Errorf("no licence of %s", name)
		}
	}
	if n := strings.Count(library, "permission notice shall be included"); n < 4 {
		t.Errorf("%d licence texts, want 4", n)
	}
}

func TestNothingIsLoaded(t *testing.T) {
	page := markup(render(t, tenPage()))
	for _, bad := range []string{" src=", "url(", "@import", "http:", "https:", "<link", "<iframe",
		"style=\"", " onclick", " onload"} {
		if at := strings.Index(strings.ToLower(page), bad); at >= 0 {
			t.Errorf("%q: …%s", bad, page[at:min(at+60, len(page))])
		}
	}
	for _, href := range regexp.MustCompile(`href="([^"]*)"`).FindAllStringSubmatch(page, -1) {
		if !strings.HasPrefix(href[1], "#") {
			t.Errorf("a link leaves the page: %s", href[1])
		}
	}
}

// TestHostileText holds that text from outside makes no markup: a page full of
// it has exactly as many tags and quotes as one with a harmless word instead.
func TestHostileText(t *testing.T) {
	hostile := render(t, hostilePage())
	tame := render(t, tamePage())
	for _, sign := range []string{"<", ">", `"`} {
		want, got := strings.Count(withoutData(tame), sign), strings.Count(withoutData(hostile), sign)
		if got != want {
			t.Errorf("%d times %s, want %d as with harmless text", got, sign, want)
		}
	}
	data := part(t, hostile, dataText)
	if strings.ContainsAny(data, "<>&\u2028") {
		t.Error("the data block holds characters that can end or break it")
	}
	if !json.Valid([]byte(data)) {
		t.Error("the data block is no JSON")
	}
}

func withoutData(page string) string { return dataText.ReplaceAllString(markup(page), "") }

// TestBadPages are pages with something missing: each is still a page.
func TestBadPages(t *testing.T) {
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	tests := []struct {
		name string
		page html.Page
		want string
	}{
		{"nothing at all", html.Page{}, "No workload was observed."},
		{"a curve without facts", html.Page{Curve: html.Curve{Step: time.Minute, New: []int{0, 0}}},
			"No workload"},
		{"an end before its start", html.Page{Evidence: policies.Evidence{Start: at,
			End: at.Add(-time.Hour)}}, "0s"},
		{"a policy that selects nothing, and no workload", html.Page{Manifests: []string{"k8s"},
			Workloads: []html.Workload{{Other: true, Findings: []policies.Finding{{Class: policies.Invalid}}}}},
			"What is declared differs"},
		{"a call of a class nobody named", html.Page{Workloads: []html.Workload{
			{Syscalls: []html.Syscall{{Name: "frob", Risk: "?"}}},
		}}, "calls of no known class"},
		{"a rule past the end of its policy", html.Page{Workloads: []html.Workload{{
			Syscalls: []html.Syscall{{Name: "frob"}},
			Policies: []html.Policy{{Text: "x\n", Rules: []html.Rule{{First: 7, Last: 99,
				Facts: []string{"syscall/frob"}}}}},
		}}}, "frob"},
		{"a flow to itself", html.Page{Flows: []html.Flow{{}}}, "All flows"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if page := render(t, tt.page); !strings.Contains(page, tt.want) || !strings.HasSuffix(page,
				"</html>\n") {
				t.Errorf("no %q in the page, or its end is missing", tt.want)
			}
		})
	}
}

// TestFoldsAtSixty is where a graph is too much to follow.
func TestFoldsAtSixty(t *testing.T) {
	for flows, want := range map[int]bool{40: false, 300: true} {
		page := render(t, manyPage(60, 5, flows))
		if got := strings.Contains(page, `<details class="matrix"`); got != want {
			t.Errorf("%d flows: a matrix is there: %v, want %v", flows, got, want)
		}
	}
}

func BenchmarkRender(b *testing.B) {
	p := manyPage(50, 80, 250)
	for b.Loop() {
		if err := html.Render(io.Discard, p); err != nil {
			b.Fatal(err)
		}
	}
}
