package main

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"
)

func TestParseLoad(t *testing.T) {
	l, err := parseLoad([]byte("Running 2s test @ http://127.0.0.1\nmeasured 300 2000000 1500 9000 7 1\n"))
	want := load{requests: 300, duration: 2 * time.Second, p50: 1500 * time.Microsecond, p99: 9 * time.Millisecond, status: 7, other: 1}
	if err != nil || l != want {
		t.Errorf("got %+v, %v", l, err)
	}
	for _, output := range []string{"", "unable to connect", "measured 0 2000000 0 0 0 0", "measured 12 x"} {
		if _, err := parseLoad([]byte(output)); err == nil {
			t.Errorf("%q is taken for a measurement", output)
		}
	}
}

// TestWrongAnswersAreNotMeasured: what refuses everything is fast.
func TestWrongAnswersAreNotMeasured(t *testing.T) {
	for _, c := range []struct {
		l  load
		t  traffic
		ok bool
	}{
		{load{requests: 10}, traffic{}, true},
		{load{requests: 10, status: 1}, traffic{}, false},
		{load{requests: 10, other: 1}, traffic{}, false},
		{load{requests: 10, status: 10}, traffic{unknown: true}, true},
		{load{requests: 10, status: 9}, traffic{unknown: true}, false},
	} {
		if err := c.l.check("hookgate", c.t); (err == nil) != c.ok {
			t.Errorf("%+v %+v: %v", c.l, c.t, err)
		}
	}
}

func TestRatio(t *testing.T) {
	itself := func(f float64) float64 { return f }
	// Round by round: 0.5, 2, 1. The medians alone would say 1.5.
	got := ratioOf([]float64{1, 8, 3}, []float64{2, 4, 3, 9}, itself)
	if want := (ratio{median: 1, least: 0.5, most: 2}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := ratioOf(nil, []float64{1}, itself); got != (ratio{}) {
		t.Errorf("nothing compares as %+v", got)
	}
	if got := median([]float64{4, 1, 3, 2}, itself); got != 2.5 {
		t.Errorf("median %v", got)
	}
}

func TestVerdicts(t *testing.T) {
	verdicts := make(map[string]int)
	samples := func(micros ...int) (all []sample) {
		for _, m := range micros {
			all = append(all, sample{CPU: time.Duration(m) * time.Microsecond, P99: time.Millisecond})
		}
		return all
	}
	measured := results{
		accepted: {bare: samples(100, 100), ours: samples(23, 24), oursTraced: samples(30, 30), oursTenth: samples(24, 25), oursReverse: samples(99, 100), authRequest: samples(60, 60), nginxLua: samples(25, 25),
			oursSigned: samples(20, 31), oursProof: samples(22, 35), oursReplay: samples(44, 52)},
		refused: {ours: samples(50, 50), oursOther: samples(100, 100)},
	}
	flooding := &floodResult{Quiet: []time.Duration{10}, Flooded: []time.Duration{13}, Refused: 1000, Commands: 12, Idle: 11}
	for _, b := range bars(measured, flooding) {
		verdicts[b.verdict]++
	}
	// Missed: nginx (0.39), the refused (0.50) and the flood (1.3), reverse_proxy against nginx (1.66),
	// a trace of every request (1.28), replay (1.74). A proof costs 3 µs.
	if verdicts["met"] != 8 || verdicts["**missed**"] != 6 || verdicts["not measured"] != 2 {
		t.Errorf("%v", verdicts)
	}
}

func TestReplaceSection(t *testing.T) {
	page := "above\n<!-- bench:begin -->\nold\n<!-- bench:end -->\nbelow\n"
	got, err := replaceSection(page, "bench", "new\n\n")
	if want := strings.Replace(page, "old", "new", 1); err != nil || got != want {
		t.Errorf("got %q, %v", got, err)
	}
	for _, page := range []string{"", "<!-- bench:begin -->", "<!-- bench:end --><!-- bench:begin -->"} {
		if _, err := replaceSection(page, "bench", "new"); err == nil {
			t.Errorf("%q has a section", page)
		}
	}
}

func TestPlotIsXML(t *testing.T) {
	decoder := xml.NewDecoder(strings.NewReader(plot("a < b & c", "µs", []figure{{"<one>", 12.5, true}, {"two", 0, false}})))
	var texts []string
	for {
		part, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if data, ok := part.(xml.CharData); ok && strings.TrimSpace(string(data)) != "" {
			texts = append(texts, string(data))
		}
	}
	if got := strings.Join(texts, "|"); got != "a < b & c|a < b & c|<one>|12.5 µs|two|0 µs" {
		t.Errorf("it reads %q", got)
	}
}

func TestUnknownNames(t *testing.T) {
	for _, args := range [][]string{{"-setups", "apache"}, {"-traffic", "accepted-1k,nothing"}, {"nothing"}, {"memory", "-credentials", "many"}} {
		if err := run(t.Context(), args, io.Discard); err == nil {
			t.Errorf("%q is accepted", args)
		}
	}
}

// TestSameCaddy: what Hookgate is measured against is the Caddy that it is made of.
func TestSameCaddy(t *testing.T) {
	version := func(path string) string {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		_, rest, _ := strings.Cut(string(text), "github.com/caddyserver/caddy/v2 ")
		found, _, _ := strings.Cut(rest, "\n")
		return found
	}
	if ours, stock := version("../go.mod"), version("stockcaddy/go.mod"); ours != stock || ours == "" {
		t.Errorf("Hookgate is made of Caddy %s, and measured against %s", ours, stock)
	}
}
