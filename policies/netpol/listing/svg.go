package listing

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"slices"

	"advisor/policies/netpol"
)

// Sizes of the picture, in pixels. A character of the font is about 7 wide.
const (
	rowHeight = 34
	boxHeight = 22
	charWidth = 7
	gap       = 320 // between the columns, for the labels of the lines
	margin    = 16
)

// column is the peers of one side of the picture, from top to bottom.
type column struct {
	x, width int
	row      map[string]int
	peers    []netpol.Peer
}

// svg draws sources in a column on the left and destinations on the right: no
// layout program is needed, and the same graph gives the same picture.
func (g *graph) svg() []byte {
	left, right := g.column(func(e edge) netpol.Peer { return e.from }),
		g.column(func(e edge) netpol.Peer { return e.to })
	left.x = margin
	right.x = left.x + left.width + gap
	rows := max(len(left.peers), len(right.peers), 1)
	var out bytes.Buffer
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" `+
		`font-family="monospace" font-size="11">`+"\n",
		right.x+right.width+margin, rows*rowHeight+2*margin)
	out.WriteString(`<defs><marker id="arrow" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" ` +
		`markerHeight="7" orient="auto"><path d="M0 0 L8 4 L0 8 z"/></marker></defs>` + "\n")
	for _, e := range g.edges {
		drawEdge(&out, e, left, right)
	}
	g.drawColumn(&out, left)
	g.drawColumn(&out, right)
	out.WriteString("</svg>\n")
	return out.Bytes()
}

func (g *graph) column(end func(edge) netpol.Peer) column {
	c := column{row: make(map[string]int)}
	for _, e := range g.edges {
		p := end(e)
		if _, known := c.row[p.String()]; !known {
			c.row[p.String()] = 0
			c.peers = append(c.peers, p)
		}
	}
	slices.SortFunc(c.peers, netpol.Peer.Compare)
	for i, p := range c.peers {
		c.row[p.String()] = i
		c.width = max(c.width, len(p.String())*charWidth+2*margin)
	}
	return c
}

func (c column) y(p netpol.Peer) int {
	return margin + c.row[p.String()]*rowHeight + rowHeight/2
}

// drawEdge writes a line with its label near its source: there the lines of
// one source are still apart from those of the others.
func drawEdge(out *bytes.Buffer, e edge, left, right column) {
	x1, y1 := left.x+left.width, left.y(e.from)
	x2, y2 := right.x, right.y(e.to)
	fmt.Fprintf(out, `<line x1="%d" y1="%d" x2="%d" y2="%d" stroke="%s" marker-end="url(#arrow)">`+
		"<title>%s</title></line>\n", x1, y1, x2, y2, svgColour(e.colour),
		escape(fmt.Sprintf("%s => %s : %s", e.from, e.to, e.label)))
	fmt.Fprintf(out, `<text x="%d" y="%d" text-anchor="end" fill="%s">%s</text>`+"\n",
		x2-14, y2+(y1-y2)*14/gap-3, svgColour(e.font), escape(e.label))
}

func (g *graph) drawColumn(out *bytes.Buffer, c column) {
	for _, p := range c.peers {
		y := c.y(p)
		colour := svgColour(g.colour(p))
		fmt.Fprintf(out, `<rect x="%d" y="%d" width="%d" height="%d" rx="4" fill="white" stroke="%s"/>`,
			c.x, y-boxHeight/2, c.width, boxHeight, colour)
		fmt.Fprintf(out, `<text x="%d" y="%d" fill="%s">%s</text>`+"\n",
			c.x+margin, y+4, colour, escape(p.String()))
	}
}

// svgColour is the colour under a name that SVG knows: graphviz has more.
func svgColour(name string) string {
	switch name {
	case "gold2":
		return "#eec900"
	case "red2":
		return "#ee0000"
	}
	return name
}

func escape(s string) string {
	var out bytes.Buffer
	if err := xml.EscapeText(&out, []byte(s)); err != nil {
		return ""
	}
	return out.String()
}
