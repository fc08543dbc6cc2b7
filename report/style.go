package report

import "advisor/policies"

// Style says how text for people looks. Colour only ever repeats what the words
// say. A line of findings that is longer than Width has its message and its place
// below; 0 is for what no person's terminal shows, where a line stays a line.
type Style struct {
	Color bool
	Width int
}

// Codes of ECMA-48 select graphic rendition.
const (
	sgrBold   = "1"
	sgrDim    = "2"
	sgrRed    = "31"
	sgrYellow = "33"
	sgrBlue   = "34"
)

func (s Style) paint(code, text string) string {
	if !s.Color {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

func (s Style) bold(text string) string { return s.paint(sgrBold, text) }
func (s Style) dim(text string) string  { return s.paint(sgrDim, text) }

func (s Style) class(c policies.Class, text string) string {
	switch c {
	case policies.Missing, policies.Invalid:
		return s.paint(sgrRed, text)
	case policies.Excess, policies.Unprotected:
		return s.paint(sgrYellow, text)
	}
	return s.paint(sgrBlue, text)
}
