package main

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// describeMachine says where and when the figures were taken.
func describeMachine() string {
	model, load := "an unknown CPU", "?"
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		if _, rest, ok := strings.Cut(string(text), "model name\t: "); ok {
			model, _, _ = strings.Cut(rest, "\n")
		}
	}
	if text, err := os.ReadFile("/proc/loadavg"); err == nil {
		load, _, _ = strings.Cut(string(text), " ")
	}
	kernel, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	revision, _ := exec.Command("git", "describe", "--always", "--dirty").Output()
	return fmt.Sprintf("%s, revision %s. %d cores of %s, Linux %s, %s; load average at the start %s.",
		time.Now().Format("2 January 2006"), strings.TrimSpace(string(revision)), runtime.NumCPU(), model, strings.TrimSpace(string(kernel)), runtime.Version(), load)
}

// writeReport returns the figures as Markdown.
func writeReport(all *record) string {
	var b strings.Builder
	fmt.Fprintf(&b, "The client is `wrk -t1 -c%d`. Figures are medians of the rounds. Measured:\n\n", connections)
	all.writeMachines(&b)
	for _, t := range traffics {
		if _, ok := all.Samples[t.name]; ok {
			writeTable(&b, t, all.Samples[t.name])
		}
	}
	all.Flood.write(&b)
	fmt.Fprint(&b, "### Bars\n\n")
	table(&b, []string{"bar", "wanted", "measured (least to most of the rounds)", ""}, func(row func(...string)) {
		for _, bar := range bars(all.Samples, all.Flood) {
			row(bar.name, bar.wanted, bar.measured, bar.verdict)
		}
	})
	for _, l := range all.Left {
		fmt.Fprintf(&b, "Left out: %s.\n", l)
	}
	return b.String()
}

// writeMachines says where and when, for the traffics of each run.
func (all *record) writeMachines(b *strings.Builder) {
	runs := make(map[string][]string)
	for name, machine := range all.Machine {
		runs[machine] = append(runs[machine], "`"+name+"`")
	}
	for _, machine := range slices.Sorted(maps.Keys(runs)) {
		slices.Sort(runs[machine])
		fmt.Fprintf(b, "- %s: %s\n", strings.Join(runs[machine], ", "), machine)
	}
	fmt.Fprintln(b)
}

func writeTable(b *strings.Builder, t traffic, measured map[string][]sample) {
	rounds := 0
	for _, samples := range measured {
		rounds = max(rounds, len(samples))
	}
	fmt.Fprintf(b, "### `%s`\n\n%s. Rounds: %d.\n\n", t.name, strings.ToUpper(t.about[:1])+t.about[1:], rounds)
	reference := bare
	if t.unknown {
		reference = ours
	}
	header := []string{"set-up", "requests/s", "p50 ms", "p99 ms", "CPU µs/request", "RSS MiB", "CPU to " + reference, "p99 to " + reference}
	table(b, header, func(row func(...string)) {
		for _, of := range blueprints {
			samples := measured[of.name]
			if len(samples) == 0 {
				continue
			}
			row(of.name,
				fmt.Sprintf("%.0f", median(samples, func(s sample) float64 { return s.Rate })),
				fmt.Sprintf("%.2f", median(samples, func(s sample) float64 { return milliseconds(s.P50) })),
				fmt.Sprintf("%.2f", median(samples, func(s sample) float64 { return milliseconds(s.P99) })),
				fmt.Sprintf("%.1f", median(samples, func(s sample) float64 { return microseconds(s.CPU) })),
				fmt.Sprintf("%.0f", median(samples, func(s sample) float64 { return float64(s.Memory) / (1 << 20) })),
				ratioOf(samples, measured[reference], cpuTime).String(),
				ratioOf(samples, measured[reference], p99Time).String(),
			)
		}
	})
}

func milliseconds(d time.Duration) float64 { return d.Seconds() * 1e3 }
func microseconds(d time.Duration) float64 { return d.Seconds() * 1e6 }

func cpuTime(s sample) float64         { return s.CPU.Seconds() }
func cpuMicroseconds(s sample) float64 { return microseconds(s.CPU) }
func p99Time(s sample) float64         { return s.P99.Seconds() }

// table writes a Markdown table whose columns are aligned.
func table(b *strings.Builder, header []string, rows func(row func(...string))) {
	w := tabwriter.NewWriter(b, 0, 0, 1, ' ', 0)
	row := func(cells ...string) { fmt.Fprintln(w, "| "+strings.Join(cells, "\t| ")+"\t|") }
	row(header...)
	row(slices.Repeat([]string{"---"}, len(header))...)
	rows(row)
	w.Flush()
	fmt.Fprintln(b)
}

func median[T any](all []T, value func(T) float64) float64 {
	values := make([]float64, len(all))
	for i, one := range all {
		values[i] = value(one)
	}
	slices.Sort(values)
	if len(values) == 0 {
		return 0
	}
	middle := len(values) / 2
	if len(values)%2 == 0 {
		return (values[middle-1] + values[middle]) / 2
	}
	return values[middle]
}

// ratio is that of two series, or how they differ, taken round by round.
type ratio struct{ median, least, most float64 }

// ratioOf compares what was measured in the same rounds. It is zero where there is
// nothing to compare.
func ratioOf[T any](of, to []T, value func(T) float64) ratio {
	var ratios []float64
	for i := range min(len(of), len(to)) {
		if below := value(to[i]); below > 0 {
			ratios = append(ratios, value(of[i])/below)
		}
	}
	if len(ratios) == 0 {
		return ratio{}
	}
	return spread(ratios)
}

// differenceOf is the same for differences. It is nil where there is nothing to compare.
func differenceOf[T any](of, to []T, value func(T) float64) *ratio {
	var differences []float64
	for i := range min(len(of), len(to)) {
		differences = append(differences, value(of[i])-value(to[i]))
	}
	if len(differences) == 0 {
		return nil
	}
	d := spread(differences)
	return &d
}

func spread(values []float64) ratio {
	return ratio{
		median: median(values, func(f float64) float64 { return f }),
		least:  slices.MinFunc(values, cmp.Compare[float64]),
		most:   slices.MaxFunc(values, cmp.Compare[float64]),
	}
}

func (r ratio) String() string {
	if r == (ratio{}) {
		return ""
	}
	return fmt.Sprintf("%.2f (%.2f to %.2f)", r.median, r.least, r.most)
}
