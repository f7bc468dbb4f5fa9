package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// connections are what wrk holds open.
const connections = 32

// sample is one set-up under one traffic in one round.
type sample struct {
	Rate     float64 // requests a second
	P50, P99 time.Duration
	CPU      time.Duration // of a request
	Memory   int64         // resident after it, in bytes
	Run      int64         // when the run began
}

// results are samples by traffic and set-up, one for each round.
type results map[string]map[string][]sample

// runOptions say what to compare.
type runOptions struct {
	rounds   int
	duration time.Duration
	traffics []string
}

// compare measures the set-ups in turn, A B C A B C, so that what the machine does
// beside it falls on all of them.
func compare(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("compare", flag.ContinueOnError)
	rounds := flags.Int("rounds", 7, "rounds of the traffics that bars are about; others have half as many")
	duration := flags.Duration("duration", 2*time.Second, "of one measurement, in whole seconds")
	setups := flags.String("setups", "", "set-ups to measure, with commas between; all by default")
	kinds := flags.String("traffic", "", "traffics, with commas between; all by default")
	hookgate := flags.String("hookgate", "", "the binary to measure; by default it is built")
	other := flags.String("other", "", "another binary of hookgate to measure beside it")
	kept := flags.String("results", "", "file that keeps what was measured: a later run adds to it, and the report is about all of it")
	page := flags.String("docs", "", "page to write the figures to, with a plot beside it")
	credentials := flags.Int("credentials", 0, "live credentials that hookgate has besides the one that is used")
	others := flags.Int("other-credentials", -1, "the same of the other binary; by default as many")
	profile := flags.String("pgo-profile", "", "file to write a CPU profile of hookgate under load to, instead of comparing")
	if err := flags.Parse(args); err != nil {
		return err
	}
	chosen, err := choose("set-up", *setups, names(blueprints, func(b blueprint) string { return b.name }))
	if err != nil {
		return err
	}
	wanted, err := choose("traffic", *kinds, append(names(traffics, func(t traffic) string { return t.name }), flooded))
	if err != nil {
		return err
	}
	if _, err := exec.LookPath("wrk"); err != nil {
		return missing("wrk")
	}
	r, err := newRig()
	if err != nil {
		return err
	}
	defer r.end()
	r.hookgate, r.other, r.profiled = *hookgate, *other, *profile != ""
	r.credentials, r.otherCredentials = *credentials, *credentials
	if *others >= 0 {
		r.otherCredentials = *others
	}
	if *profile != "" {
		return takeProfile(ctx, r, *profile)
	}

	all, err := loadRecord(*kept)
	if err != nil {
		return err
	}
	machine := describeMachine()
	for _, name := range wanted {
		all.Machine[name] = machine
	}
	running, left, err := r.startAll(ctx, chosen)
	if err != nil {
		return err
	}
	all.Left = left
	o := runOptions{rounds: max(*rounds, 1), duration: *duration, traffics: wanted}
	if err := measureAll(ctx, r, running, o, all.Samples); err != nil {
		return err
	}
	if ours := find(running, ours); ours != nil && slices.Contains(wanted, flooded) {
		if all.Flood, err = measureFlood(ctx, r, ours, o); err != nil {
			return err
		}
	}
	if err := all.save(*kept); err != nil {
		return err
	}
	report := writeReport(all)
	fmt.Fprint(out, report)
	if *page != "" {
		return publish(*page, report, all.Samples)
	}
	return nil
}

func names[T any](all []T, name func(T) string) []string {
	list := make([]string, len(all))
	for i, one := range all {
		list[i] = name(one)
	}
	return list
}

// choose returns the names of a list with commas, or all where it is empty.
func choose(what, list string, all []string) ([]string, error) {
	if list == "" {
		return all, nil
	}
	chosen := strings.Split(list, ",")
	for _, name := range chosen {
		if !slices.Contains(all, name) {
			return nil, fmt.Errorf("no %s %q; there are %s", what, name, strings.Join(all, ", "))
		}
	}
	return chosen, nil
}

func find(running []*setup, name string) *setup {
	i := slices.IndexFunc(running, func(s *setup) bool { return s.name == name })
	if i < 0 {
		return nil
	}
	return running[i]
}

