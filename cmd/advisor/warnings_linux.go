package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
)

// warnings writes what a log warns of as lines for people:
// "advisor: warning: what it is: the error (key value)".
type warnings struct{ to io.Writer }

// Enabled implements [slog.Handler].
func (warnings) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelWarn }

// Handle implements [slog.Handler].
func (w warnings) Handle(_ context.Context, r slog.Record) error {
	line, more := "advisor: warning: "+r.Message, []string(nil)
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "error" {
			line += ": " + a.Value.String()
		} else {
			more = append(more, a.Key+" "+a.Value.String())
		}
		return true
	})
	if len(more) > 0 {
		line += " (" + strings.Join(more, ", ") + ")"
	}
	_, err := fmt.Fprintln(w.to, line)
	return err
}

// WithAttrs implements [slog.Handler]. The recorder has no attributes of its own.
func (w warnings) WithAttrs([]slog.Attr) slog.Handler { return w }

// WithGroup implements [slog.Handler].
func (w warnings) WithGroup(string) slog.Handler { return w }
