package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Bars for a flood of clients who do not read what they are answered.
const (
	deafMemory = 40 // MiB more than without it
	deafDelay  = 1.2
)

// Such a client sends deafFirst bytes of its body with the header, and deafPiece
// more at every interval: less than what makes hookgate give up on a silent one.
const (
	deafBody     = 900_000 // announced, and never sent in full
	deafFirst    = 8 << 10
	deafPiece    = 1 << 10
	deafInterval = 400 * time.Millisecond
)

// deafRound is one run of accepted requests without a flood, one beside a flood of somebody
// else, which takes from the machine what the clients take, and one within a flood.
type deafRound struct {
	quiet, elsewhere, flooded time.Duration // p99 of the accepted requests
	memory                    float64       // RssAnon at most during the flood, in bytes
	heap, stacks              float64       // in use when all connections have been made
	goroutines                float64
	sent                      deafCount
}

// deafCount is how the connections of a flood fared.
type deafCount struct {
	made, failed, cut int // cut: reset while the client was sending
	most              int // at once
}

// deaf measures what a flood of refusals that nobody reads takes from the process, and from
// accepted requests.
func deaf(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("deaf", flag.ContinueOnError)
	n := flags.Int("connections", 10_000, "of a flood; each takes a file descriptor here and there")
	rounds := flags.Int("rounds", 5, "of a run without and a run with the flood")
	duration := flags.Duration("duration", 6*time.Second, "of one run, in whole seconds")
	hookgate := flags.String("hookgate", "", "the binary to measure; by default it is built")
	profile := flags.String("heap-profile", "", "file to write a heap profile of hookgate in the last flood to")
	if err := flags.Parse(args); err != nil {
		return err
	}
	machine := describeMachine()
	r, err := startRig(ctx, *hookgate)
	if err != nil {
		return err
	}
	defer r.end()
	r.profiled = *profile != ""
	s, err := hookgateWith(ours, "hookgate_proxy", buildHookgate)(ctx, r)
	if err != nil {
		return err
	}
	// Whatever the first requests leave behind, they leave it behind before.
	if _, err := r.run(ctx, s, traffics[0], floodConnections, *duration); err != nil {
		return err
	}
	before, err := watchMemory(s, func() error {
		_, err := r.run(ctx, s, traffics[0], floodConnections, *duration)
		return err
	})
	if err != nil {
		return err
	}
	var all []deafRound
	for round := range max(*rounds, 1) {
		log.Printf("clients who do not read, round %d of %d", round+1, *rounds)
		one, err := r.measureDeaf(ctx, s, *n, *duration, *profile)
		if err != nil {
			return err
		}
		all = append(all, one)
	}
	if err := sleep(ctx, settled); err != nil {
		return err
	}
	after, err := anonymousMemory(s.processes[0].PID())
	if err != nil {
		return err
	}
	fmt.Fprint(out, writeDeaf(machine, *n, *duration, all, before, after))
	return nil
}

func (r *rig) measureDeaf(ctx context.Context, s *setup, n int, d time.Duration, profile string) (one deafRound, err error) {
	quiet, err := r.run(ctx, s, traffics[0], floodConnections, d)
	if err != nil {
		return one, err
	}
	elsewhere, err := r.besideSink(ctx, s, n, d)
	if err != nil {
		return one, err
	}
	flooding, stop := context.WithTimeout(ctx, d)
	defer stop()
	flood := startDeaf(flooding, strings.TrimPrefix(s.url, "http://"), n, d*3/4)
	inspected := make(chan error, 1)
	go func() {
		<-flood.made
		values, err := s.metrics(ctx, "go_memstats_heap_inuse_bytes", "go_memstats_stack_inuse_bytes", "go_goroutines")
		if err == nil {
			one.heap, one.stacks, one.goroutines = values[0], values[1], values[2]
			if profile != "" {
				err = download(ctx, "http://"+s.admin+"/debug/pprof/heap", profile)
			}
		}
		inspected <- err
	}()
	one.memory, err = watchMemory(s, func() error {
		l, err := r.run(ctx, s, traffics[0], floodConnections, d)
		one.flooded = l.p99
		return err
	})
	stop()
	one.quiet, one.elsewhere, one.sent = quiet.p99, elsewhere.p99, flood.wait()
	if inspectErr := <-inspected; err == nil {
		err = inspectErr
	}
	if err == nil && one.sent.failed > n/100 {
		err = fmt.Errorf("%d of %d connections were not made", one.sent.failed, n)
	}
	return one, err
}

// besideSink measures accepted requests beside a flood of connections that are only
// taken and reset, by a listener of the benchmark's own.
func (r *rig) besideSink(ctx context.Context, s *setup, n int, d time.Duration) (load, error) {
	sink, err := net.Listen("tcp", loopback(0))
	if err != nil {
		return load{}, err
	}
	defer sink.Close()
	go func() {
		for {
			conn, err := sink.Accept()
			if err != nil {
				return
			}
			go func() {
				conn.Read(make([]byte, 1<<10))
				conn.Close() // a reset: there is more to read
			}()
		}
	}()
	flooding, stop := context.WithTimeout(ctx, d)
	defer stop()
	flood := startDeaf(flooding, sink.Addr().String(), n, d*3/4)
	l, err := r.run(ctx, s, traffics[0], floodConnections, d)
	stop()
	flood.wait()
	return l, err
}