// startAll starts the set-ups, checks that each lets in what it should, and warms them
// up. Those that are not on this machine are left out, with the reason.
func (r *rig) startAll(ctx context.Context, chosen []string) (running []*setup, left []string, err error) {
	if err := r.startUpstream(ctx); err != nil {
		return nil, nil, err
	}
	for _, b := range blueprints {
		if !slices.Contains(chosen, b.name) {
			continue
		}
		s, err := b.start(ctx, r)
		var gone missing
		switch {
		case errors.As(err, &gone) && b.name == oursOther:
			continue
		case errors.As(err, &gone):
			left = append(left, fmt.Sprintf("%s: %v", b.name, gone))
			continue
		case err != nil:
			return nil, nil, fmt.Errorf("%s: %w", b.name, err)
		}
		s.name = b.name
		if err := s.verify(ctx); err != nil {
			return nil, nil, err
		}
		if _, err := r.run(ctx, s, traffics[0], connections, time.Second); err != nil {
			return nil, nil, err
		}
		running = append(running, s)
	}
	return running, left, nil
}

// verify sends one request that is let in, and one or two that are not.
func (s *setup) verify(ctx context.Context) error {
	unknown := http.StatusUnauthorized
	if s.name == bare {
		unknown = http.StatusOK
	}
	for token, want := range map[string]int{s.token: http.StatusOK, "mwh_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg4My3Df": unknown} {
		header := make(http.Header)
		if s.signing != nil {
			var err error
			if header, err = s.signing.headers("{}"); err != nil {
				return err
			}
		}
		if err := s.expect(ctx, token, header, want); err != nil {
			return err
		}
	}
	if s.signing != nil && s.signing.Verify {
		return s.expect(ctx, s.token, make(http.Header), http.StatusForbidden)
	}
	return nil
}

// expect sends one request with a token and more headers.
func (s *setup) expect(ctx context.Context, token string, header http.Header, want int) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+path, strings.NewReader("{}"))
	if err != nil {
		return err
	}
	req.Header = header
	req.Header.Set("X-Callback-Token", token)
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	answer.Body.Close()
	if answer.StatusCode != want {
		return fmt.Errorf("%s answers %d instead of %d", s.name, answer.StatusCode, want)
	}
	return nil
}

func answers(url string) bool {
	answer, err := http.Get(url)
	if err != nil {
		return false
	}
	answer.Body.Close()
	return answer.StatusCode == http.StatusOK
}

// peripheral set-ups are measured with the traffics that bars are about alone.
var peripheral = []string{"nginx-lua", "haproxy", oursSigned, oursProof, oursReplay}

func measures(name string, t traffic) bool {
	switch {
	case t.name == accepted:
		return true
	case t.unknown && name == bare:
		return false
	}
	return t.name == refused || !slices.Contains(peripheral, name)
}

// measureAll goes through the traffics round by round, so that those of one round share
// the conditions, too.
func measureAll(ctx context.Context, r *rig, running []*setup, o runOptions, measured results) error {
	run := time.Now().Unix()
	for _, name := range o.traffics {
		if name != flooded {
			measured[name] = make(map[string][]sample)
		}
	}
	for round := range o.rounds {
		for _, t := range traffics {
			if !slices.Contains(o.traffics, t.name) || t.name != accepted && t.name != refused && round > 0 && round >= o.rounds/2 {
				continue
			}
			log.Printf("%s, round %d", t.name, round+1)
			for _, s := range running {
				if !measures(s.name, t) {
					continue
				}
				one, err := r.measure(ctx, s, t, o.duration)
				if err != nil {
					return err
				}
				one.Run = run
				measured[t.name][s.name] = append(measured[t.name][s.name], one)
			}
		}
	}
	return nil
}

// measure sends traffic to a set-up, and takes what that cost it.
func (r *rig) measure(ctx context.Context, s *setup, t traffic, d time.Duration) (sample, error) {
	before, err := costOf(s.processes)
	if err != nil {
		return sample{}, err
	}
	l, err := r.run(ctx, s, t, connections, d)
	if err != nil {
		return sample{}, err
	}
	after, err := costOf(s.processes)
	if err != nil {
		return sample{}, err
	}
	return sample{
		Rate: float64(l.requests) / l.duration.Seconds(), P50: l.p50, P99: l.p99,
		CPU: (after.cpu - before.cpu) / time.Duration(l.requests), Memory: after.memory,
	}, nil
}
