package handlers

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/guard"
)

// Every configuration has a registry of its own, and a reload must not set counters
// back: these live as long as the process, and each configuration registers them.
// No label is ever taken from a request.
var (
	authRequests = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "hookgate_auth_requests_total",
		Help: "Requests that the guard decided on, by the kind of the route, on webhook paths by the vendor where the configuration names it, and by the outcome.",
	}, []string{"kind", "vendor", "outcome"})

	authDuration = prometheus.NewHistogram(prometheus.HistogramOpts{
		Name:    "hookgate_auth_duration_seconds",
		Help:    "How long the guard took to decide, the upstream not included.",
		Buckets: []float64{1e-6, 2e-6, 5e-6, 1e-5, 2e-5, 5e-5, 1e-4, 1e-3, 1e-2},
	})

	expressRequests = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "hookgate_express_requests_total",
		Help: "Requests on addresses with the express lane: served in it, or declined with their connection to Caddy's server.",
	}, []string{"result"})

	adminRequests = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "hookgate_admin_requests_total",
		Help: "Requests to the admin API, by operation and status.",
	}, []string{"operation", "code"})
)

// decisionCounters are the counters of authRequests, by kind and outcome: finding one by
// its labels costs more than all else that is counted. All are made at the start, for an
// increase from nothing is none to Prometheus. Webhooks are counted by vendor.
var decisionCounters = func() map[credential.Kind]map[guard.Outcome]prometheus.Counter {
	counters := make(map[credential.Kind]map[guard.Outcome]prometheus.Counter)
	for _, kind := range guard.Kinds() {
		if kind == credential.KindWebhook {
			continue
		}
		counters[kind] = make(map[guard.Outcome]prometheus.Counter)
		for _, outcome := range guard.Outcomes() {
			counters[kind][outcome] = authRequests.WithLabelValues(string(kind), "", string(outcome))
		}
	}
	return counters
}()

// observeDuration counts how long a decision took. Where the request has a trace that
// somebody will see, the bucket leads to it.
func observeDuration(took time.Duration, traceID string) {
	if traceID == "" {
		authDuration.Observe(took.Seconds())
		return
	}
	authDuration.(prometheus.ExemplarObserver).ObserveWithExemplar(took.Seconds(), prometheus.Labels{"trace_id": traceID})
}

var expressServed, expressDeclined = expressRequests.WithLabelValues("served"), expressRequests.WithLabelValues("declined")

// CountDeclined counts a connection that the lane left to Caddy's server.
func CountDeclined() { expressDeclined.Inc() }

// CountHeaderTooLarge counts a request that the server refused for the size of its header.
// No guard has seen it, so it is of no kind.
func CountHeaderTooLarge() { countDecision("", "", guard.TooLarge) }

// countDecision counts the outcome of a request to a vendor's path, or to one of another
// kind.
func countDecision(kind credential.Kind, vendor string, outcome guard.Outcome) {
	if kind == credential.KindWebhook {
		countersOf(vendor).decisions[outcome].Inc()
		return
	}
	decisionCounters[kind][outcome].Inc()
}
