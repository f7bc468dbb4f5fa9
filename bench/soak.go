package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"
)

// gauge is something of a process that must not grow as long as it works.
type gauge struct {
	name string
	unit float64 // that one of the unit it is shown in has
	// It may be so many times what it was, and so much more.
	times, more float64
}

var gauges = []gauge{
	{"resident memory, MiB", 1 << 20, 1.25, 16},
	{"heap, MiB", 1 << 20, 1.5, 16},
	{"goroutines", 1, 1.25, 50},
	{"open files", 1, 1.25, 50},
	{"Redis clients", 1, 1, 2},
}

// grown is the name of a gauge that was beyond its bound at the end.
type grown string

func (g grown) Error() string { return "grown: " + string(g) }

// reading is the value of every gauge at one moment.
type reading []float64

// soak runs hookgate under full load with reloads in between, and fails where a request
// was lost or something has grown.
func soak(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("soak", flag.ContinueOnError)
	duration := flags.Duration("duration", 10*time.Minute, "how long")
	reloads := flags.Int("reloads", 200, "reloads of the configuration, spread evenly over it")
	hookgate := flags.String("hookgate", "", "the binary to run; by default it is built")
	if err := flags.Parse(args); err != nil {
		return err
	}
	r, err := startRig(ctx, *hookgate)
	if err != nil {
		return err
	}
	defer r.end()
	s, err := hookgateWith(ours, "hookgate_proxy", buildHookgate)(ctx, r)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	clients := startClients(ctx, s)
	readings, err := watch(ctx, s, *duration, max(*reloads, 1))
	stop()
	traffic := clients.wait()
	if err != nil {
		return err
	}
	express, err := s.metric(context.WithoutCancel(ctx), `hookgate_express_requests_total{result="served"}`)
	if err != nil {
		return err
	}
	return judge(out, *duration, readings, traffic, int(express))
}

// watch reads the gauges and reloads until the time is over.
func watch(ctx context.Context, s *setup, duration time.Duration, reloads int) (readings []reading, err error) {
	rdb := redis.NewClient(&redis.Options{Addr: s.redis, PoolSize: 1})
	defer rdb.Close()
	text, err := os.ReadFile(s.config)
	if err != nil {
		return nil, err
	}
	// Caddy does not load again what has not changed.
	variants := [][]byte{text, bytes.Replace(text, []byte("max_body 1MiB"), []byte("max_body 2MiB"), 1)}
	every := duration / time.Duration(reloads)
	began := time.Now()
	for i := range reloads {
		if err := sleep(ctx, time.Until(began.Add(time.Duration(i+1)*every))); err != nil {
			return nil, err
		}
		one, err := s.read(ctx, rdb)
		if err != nil {
			return nil, err
		}
		readings = append(readings, one)
		if err := os.WriteFile(s.config, variants[(i+1)%2], 0o644); err != nil {
			return nil, err
		}
		s.processes[0].Signal(syscall.SIGUSR1)
		if err := s.processes[0].Await(patience, func() bool { return s.reloads() > i }); err != nil {
			return nil, fmt.Errorf("reload %d: %w", i+1, err)
		}
		if i%20 == 0 {
			log.Printf("%v of %v", time.Since(began).Round(time.Second), duration)
		}
	}
	return readings, sleep(ctx, every)
}

// reloads returns how often the configuration was loaded again.
func (s *setup) reloads() int {
	output, _ := os.ReadFile(strings.TrimSuffix(s.config, ".conf") + ".log")
	return bytes.Count(output, []byte("successfully reloaded config"))
}

// read reads the gauges, in their order.
func (s *setup) read(ctx context.Context, rdb *redis.Client) (reading, error) {
	values, err := s.metrics(ctx, "process_resident_memory_bytes", "go_memstats_heap_inuse_bytes", "go_goroutines")
	if err != nil {
		return nil, err
	}
	files, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", s.processes[0].PID()))
	if err != nil {
		return nil, err
	}
	info, err := rdb.Info(ctx, "clients").Result()
	if err != nil {
		return nil, err
	}
	_, rest, _ := strings.Cut(info, "connected_clients:")
	number, _, _ := strings.Cut(rest, "\r\n")
	connected, err := strconv.ParseFloat(number, 64)
	return append(values, float64(len(files)), connected), err
}

// judge compares the last tenth of the readings with the first, and says all that is
// wrong.
func judge(out io.Writer, duration time.Duration, readings []reading, t clientTotals, express int) error {
	tenth := max(len(readings)/10, 1)
	var b strings.Builder
	fmt.Fprintf(&b, "%v at full load, %d reloads, %d requests, of which %d were answered otherwise than 200 and %d not at all; the express lane served %d.\n\n", duration, len(readings), t.sent, t.refused, t.lost, express)
	var problems []error
	table(&b, []string{"median of", "first tenth", "last tenth", "bound", ""}, func(row func(...string)) {
		for i, g := range gauges {
			value := func(r reading) float64 { return r[i] / g.unit }
			first, last := median(readings[:tenth], value), median(readings[len(readings)-tenth:], value)
			bound := first*g.times + g.more
			row(g.name, fmt.Sprintf("%.0f", first), fmt.Sprintf("%.0f", last), fmt.Sprintf("%.0f", bound), verdict(last <= bound))
			if last > bound {
				problems = append(problems, grown(g.name))
			}
		}
	})
	fmt.Fprint(out, b.String())
	if express == 0 {
		problems = append(problems, errors.New("the express lane served nothing"))
	}
	if t.sent == 0 {
		problems = append(problems, errors.New("no request was sent"))
	}
	if t.refused+t.lost > 0 {
		slices.Sort(t.reasons)
		problems = append(problems, fmt.Errorf("%d requests failed: %s", t.refused+t.lost, strings.Join(slices.Compact(t.reasons), "; ")))
	}
	return errors.Join(problems...)
}
