package main

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"strconv"
	"time"
)

// traffic is what clients send.
type traffic struct {
	name    string
	about   string
	body    int // bytes
	close   bool
	unknown bool // tokens that nobody has; otherwise one that is let in
}

// Names of traffics that bars compare.
const (
	accepted = "accepted-1k"
	refused  = "refused"
	flooded  = "flood"
)

var traffics = []traffic{
	{name: accepted, about: "a valid token, a body of 1 KiB, keep-alive", body: 1 << 10},
	{name: "accepted-0", about: "a valid token, no body, keep-alive"},
	{name: "accepted-64k", about: "a valid token, a body of 64 KiB, keep-alive", body: 64 << 10},
	{name: "accepted-1k-close", about: "a valid token, a body of 1 KiB, a new connection for every request", body: 1 << 10, close: true},
	{name: refused, about: "an unknown token with the right checksum, another one in every request, a body of 1 KiB, keep-alive", body: 1 << 10, unknown: true},
	{name: "refused-close", about: "the same, a new connection for every request", body: 1 << 10, unknown: true, close: true},
}

// path is one that takes a token in the header.
const path = "/v1/exceptions/EX-1/callback"

// load is what wrk has measured.
type load struct {
	requests      int
	duration      time.Duration
	p50, p99      time.Duration
	status, other int // answers of 400 and above; failures of the connection
}

// run sends traffic to a set-up.
func (r *rig) run(ctx context.Context, s *setup, t traffic, connections int, d time.Duration) (load, error) {
	script, mode := "accepted.lua", "keep-alive"
	signingKey := ""
	if s.signing != nil {
		script, signingKey = "signed.lua", vendorKey
	}
	if t.unknown {
		script = "refused.lua"
	}
	if t.close {
		mode = "close"
	}
	seconds := int(max(d.Round(time.Second), time.Second) / time.Second) // wrk takes nothing finer
	args := []string{"-t1", "-c", strconv.Itoa(connections), "-d", strconv.Itoa(seconds), "-s", script}
	if s.name == oursIngress {
		args = append(args, "-H", "X-Forwarded-For: 203.0.113.9", "-H", "X-Forwarded-Proto: https")
	}
	args = append(args, s.url+path, "--", s.token, strconv.Itoa(t.body), mode, signingKey)
	cmd := exec.CommandContext(ctx, "wrk", args...)
	cmd.Dir = r.dir
	output, err := cmd.CombinedOutput()
	if err != nil {
		return load{}, fmt.Errorf("wrk: %w\n%s", err, output)
	}
	l, err := parseLoad(output)
	if err != nil {
		return load{}, err
	}
	return l, l.check(s.name, t)
}

// parseLoad reads the line that accepted.lua prints.
func parseLoad(output []byte) (l load, err error) {
	at := bytes.Index(output, []byte("measured "))
	var duration, p50, p99 int64
	if at >= 0 {
		_, err = fmt.Sscanf(string(output[at:]), "measured %d %d %d %d %d %d", &l.requests, &duration, &p50, &p99, &l.status, &l.other)
	}
	if at < 0 || err != nil || l.requests == 0 {
		return load{}, fmt.Errorf("wrk measured nothing:\n%s", output)
	}
	l.duration, l.p50, l.p99 = time.Duration(duration)*time.Microsecond, time.Duration(p50)*time.Microsecond, time.Duration(p99)*time.Microsecond
	return l, nil
}

// check reports an answer that was not as it should be: its cost is that of nothing.
func (l load) check(name string, t traffic) error {
	wanted := 0
	if t.unknown {
		wanted = l.requests
	}
	if l.status != wanted || l.other != 0 {
		return fmt.Errorf("%s, %s: of %d requests %d were refused instead of %d, and %d failed", name, t.name, l.requests, l.status, wanted, l.other)
	}
	return nil
}
