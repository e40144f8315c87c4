package main

import (
	"fmt"
	"html"
	"io"
	"strings"
)

// palette are the eight colors of a terminal, for a dark background.
var palette = []string{"#6e7681", "#ff7b72", "#7ee787", "#e3b341", "#79c0ff", "#d2a8ff", "#56d4dd", "#f0f6fc"}

// The sizes of a character and of the window.
const (
	charWidth  = 8.4
	lineHeight = 19.0
	margin     = 18.0
	bar        = 34.0
)

// draw writes the picture. Every run of characters of one style has a fixed position and width, so that columns are aligned
// with any font.
func draw(w io.Writer, s *screen, title string) {
	lines := s.lines
	for len(lines) > 0 && strings.TrimSpace(text(lines[len(lines)-1])) == "" {
		lines = lines[:len(lines)-1]
	}
	width := float64(s.columns)*charWidth + 2*margin
	height := float64(len(lines))*lineHeight + bar + margin
	fmt.Fprintf(w, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" width="%.0f" height="%.0f" role="img" aria-label="%s">`+"\n",
		width, height, width, height, html.EscapeString(title))
	fmt.Fprintf(w, `<rect width="%.0f" height="%.0f" rx="8" fill="#0d1117"/>`+"\n", width, height)
	for i, color := range []string{"#ff5f56", "#ffbd2e", "#27c93f"} {
		fmt.Fprintf(w, `<circle cx="%.0f" cy="17" r="5.5" fill="%s"/>`+"\n", margin+2+float64(i)*18, color)
	}
	fmt.Fprintf(w, `<text x="%.0f" y="21" fill="#8b949e" font-family="sans-serif" font-size="12" text-anchor="middle">%s</text>`+"\n",
		width/2, html.EscapeString(title))
	fmt.Fprint(w, `<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="14" fill="#c9d1d9" xml:space="preserve">`+"\n")
	for i, line := range lines {
		drawLine(w, line, bar+float64(i)*lineHeight+14)
	}
	fmt.Fprint(w, "</g>\n</svg>\n")
}

func drawLine(w io.Writer, line []cell, y float64) {
	for start := 0; start < len(line); {
		end := start + 1
		for end < len(line) && line[end].style == line[start].style {
			end++
		}
		run := line[start:end]
		shown := strings.TrimRight(text(run), " ")
		lead := len(shown) - len(strings.TrimLeft(shown, " "))
		if shown = shown[lead:]; shown != "" {
			fmt.Fprintf(w, `<text x="%.1f" y="%.1f" textLength="%.1f"%s>%s</text>`+"\n", margin+float64(start+lead)*charWidth, y,
				float64(len([]rune(shown)))*charWidth, look(run[0].style), html.EscapeString(shown))
		}
		start = end
	}
}

func look(s style) string {
	var out string
	if s.color > 0 {
		out += fmt.Sprintf(` fill="%s"`, palette[s.color-1])
	}
	if s.bold {
		out += ` font-weight="bold"`
	}
	if s.faint {
		out += ` opacity="0.6"`
	}
	return out
}

func text(line []cell) string {
	var b strings.Builder
	for _, c := range line {
		b.WriteRune(c.r)
	}
	return b.String()
}
