package app

import (
	"context"
	"fmt"
	"log/slog"
	"sync"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/hookgate/hookgate/admin/trail"
	"github.com/hookgate/hookgate/caddymodule/grammar"
	"github.com/hookgate/hookgate/store"
)

// AuditSink says where each entry of the audit log is sent to. Every value can be a
// placeholder.
type AuditSink struct {
	// `file`, `syslog` or `https`.
	Kind string `json:"kind"`

	// The path of the file; udp://, tcp://, tls:// or unix:// of a syslog server; the URL that
	// lines are posted to.
	Address string `json:"address"`

	// The bearer token of an https sink.
	Token string `json:"token,omitempty"`

	// A PEM file: the authorities to trust instead of the system's. It is read anew for
	// every connection.
	TLSCA string `json:"tls_ca,omitempty"`
}

// parseAuditSink parses
//
//	audit_sink file <path> | syslog <address> | https <url> {
//	    token  <secret>
//	    tls_ca <path>
//	}
func (a *App) parseAuditSink(d *caddyfile.Dispenser) error {
	args := d.RemainingArgs()
	if len(args) != 2 || args[1] == "" {
		return grammar.ArgErr(d, "audit_sink")
	}
	sink := AuditSink{Kind: args[0], Address: args[1]}
	switch sink.Kind {
	case trail.KindFile, trail.KindSyslog, trail.KindHTTPS:
	default:
		// The argument is not quoted: it may be an address with a secret in it, in the wrong place.
		return d.Err("audit_sink: the kind is neither file nor syslog nor https")
	}
	if err := sink.Words().Parse(d, "audit_sink"); err != nil {
		return err
	}
	a.AuditSinks = append(a.AuditSinks, sink)
	return nil
}

// Words is the grammar of the block.
func (s *AuditSink) Words() grammar.Words {
	return grammar.Words{
		"token":  grammar.Into(&s.Token, grammar.OneArg),
		"tls_ca": grammar.Into(&s.TLSCA, grammar.OneArg),
	}
}

// auditSinks resolves the sinks and checks them.
func (a *App) auditSinks() ([]trail.SinkConfig, error) {
	configs := make([]trail.SinkConfig, len(a.AuditSinks))
	seen := make(map[[2]string]bool)
	for i, s := range a.AuditSinks {
		c := trail.SinkConfig{Kind: s.Kind, Address: s.Address, Token: s.Token, CA: s.TLSCA}
		for _, value := range []*string{&c.Address, &c.Token, &c.CA} {
			var err error
			if *value == "" && value != &c.Address {
				continue
			}
			if *value, err = grammar.Resolve("audit_sink", *value); err != nil {
				return nil, err
			}
		}
		if err := c.Check(); err != nil {
			return nil, fmt.Errorf("hookgate: audit_sink: %w", err)
		}
		if to := [2]string{c.Kind, c.Address}; seen[to] {
			return nil, fmt.Errorf("hookgate: audit_sink: the %s sink number %d is given twice", c.Kind, i+1)
		} else {
			seen[to] = true
		}
		configs[i] = c
	}
	return configs, nil
}

// auditSinks are what sends the audit log of a configuration.
type auditSinks struct {
	runners []*trail.Runner
	end     context.CancelFunc
	running sync.WaitGroup
}

func newAuditSinks(configs []trail.SinkConfig, from *store.Store, log *slog.Logger) (*auditSinks, error) {
	s := new(auditSinks)
	for i, c := range configs {
		r, err := trail.New(c, i+1, from, log)
		if err != nil {
			return nil, fmt.Errorf("hookgate: audit_sink: %w", err)
		}
		s.runners = append(s.runners, r)
	}
	return s, nil
}

func (s *auditSinks) start() {
	ctx, end := context.WithCancel(context.Background())
	s.end = end
	for _, r := range s.runners {
		s.running.Go(func() { r.Run(ctx) })
	}
}

func (s *auditSinks) stop() {
	if s != nil && s.end != nil {
		s.end()
		s.running.Wait()
	}
}

func (s *auditSinks) collector() prometheus.Collector { return sinkCollector{s.runners} }

// sinkCollector reads the state of the sinks at the time of a scrape.
type sinkCollector struct{ runners []*trail.Runner }

var (
	sinkLag   = desc("audit_sink_lag_seconds", "How old the oldest entry of the audit log is that has not got to the sink. 0 where all have, or another process sends.", "sink")
	sinkLines = desc("audit_sink_lines_total", "Lines that got to the sink, tries that failed, and entries that were gone before they could be sent.", "sink", "result")
)

// Describe implements prometheus.Collector.
func (c sinkCollector) Describe(ch chan<- *prometheus.Desc) { ch <- sinkLag; ch <- sinkLines }

// Collect implements prometheus.Collector.
func (c sinkCollector) Collect(ch chan<- prometheus.Metric) {
	for _, r := range c.runners {
		s := r.State()
		ch <- prometheus.MustNewConstMetric(sinkLag, prometheus.GaugeValue, s.Lag.Seconds(), s.Name)
		for result, n := range map[string]uint64{"sent": s.Sent, "failed": s.Failed, "lost": s.Lost} {
			ch <- prometheus.MustNewConstMetric(sinkLines, prometheus.CounterValue, float64(n), s.Name, result)
		}
	}
}
