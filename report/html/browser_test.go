package html_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"advisor/report/html"
)

// TestBrowser opens the pages in headless Chromium: no script error, no refusal
// by the page's policy, no request, keyboard and paper, and the same rows with
// scripts off. It runs where ADVISOR_REQUIRE_BROWSER is set, as make test-html
// does. ADVISOR_SHOTS names a directory for pictures of the pages.
func TestBrowser(t *testing.T) {
	if os.Getenv("ADVISOR_REQUIRE_BROWSER") == "" {
		t.Skip("takes a minute and a browser: make test-html")
	}
	dir := t.TempDir()
	pages := map[string]html.Page{
		"one": onePage(), "ten": tenPage(), "sixty": sixtyPage(), "hostile": hostilePage(),
	}
	for name, page := range pages {
		if err := os.WriteFile(filepath.Join(dir, name+".html"), []byte(render(t, page)),
			0o600); err != nil {
			t.Fatal(err)
		}
	}
	args := []string{"browser.mjs", dir}
	if shots := os.Getenv("ADVISOR_SHOTS"); shots != "" {
		args = append(args, shots)
	}
	out, err := exec.Command("node", args...).CombinedOutput()
	if err != nil {
		t.Errorf("node %v: %v\n%s", args, err, out)
	}
}
