package report

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// Renderings are the formats of a whole report, the default first.
func Renderings() []string {
	return []string{"text", "json", "markdown", "sarif", "github", "gitlab", "junit", "html", "name"}
}

// Render prints the report in a format. Style is for text.
func (r *Report) Render(w io.Writer, format string, style Style) error {
	if slices.Contains([]string{"", "text", "markdown", "github", "name"}, format) {
		var err error
		if r, err = cleaned(r); err != nil {
			return err
		}
	}
	switch format {
	case "", "text":
		return r.Text(w, style)
	case "json":
		return r.JSON(w)
	case "markdown":
		return r.Markdown(w)
	case "sarif":
		return r.SARIF(w)
	case "github":
		return r.GitHub(w)
	case "gitlab":
		return r.GitLab(w)
	case "junit":
		return r.JUnit(w)
	case "html":
		return r.HTML(w)
	case "name":
		return r.Names(w)
	}
	return fmt.Errorf("no format %q: there are %s", format, strings.Join(Renderings(), ", "))
}