// watchMemory returns how much of the memory of hookgate is its own at most while something
// goes on.
func watchMemory(s *setup, during func() error) (most float64, err error) {
	done := make(chan error, 1)
	go func() { done <- during() }()
	every := time.NewTicker(20 * time.Millisecond)
	defer every.Stop()
	for {
		select {
		case err := <-done:
			return most, err
		case <-every.C:
			now, err := anonymousMemory(s.processes[0].PID())
			if err != nil {
				return most, err
			}
			most = max(most, now)
		}
	}
}

// deafFlood are the clients of one flood.
type deafFlood struct {
	made    chan struct{} // closed when all have their connection
	running sync.WaitGroup

	opened, failed, cut, now, most atomic.Int64
}

// startDeaf makes n connections, evenly over a time. They last until the context ends.
func startDeaf(ctx context.Context, addr string, n int, over time.Duration) *deafFlood {
	f := &deafFlood{made: make(chan struct{})}
	head := fmt.Sprintf("POST %s HTTP/1.1\r\nHost: hooks.example.com\r\nX-Callback-Token: %s\r\nContent-Length: %d\r\n\r\n%s",
		path, peerToken, deafBody, strings.Repeat("x", deafFirst))
	f.running.Go(func() {
		defer close(f.made)
		began := time.Now()
		for i := range n {
			if sleep(ctx, time.Until(began.Add(over*time.Duration(i)/time.Duration(n)))) != nil {
				return
			}
			f.running.Go(func() { f.send(ctx, addr, head) })
		}
	})
	return f
}

// send is one client.
func (f *deafFlood) send(ctx context.Context, addr, head string) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		if ctx.Err() == nil {
			f.failed.Add(1)
		}
		return
	}
	defer conn.Close()
	f.opened.Add(1)
	for now := f.now.Add(1); ; {
		most := f.most.Load()
		if now <= most || f.most.CompareAndSwap(most, now) {
			break
		}
	}
	defer f.now.Add(-1)
	end, _ := ctx.Deadline()
	conn.SetWriteDeadline(end)
	_, err = io.WriteString(conn, head)
	for piece := make([]byte, deafPiece); err == nil; _, err = conn.Write(piece) {
		if sleep(ctx, deafInterval) != nil {
			return
		}
	}
	if ctx.Err() == nil {
		f.cut.Add(1)
	}
}

func (f *deafFlood) wait() deafCount {
	f.running.Wait()
	return deafCount{made: int(f.opened.Load()), failed: int(f.failed.Load()), cut: int(f.cut.Load()), most: int(f.most.Load())}
}

func writeDeaf(machine string, n int, d time.Duration, all []deafRound, before, after float64) string {
	const mib = 1 << 20
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n", machine)
	fmt.Fprintf(&b, "%d connections made within %v, each with an unknown token and %d bytes to come, of which it sends %d at once and %d every %v;\nit never reads. Beside them `wrk -t1 -c%d` with valid tokens for %v. Memory is RssAnon; it was at most %.1f MiB before the first flood,\nand %.1f MiB %v after the last one.\n\n",
		n, d*3/4, deafBody, deafFirst, deafPiece, deafInterval, floodConnections, d, before/mib, after/mib, settled)
	var quiet, elsewhere, flooded []time.Duration
	var grown float64
	table(&b, []string{"round", "p99 ms quiet", "flood elsewhere", "flooded", "MiB at most", "heap", "stacks", "goroutines", "made", "open at once", "cut off"}, func(row func(...string)) {
		for i, one := range all {
			quiet, elsewhere, flooded = append(quiet, one.quiet), append(elsewhere, one.elsewhere), append(flooded, one.flooded)
			grown = max(grown, one.memory-before)
			row(fmt.Sprint(i+1), ms(one.quiet), ms(one.elsewhere), ms(one.flooded), fmt.Sprintf("%.1f", one.memory/mib),
				fmt.Sprintf("%.1f", one.heap/mib), fmt.Sprintf("%.1f", one.stacks/mib), fmt.Sprint(one.goroutines),
				fmt.Sprint(one.sent.made), fmt.Sprint(one.sent.most), fmt.Sprint(one.sent.cut))
		}
	})
	table(&b, []string{"bar", "wanted", "measured", ""}, func(row func(...string)) {
		row("memory that a flood which nobody reads takes, more", fmt.Sprintf("at most %d MiB", deafMemory), fmt.Sprintf("%.1f MiB", grown/mib), verdict(grown <= deafMemory*mib))
		for _, b := range []bar{
			upTo("p99 of accepted requests in it to that without", ratioOf(flooded, quiet, time.Duration.Seconds), deafDelay),
			upTo("the same, to that beside the same clients at another server", ratioOf(flooded, elsewhere, time.Duration.Seconds), deafDelay),
		} {
			row(b.name, b.wanted, b.measured, b.verdict)
		}
	})
	return b.String()
}

func ms(d time.Duration) string { return fmt.Sprintf("%.2f", milliseconds(d)) }
