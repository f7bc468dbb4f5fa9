package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
)

// replaceSection puts text between the marker comments of a page.
func replaceSection(page, section, text string) (string, error) {
	begin, end := "<!-- "+section+":begin -->", "<!-- "+section+":end -->"
	before, rest, ok := strings.Cut(page, begin)
	_, after, closed := strings.Cut(rest, end)
	if !ok || !closed {
		return "", errors.New("the page has no " + begin + " ... " + end)
	}
	return before + begin + "\n" + strings.TrimSpace(text) + "\n" + end + after, nil
}

func rewrite(path, section, text string) error {
	page, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	changed, err := replaceSection(string(page), section, text)
	if err != nil {
		return err
	}
	return os.WriteFile(path, []byte(changed), 0o644)
}

// publish writes the figures to a page, and the plot of CPU time beside it.
func publish(path, report string, measured results) error {
	if len(measured[accepted]) > 0 {
		plot := filepath.Join(filepath.Dir(path), "bench-cpu.svg")
		if err := os.WriteFile(plot, []byte(plotCPU(measured[accepted])), 0o644); err != nil {
			return err
		}
		report = "![CPU time of a request](bench-cpu.svg)\n\n" + report
	}
	return rewrite(path, "bench", report)
}
