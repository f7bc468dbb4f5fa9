package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/hookgate/hookgate/internal/process"
)

// footprint is what hookgate takes with so many credentials.
type footprint struct {
	credentials int
	// In bytes: anonymous memory while it waits for the first request, resident memory under
	// load, and the heap, which includes what is not collected yet.
	idle, resident, heap float64
}

// settled is how long after its start a process is idle: by then the garbage of the start
// is collected.
const settled = 12 * time.Second

// wantedIdle is the bar for a process that has had no request, in MiB.
const wantedIdle = 45

// wantedConnection is the bar for an idle connection, in KiB.
const wantedConnection = 12

// memory measures what credentials and idle connections cost a process.
func memory(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("memory", flag.ContinueOnError)
	sizes := flags.String("credentials", "0,10000,100000,1000000", "numbers of credentials to load, with commas between")
	idle := flags.Int("idle-connections", 10_000, "idle keep-alive connections; each takes a file descriptor here and there")
	servers := flags.String("servers", bare+","+ours, "whose connections, with commas between")
	hookgate := flags.String("hookgate", "", "the binary to measure; by default it is built")
	page := flags.String("docs", "", "page to write the figures to, with a plot beside it")
	if err := flags.Parse(args); err != nil {
		return err
	}
	machine := describeMachine()
	r, err := startRig(ctx, *hookgate)
	if err != nil {
		return err
	}
	defer r.end()
	binary, err := buildHookgate(ctx, r)
	if err != nil {
		return err
	}
	var footprints []footprint
	for size := range strings.SplitSeq(*sizes, ",") {
		n, err := strconv.Atoi(size)
		if err != nil {
			return fmt.Errorf("-credentials: %q is no number", size)
		}
		log.Printf("%d credentials", n)
		f, err := r.measureCredentials(ctx, binary, n)
		if err != nil {
			return err
		}
		footprints = append(footprints, f)
	}
	var idling []idleCost
	for _, b := range blueprints {
		if !slices.Contains(strings.Split(*servers, ","), b.name) {
			continue
		}
		log.Printf("%d idle connections to %s", *idle, b.name)
		s, err := b.start(ctx, r)
		if err != nil {
			return err
		}
		cost, err := measureIdle(ctx, s, *idle)
		if err != nil {
			return fmt.Errorf("%s: %w", b.name, err)
		}
		idling = append(idling, idleCost{b.name, cost})
	}
	report := writeMemory(machine, footprints, *idle, idling)
	fmt.Fprint(out, report)
	if *page == "" {
		return nil
	}
	figure := filepath.Join(filepath.Dir(*page), "bench-memory.svg")
	if err := os.WriteFile(figure, []byte(plotMemory(footprints)), 0o644); err != nil {
		return err
	}
	return rewrite(*page, "bench-memory", "![Memory of the process](bench-memory.svg)\n\n"+report)
}

func (r *rig) measureCredentials(ctx context.Context, binary string, n int) (footprint, error) {
	s, err := r.startHookgate(ctx, fmt.Sprintf("hookgate-%d", n), []string{binary}, "hookgate_proxy", n)
	if err != nil {
		return footprint{}, err
	}
	select {
	case <-ctx.Done():
		return footprint{}, ctx.Err()
	case <-time.After(settled):
	}
	idle, err := anonymousMemory(s.processes[0].PID())
	if err != nil {
		return footprint{}, err
	}
	if _, err := r.run(ctx, s, traffics[0], connections, 3*time.Second); err != nil {
		return footprint{}, err
	}
	values, err := s.metrics(ctx, "process_resident_memory_bytes", "go_memstats_heap_inuse_bytes")
	if err != nil {
		return footprint{}, err
	}
	for _, p := range s.processes { // the memory of this one is the next one's
		stop(p)
	}
	return footprint{n, idle, values[0], values[1]}, nil
}

// idleCost is what one idle connection takes, in bytes.
type idleCost struct {
	name  string
	bytes float64
}

func measureIdle(ctx context.Context, s *setup, n int) (float64, error) {
	server := s.processes[0]
	before, err := residentAfter(ctx, s, server, 1)
	if err != nil {
		return 0, err
	}
	after, err := residentAfter(ctx, s, server, n)
	if err != nil {
		return 0, err
	}
	return float64(after-before) / float64(n), nil
}

// residentAfter returns the memory of a server to which n clients hold a connection
// after one request each.
func residentAfter(ctx context.Context, s *setup, server *process.Process, n int) (int64, error) {
	conns := make([]net.Conn, n)
	defer func() {
		for _, conn := range conns {
			if conn != nil {
				conn.Close()
			}
		}
	}()
	var group errgroup.Group
	group.SetLimit(16)
	for i := range conns {
		group.Go(func() (err error) {
			conns[i], err = visit(ctx, s)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return 0, err
	}
	total, err := costOf([]*process.Process{server})
	return total.memory, err
}

// visit sends one request, and returns the connection, which stays open.
func visit(ctx context.Context, s *setup) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		return nil, err
	}
	const body = "{}"
	fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: hooks.example.com\r\nX-Callback-Token: %s\r\nContent-Length: %d\r\n\r\n%s", path, s.token, len(body), body)
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		conn.Close()
		return nil, err
	}
	_, err = io.Copy(io.Discard, answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("answered with %s", answer.Status)
	}
	return conn, err
}

func writeMemory(machine string, footprints []footprint, idle int, idling []idleCost) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n", machine)
	fmt.Fprint(&b, "One process, twelve seconds after its start without a request, and after three seconds of load. Credentials share their tenant\nand label. Idle it is the anonymous memory (RssAnon), which is the process' own; the pages of the binary, which the kernel\nshares and takes back at will, are resident besides. Garbage that is not given back is included.\n\n")
	table(&b, []string{"credentials", "anonymous MiB idle", "resident MiB under load", "heap MiB", "anonymous bytes a credential"}, func(row func(...string)) {
		for _, f := range footprints {
			each := ""
			if f.credentials > 0 && footprints[0].credentials == 0 {
				each = fmt.Sprintf("%.0f", (f.idle-footprints[0].idle)/float64(f.credentials))
			}
			row(strconv.Itoa(f.credentials), fmt.Sprintf("%.1f", f.idle/(1<<20)), fmt.Sprintf("%.0f", f.resident/(1<<20)), fmt.Sprintf("%.0f", f.heap/(1<<20)), each)
		}
	})
	if first := footprints[0]; first.credentials == 0 {
		mib := first.idle / (1 << 20)
		fmt.Fprintf(&b, "Wanted idle without credentials: below %d MiB; measured %.1f of anonymous memory: %s.\n\n", wantedIdle, mib, verdict(mib < wantedIdle))
	}
	fmt.Fprintf(&b, "%d keep-alive connections that have had one request each, and idle:\n\n", idle)
	table(&b, []string{"server", "resident KiB a connection", ""}, func(row func(...string)) {
		for _, i := range idling {
			judged := ""
			if i.name == ours {
				judged = fmt.Sprintf("wanted at most %d: %s", wantedConnection, verdict(i.bytes <= wantedConnection<<10))
			}
			row(i.name, fmt.Sprintf("%.1f", i.bytes/(1<<10)), judged)
		}
	})
	return b.String()
}

func plotMemory(footprints []footprint) string {
	figures := make([]figure, len(footprints))
	for i, f := range footprints {
		figures[i] = figure{fmt.Sprintf("%d credentials", f.credentials), f.resident / (1 << 20), true}
	}
	return plot("Resident memory of a loaded hookgate", "MiB", figures)
}
