// Package html renders a report as one page that people look at.
//
// Rules it keeps:
//
//   - One file that needs no network and works from a disk. It embeds its
//     style, its scripts and the graph library, each allowed by its hash in a
//     Content-Security-Policy that allows nothing else.
//   - Everything a trace or a manifest says is hostile. html/template is the
//     only author of markup, scripts set text and never markup, and the data
//     for the graph stands in one escaped JSON block that no one executes.
//   - Usable with scripts off: every table, policy and patch is in the markup.
//     Scripts add the graph, a filter, copying, and evidence at a click.
//   - Colour is never the only carrier: each class has a sign and a word.
//   - The same page gives the same bytes. Input is sorted here, there is no
//     clock, and times are shown in UTC.
//   - Under 1 MiB for 50 workloads; the graph library, half of that, is
//     embedded only where there is a graph.
package html

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"strings"
)

//go:generate ./vendor.sh
//go:embed assets
var assets embed.FS

// Render writes the page.
func Render(w io.Writer, p Page) error {
	v, err := newView(p)
	if err != nil {
		return fmt.Errorf("html page: %w", err)
	}
	t, err := template.ParseFS(assets, "assets/*.tmpl")
	if err != nil {
		return fmt.Errorf("html page: %w", err)
	}
	if err := t.ExecuteTemplate(w, "page.tmpl", v); err != nil {
		return fmt.Errorf("html page: %w", err)
	}
	return nil
}

// parts are the texts that the page embeds verbatim.
type parts struct {
	Style  template.CSS
	Script template.JS
	// Library is the graph library, compressed, in base64; empty without a
	// graph. A script unpacks it into a script element, which the hash of the
	// plain text allows.
	Library template.HTML
	hashes  []string // of the scripts
}

func loadParts(withGraph bool) (parts, error) {
	style, err := readAll("assets/style.css")
	if err != nil {
		return parts{}, err
	}
	names := []string{"assets/page.js", "assets/evidence.js"}
	p := parts{Style: template.CSS(style)}
	if withGraph {
		names = append(names, "assets/graph_style.js", "assets/graph.js")
		if err := p.addLibrary(); err != nil {
			return parts{}, err
		}
	}
	script, err := readAll(names...)
	if err != nil {
		return parts{}, err
	}
	// In a block, so that no name of ours meets one of the window's.
	p.Script = template.JS("\"use strict\";\n{\n" + script + "}\n")
	p.hashes = append(p.hashes, hash(string(p.Script)))
	return p, nil
}

func (p *parts) addLibrary() error {
	library, err := readAll("assets/vendor/graph.min.js")
	if err != nil {
		return err
	}
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return err
	}
	if _, err := io.WriteString(z, library); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	p.Library = template.HTML(base64.StdEncoding.EncodeToString(b.Bytes()))
	p.hashes = append(p.hashes, hash(library))
	return nil
}

func readAll(names ...string) (string, error) {
	var b strings.Builder
	for _, name := range names {
		text, err := assets.ReadFile(name)
		if err != nil {
			return "", err
		}
		b.Write(text)
	}
	return b.String(), nil
}

// policy is the page's Content-Security-Policy (W3C CSP Level 3): nothing but
// the very texts above.
func (p parts) policy() string {
	return strings.Join([]string{
		"default-src 'none'",
		"script-src " + strings.Join(p.hashes, " "),
		"style-src " + hash(string(p.Style)),
		"img-src data:", // the picture of the graph on paper
		"base-uri 'none'",
		"form-action 'none'",
	}, "; ")
}

func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}
