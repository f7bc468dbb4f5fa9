package guard

import (
	"fmt"
	"maps"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hookgate/hookgate/bench/loaded"
	"github.com/hookgate/hookgate/keyring"
	"github.com/hookgate/hookgate/proof"
)

// inTurn runs f one after another and on all cores at once.
func inTurn(b *testing.B, f func(i int)) {
	b.Run("serial", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			f(i)
		}
	})
	b.Run("parallel", func(b *testing.B) {
		b.ReportAllocs()
		var worker atomic.Int64
		b.RunParallel(func(pb *testing.PB) {
			for i := int(worker.Add(1)) * 7717; pb.Next(); i++ {
				f(i)
			}
		})
	})
}

// BenchmarkRoute is the reading of the request target: what is done before any token is
// looked at.
func BenchmarkRoute(b *testing.B) {
	p := testPolicy(b)
	for name, target := range map[string]string{"callback": callbackPath, "webhook": webhookPath + webhookToken, "none": "/v1/exceptions"} {
		b.Run(name, func(b *testing.B) {
			inTurn(b, func(int) {
				path, query := splitTarget(target)
				if !canonicalPath(path) || !cleanQuery(query) {
					b.Error("the path is refused")
				}
				p.route(path)
			})
		})
	}
}

// BenchmarkDecide is the whole decision, over a keyring as it is in a sidecar.
func BenchmarkDecide(b *testing.B) {
	p := testPolicy(b)
	client := netip.MustParseAddr("192.0.2.1")
	for _, size := range loaded.Sizes {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			ring := loaded.Store(b, size).Keyring()
			const probes = 1 << 16
			known, unknown := make([]string, probes), make([]string, probes)
			for i := range probes {
				known[i], unknown[i] = loaded.Token(i*7919%size), loaded.Token(size+i)
			}
			for _, probe := range []struct {
				name   string
				tokens []string
				want   Outcome
			}{{"allowed", known, Allowed}, {"unknown", unknown, Unknown}} {
				b.Run(probe.name, func(b *testing.B) {
					inTurn(b, func(i int) {
						req := Request{Method: "POST", Target: callbackPath, Tokens: probe.tokens[i%probes : i%probes+1], Peer: Peer{Client: client}, ContentLength: 100}
						if d := p.Decide(&req, ring, time.Now()); d.Outcome != probe.want {
							b.Error(d.Outcome)
						}
					})
				})
			}
		})
	}
}

// vendorHeader is one as vendors send it.
var vendorHeader = map[string][]string{
	"Accept": {"*/*"}, "Accept-Encoding": {"gzip"}, "Content-Length": {"1024"}, "Content-Type": {"application/json"},
	"User-Agent": {"vendor/1.0"}, "X-Callback-Token": {callbackToken}, "X-Forwarded-For": {"192.0.2.1"}, "X-Request-Id": {"7d4f"},
}

// BenchmarkForwarding makes the header of a request to the upstream, and includes copying
// the header that it changes.
func BenchmarkForwarding(b *testing.B) {
	for _, identity := range []*keyring.Identity{&callbackUser, &webhookUser} {
		b.Run(string(identity.Kind), func(b *testing.B) {
			p := Policy{TokenHeader: "X-Callback-Token"}
			d := Decision{Credential: callbackID, Identity: identity, route: new(Route)}
			inTurn(b, func(int) {
				allowed := d
				f, err := p.Forwarding(&allowed, now)
				if err != nil {
					b.Error(err)
				}
				f.Apply(maps.Clone(vendorHeader))
			})
		})
	}
}

// BenchmarkProof: what a proof of a body of 1 KiB costs, beside the decision.
func BenchmarkProof(b *testing.B) {
	p, r, text := testPolicy(b), fullRing(), strings.Repeat("x", 1<<10)
	p.Vendors["acme"] = &VendorPolicy{Proof: verifying(b, proof.Scheme{Signature: header("X-Signature")}, "secret")}
	headers := map[string][]string{"X-Signature": {sign("secret", text)}}
	d := p.Decide(&Request{Method: "POST", Target: "/v1/discovery/webhooks/acme/" + signedHook}, r, now)
	held := &heldBody{text: text}
	b.ReportAllocs()
	for b.Loop() {
		one := d
		if err := p.Verify(&one, headers, held); err != nil || one.Outcome != Allowed {
			b.Fatal(one.Outcome, err)
		}
	}
}
