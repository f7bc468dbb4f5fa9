package handlers

import (
	"maps"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/guard"
	"github.com/hookgate/hookgate/proof"
)

var proofs = prometheus.NewCounterVec(prometheus.CounterOpts{
	Name: "hookgate_proofs_total",
	Help: "Proofs that vendors sent or should have, by the vendor where the configuration names it, and by what came of them.",
}, []string{"vendor", "result"})

// otherVendors is the label of all vendors that no configuration names: no client and no
// operator chooses how many series there are.
const otherVendors = "other"

// vendorCounters are the counters of a vendor: finding one by its labels costs more than
// all else that is counted. They are made all at once, for an increase from nothing is none
// to Prometheus.
type vendorCounters struct {
	decisions map[guard.Outcome]prometheus.Counter // on webhook paths
	proofs    map[proof.Result]prometheus.Counter
}

// vendorsCounted are those of the vendors that a configuration of the process has named. A
// new one replaces the map, which is read with every request.
var vendorsCounted struct {
	sync.Mutex
	of atomic.Pointer[map[string]*vendorCounters]
}

func init() {
	vendorsCounted.of.Store(new(map[string]*vendorCounters))
	countsVendor(otherVendors)
}

// countsVendor makes the series of a vendor that a configuration names.
func countsVendor(name string) {
	vendorsCounted.Lock()
	defer vendorsCounted.Unlock()
	before := *vendorsCounted.of.Load()
	if before[name] != nil {
		return
	}
	counters := &vendorCounters{decisions: make(map[guard.Outcome]prometheus.Counter), proofs: make(map[proof.Result]prometheus.Counter)}
	for _, outcome := range guard.Outcomes() {
		counters.decisions[outcome] = authRequests.WithLabelValues(string(credential.KindWebhook), name, string(outcome))
	}
	for _, result := range guard.ProofResults() {
		counters.proofs[result] = proofs.WithLabelValues(name, string(result))
	}
	after := make(map[string]*vendorCounters, len(before)+1)
	maps.Copy(after, before)
	after[name] = counters
	vendorsCounted.of.Store(&after)
}

// countersOf returns the counters of a vendor.
func countersOf(vendor string) *vendorCounters {
	all := *vendorsCounted.of.Load()
	if counters := all[vendor]; counters != nil {
		return counters
	}
	return all[otherVendors]
}

func countProof(vendor string, result proof.Result) { countersOf(vendor).proofs[result].Inc() }
