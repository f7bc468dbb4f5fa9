package handlers

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/hookgate/hookgate/guard"
)

// TestDecisionsHaveTheirSeriesFromTheStart: Prometheus sees no increase in a series that
// begins with its first event, so an alert on that event would never fire.
func TestDecisionsHaveTheirSeriesFromTheStart(t *testing.T) {
	registry := prometheus.NewRegistry()
	registry.MustRegister(authRequests)
	families, err := registry.Gather()
	if err != nil || len(families) != 1 {
		t.Fatalf("%d families, %v", len(families), err)
	}
	if got, want := len(families[0].Metric), len(guard.Kinds())*len(guard.Outcomes()); got != want {
		t.Errorf("%d series, want %d", got, want)
	}
}
