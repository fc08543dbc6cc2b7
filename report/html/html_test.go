package html_test

import (
	"bytes"
	"os"
	"testing"

	"advisor/report/html"
)

func render(t testing.TB, p html.Page) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := html.Render(&b, p); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
func TestDump(t *testing.T) {
	for n, p := range map[string]html.Page{"one": onePage(), "ten": tenPage(), "sixty": sixtyPage(), "hostile": hostilePage(), "fifty": manyPage(50, 80, 250)} {
		b := render(t, p)
		t.Log(n, len(b))
		os.WriteFile("/tmp/html/"+n+".html", b, 0o644)
	}
}
