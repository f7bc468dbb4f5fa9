package main

import (
	"fmt"
	"strings"
	"time"
)

// bar is something that is wanted of Hookgate.
type bar struct{ name, wanted, measured, verdict string }

// noise is how many Redis commands may be more by chance: the sidecar's own do not come
// at even times.
const noise = 5

func bars(measured results, flooding *floodResult) []bar {
	at := measured[accepted]
	costs := func(name string, of, to string, most float64) bar {
		return upTo(name, ratioOf(at[of], at[to], cpuTime), most)
	}
	all := []bar{
		costs("CPU of hookgate to that of bare Caddy", ours, bare, 0.24),
		costs("CPU of hookgate to that of nginx auth_request", ours, authRequest, 0.35),
		costs("CPU of hookgate to that of nginx with Lua", ours, nginxLua, 1),
		costs("CPU of hookgate to that of Caddy forward_auth", ours, forwardAuth, 0.35),
		costs("CPU of hookgate with reverse_proxy to that of bare Caddy", oursReverse, bare, 1),
		costs("CPU of hookgate with reverse_proxy to that of nginx auth_request", oursReverse, authRequest, 1),
		costs("CPU of hookgate with a trace of every request to that without", oursTraced, ours, 1.10),
		costs("CPU of hookgate with a trace of every tenth request to that without", oursTenth, ours, 1.10),
		upToMore("CPU of a request with a proof to that of the same one, not verified", differenceOf(at[oursProof], at[oursSigned], cpuMicroseconds), 3),
		costs("CPU of a request with replay to that of the same one without", oursReplay, oursProof, 1.60),
		upTo("p99 of hookgate to that of bare Caddy", ratioOf(at[ours], at[bare], p99Time), 1),
		upTo("p99 of hookgate to that of nginx with Lua", ratioOf(at[ours], at[nginxLua], p99Time), 1.2),
		costs("CPU of an accepted request to that of another binary", ours, oursOther, 1.05),
		upTo("CPU of a refused request to that of another binary", ratioOf(measured[refused][ours], measured[refused][oursOther], cpuTime), 0.40),
	}
	return append(all, flooding.bars()...)
}

func upTo(name string, r ratio, most float64) bar {
	return judged(name, fmt.Sprintf("at most %.2f", most), r, r.median <= most)
}

// upToMore is about a difference in microseconds.
func upToMore(name string, d *ratio, most float64) bar {
	wanted := fmt.Sprintf("at most %.1f µs more", most)
	if d == nil {
		return bar{name, wanted, "", "not measured"}
	}
	return bar{name, wanted, fmt.Sprintf("%.1f µs (%.1f to %.1f)", d.median, d.least, d.most), verdict(d.median <= most)}
}

func judged(name, wanted string, r ratio, met bool) bar {
	if r == (ratio{}) {
		return bar{name, wanted, "", "not measured"}
	}
	// A digit more than the bar has: 1.004 is above 1.
	return bar{name, wanted, fmt.Sprintf("%.3f (%.2f to %.2f)", r.median, r.least, r.most), verdict(met)}
}

func verdict(met bool) string {
	if met {
		return "met"
	}
	return "**missed**"
}

func (f *floodResult) ratio() ratio {
	if f == nil {
		return ratio{}
	}
	return ratioOf(f.Flooded, f.Quiet, time.Duration.Seconds)
}

func (f *floodResult) bars() []bar {
	asked := bar{"Redis commands that a flood causes", "none", "", "not measured"}
	if f != nil {
		more := f.Commands - f.Idle
		asked.measured, asked.verdict = fmt.Sprintf("%d for %d refusals", max(more, 0), f.Refused), verdict(more <= noise)
	}
	return []bar{upTo("p99 of accepted requests in a flood to that without", f.ratio(), 1.2), asked}
}

func (f *floodResult) write(b *strings.Builder) {
	if f == nil {
		return
	}
	fmt.Fprintf(b, "### `%s`\n\n", flooded)
	fmt.Fprintf(b, "Two clients at once, `wrk -t1 -c%d` each. One sends valid tokens all the time; the other valid ones, then unknown ones, and so on. Rounds: %d.\n\n", floodConnections, len(f.Quiet))
	table(b, []string{"the other sends", "p99 ms of the one"}, func(row func(...string)) {
		row("valid tokens", fmt.Sprintf("%.2f", median(f.Quiet, milliseconds)))
		row("unknown tokens", fmt.Sprintf("%.2f", median(f.Flooded, milliseconds)))
	})
	fmt.Fprintf(b, "Ratio %v. Redis was asked %d times during a flood of %d refusals, and %d times in as long a time without: by the sidecar itself, which follows the ledger.\n\n",
		f.ratio(), f.Commands, f.Refused, f.Idle)
}
