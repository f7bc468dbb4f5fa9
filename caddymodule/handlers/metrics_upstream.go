package handlers

import (
	"net/http"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/gate"
	"github.com/hookgate/hookgate/guard"
)

// upstreamResponses counts what upstreams answered themselves, whatever the client was
// told.
var upstreamResponses = prometheus.NewCounterVec(prometheus.CounterOpts{
	Name: "hookgate_upstream_responses_total",
	Help: "Answers of the upstream to requests that the guard let through, by the kind of the route and the upstream's own status; none where it did not answer.",
}, []string{"kind", "code"})

// upstreamTranslations counts what the client was told in place of the upstream's answer: the
// upstream's status alone does not tell a tenant that it does not know from an exception.
var upstreamTranslations = prometheus.NewCounterVec(prometheus.CounterOpts{
	Name: "hookgate_upstream_translations_total",
	Help: "Answers of the upstream that were about this server and in whose place the client got a 5xx, by the kind of the route and the code that it got.",
}, []string{"kind", "code"})

func init() {
	for kind := range answerCounters {
		for _, p := range gate.Translations() {
			upstreamTranslations.WithLabelValues(string(kind), p.Code)
		}
	}
}

// noAnswer is the code of a request that the upstream did not answer.
const noAnswer = "none"

// usualStatuses are those that are worth an alert, or a base for one: their series are
// there from the start, for an increase from nothing is none to Prometheus.
var usualStatuses = []int{
	0, http.StatusOK, http.StatusAccepted, http.StatusNoContent,
	http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusConflict,
	http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity, http.StatusTooManyRequests,
	http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout,
}

// answerCounters are the counters of usual statuses, by kind: finding one by its labels
// costs more.
var answerCounters = func() map[credential.Kind]map[int]prometheus.Counter {
	counters := make(map[credential.Kind]map[int]prometheus.Counter)
	for _, kind := range guard.Kinds() {
		if kind == "" {
			continue // nothing is let through without a route
		}
		counters[kind] = make(map[int]prometheus.Counter)
		for _, status := range usualStatuses {
			counters[kind][status] = upstreamResponses.WithLabelValues(string(kind), codeLabel(status))
		}
	}
	return counters
}()

func codeLabel(status int) string {
	if status == 0 {
		return noAnswer
	}
	return strconv.Itoa(status)
}

// countAnswer counts an upstream's answer; the status is 0 where there was none.
func countAnswer(kind credential.Kind, status int) {
	if counter, ok := answerCounters[kind][status]; ok {
		counter.Inc()
		return
	}
	upstreamResponses.WithLabelValues(string(kind), codeLabel(status)).Inc()
}
