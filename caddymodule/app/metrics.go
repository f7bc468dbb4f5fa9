package app

import (
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/hookgate/hookgate/internal/droplog"
	"github.com/hookgate/hookgate/keyring"
	"github.com/hookgate/hookgate/store"
)

// Register adds collectors to the registry of a configuration.
func Register(registry *prometheus.Registry, collectors ...prometheus.Collector) error {
	for _, c := range collectors {
		var already prometheus.AlreadyRegisteredError
		if err := registry.Register(c); err != nil && !errors.As(err, &already) {
			return err
		}
	}
	return nil
}

// storeCollector reads the state of a store at the time of a scrape.
type storeCollector struct{ store *store.Store }

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("hookgate_"+name, help, labels, nil)
}

var (
	keyringCredentials = desc("keyring_credentials", "Live credentials in the keyring.", "kind")
	expiring           = desc("credentials_expiring", "Live credentials that expire within a time, disabled ones among them, rotated ones not. Counted at most once a minute where there are many.", "kind", "within")
	keyringAge         = desc("keyring_age_seconds", "Time since the keyring was last proved equal to Redis. Absent until it has been loaded.")
	keyringResyncs     = desc("keyring_resyncs_total", "How often the keyring was read anew.", "reason")
	ledgerLag          = desc("ledger_lag_seconds", "How long the newest change took from its commit to this keyring.")
	redisUp            = desc("redis_up", "1 if the last probe of Redis succeeded, writes included.")
	usagePending       = desc("usage_pending", "Credentials whose last use is not written yet.")
	keyringUnsealable  = desc("keyring_unsealable_credentials", "Live credentials whose vendor's secret cannot be opened with any seal_key. Their requests are 503.")
	keyringProofBytes  = desc("keyring_proof_bytes", "About how much memory the keyring takes for what credentials have to show beyond their token.")
	usageFlushes       = desc("usage_flush_total", "Batches of lastUsedAt written to Redis.", "result")
)

// horizons are what the label within has for keyring.Horizons.
var horizons = [len(keyring.Horizons)]string{"1d", "7d", "30d"}

// processCollector reads what is of the process and not of a configuration.
type processCollector struct{}

var (
	logLinesDropped      = desc("log_lines_dropped_total", "Log lines that could not be written in time, or not at all.")
	reloadsTotal         = desc("reloads_total", "Reloads by signal.", "result")
	lastReloadSuccessful = desc("last_reload_successful", "1 unless the last reload by signal failed.")
)

// Describe implements prometheus.Collector.
func (processCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{logLinesDropped, reloadsTotal, lastReloadSuccessful, buildInfo} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (processCollector) Collect(ch chan<- prometheus.Metric) {
	counter := func(d *prometheus.Desc, value uint64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(value), labels...)
	}
	counter(logLinesDropped, droplog.Dropped())
	counter(reloadsTotal, reloads.ok.Load(), "ok")
	counter(reloadsTotal, reloads.failed.Load(), "failed")
	last := 1.0
	if reloads.lastFailed.Load() {
		last = 0
	}
	ch <- prometheus.MustNewConstMetric(lastReloadSuccessful, prometheus.GaugeValue, last)
	ch <- builtFrom()
}

// Describe implements prometheus.Collector.
func (c storeCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		keyringCredentials, expiring, keyringAge, keyringResyncs, ledgerLag, redisUp, usagePending, usageFlushes, keyringUnsealable, keyringProofBytes,
	} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (c storeCollector) Collect(ch chan<- prometheus.Metric) {
	s := c.store.Stats(time.Now())
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	counter := func(d *prometheus.Desc, value uint64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(value), labels...)
	}
	for kind, n := range s.Credentials {
		gauge(keyringCredentials, float64(n), string(kind))
	}
	for kind, n := range c.store.Keyring().Expiring(time.Now()) {
		for i, within := range horizons {
			gauge(expiring, float64(n[i]), string(kind), within)
		}
	}
	if s.Loaded {
		gauge(keyringAge, s.Age.Seconds())
	}
	for reason, n := range s.Resyncs {
		counter(keyringResyncs, n, string(reason))
	}
	gauge(ledgerLag, s.LedgerLag.Seconds())
	up := 0.0
	if s.RedisUp {
		up = 1
	}
	gauge(redisUp, up)
	gauge(usagePending, float64(s.UsagePending))
	gauge(keyringUnsealable, float64(s.Unsealable))
	gauge(keyringProofBytes, float64(s.ProofBytes))
	counter(usageFlushes, s.UsageFlushed, "ok")
	counter(usageFlushes, s.UsageFailed, "error")
}
