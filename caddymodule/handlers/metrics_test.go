package handlers

import (
	"maps"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/guard"
)

// TestDecisionsHaveTheirSeriesFromTheStart: Prometheus sees no increase in a series that
// begins with its first event, so an alert on that event would never fire.
func TestDecisionsHaveTheirSeriesFromTheStart(t *testing.T) {
	registry := prometheus.NewRegistry()
	registry.MustRegister(authRequests)
	series := func() map[string]int {
		families, err := registry.Gather()
		if err != nil || len(families) != 1 {
			t.Fatalf("%d families, %v", len(families), err)
		}
		n := make(map[string]int)
		for _, metric := range families[0].Metric {
			of := make(map[string]string)
			for _, label := range metric.Label {
				of[label.GetName()] = label.GetValue()
			}
			n[of["kind"]+" "+of["vendor"]]++
		}
		return n
	}
	for range 2 { // a reload names them again
		countsVendor("named-for-a-test")
	}
	before := series()
	for _, of := range []string{"callback ", "api ", " ", "webhook other", "webhook named-for-a-test"} {
		if before[of] != len(guard.Outcomes()) {
			t.Errorf("%q has %d series, want %d", of, before[of], len(guard.Outcomes()))
		}
	}
	// No client makes another one.
	for _, vendor := range []string{"never-named", ""} {
		countDecision(credential.KindWebhook, vendor, guard.Unknown)
	}
	countDecision(credential.KindCallback, "named-for-a-test", guard.Allowed)
	if after := series(); !maps.Equal(before, after) {
		t.Errorf("%v became %v", before, after)
	}
}
