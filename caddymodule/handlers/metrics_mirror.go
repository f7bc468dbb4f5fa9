package handlers

import "github.com/prometheus/client_golang/prometheus"

var (
	mirrorPending = prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "hookgate_mirror_pending_revocations",
		Help: "Revocations that hold here, have yet to reach Matcher, and are repeated.",
	})

	mirrorGivenUp = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "hookgate_mirror_given_up_total",
		Help: "Revocations that hold here, have not reached Matcher, and are not repeated any more.",
	})
)
