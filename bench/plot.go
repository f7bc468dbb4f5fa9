package main

import (
	"fmt"
	"html"
	"strings"
)

// figure is one bar of a plot.
type figure struct {
	label string
	value float64
	ours  bool
}

const (
	plotWidth = 760
	plotLabel = 220 // where bars begin
	plotLine  = 34
	plotTop   = 56
)

// plot draws bars as SVG. It brings its own background, to be read on a dark page too.
func plot(title, unit string, figures []figure) string {
	most := 0.0
	for _, f := range figures {
		most = max(most, f.value)
	}
	height := plotTop + plotLine*len(figures) + 14
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img" font-family="system-ui, sans-serif" font-size="14">`+"\n", plotWidth, height, plotWidth, height)
	fmt.Fprintf(&b, `<title>%s</title>`+"\n", html.EscapeString(title))
	fmt.Fprintf(&b, `<rect width="%d" height="%d" rx="8" fill="#ffffff" stroke="#d0d7de"/>`+"\n", plotWidth, height)
	fmt.Fprintf(&b, `<text x="16" y="32" font-size="16" font-weight="600" fill="#1f2328">%s</text>`+"\n", html.EscapeString(title))
	for i, f := range figures {
		y, colour := plotTop+plotLine*i, "#8c959f"
		if f.ours {
			colour = "#0969da"
		}
		width := 1.0
		if most > 0 {
			width = max(width, f.value/most*(plotWidth-plotLabel-110))
		}
		fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="end" fill="#1f2328">%s</text>`, plotLabel-10, y+17, html.EscapeString(f.label))
		fmt.Fprintf(&b, `<rect x="%d" y="%d" width="%.0f" height="%d" rx="3" fill="%s"/>`, plotLabel, y, width, plotLine-10, colour)
		fmt.Fprintf(&b, `<text x="%.0f" y="%d" fill="#1f2328">%.4g %s</text>`+"\n", float64(plotLabel)+width+8, y+17, f.value, html.EscapeString(unit))
	}
	b.WriteString("</svg>\n")
	return b.String()
}

// plotCPU draws the CPU time of a request, in the order of the set-ups.
func plotCPU(at map[string][]sample) string {
	var figures []figure
	for _, b := range blueprints {
		if samples := at[b.name]; len(samples) > 0 && b.name != oursOther {
			value := median(samples, func(s sample) float64 { return microseconds(s.CPU) })
			figures = append(figures, figure{b.name, value, strings.HasPrefix(b.name, ours)})
		}
	}
	return plot("CPU time of an accepted request of 1 KiB", "µs", figures)
}
