package proof_test

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hookgate/hookgate/proof"
)

// cpu is the time that processors gave to this process, which on a busy machine says more than a clock.
func cpu(b *testing.B) int64 {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return used.Utime.Nano() + used.Stime.Nano()
}

func BenchmarkVerify(b *testing.B) {
	for _, size := range []struct {
		name  string
		bytes int
	}{{"1KiB", 1 << 10}, {"1MiB", 1 << 20}} {
		body := `{"id":"evt_1","text":"` + strings.Repeat("x", size.bytes-25) + `"}`
		for _, name := range []string{"github", "stripe", "standard-webhooks", "discord", "sendgrid", "stark", "woovi"} {
			preset, _ := proof.Named(name)
			signs, verifies := "s", "s"
			switch {
			case preset.Scheme.Key == "whsec":
				signs, verifies = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
			case name == "discord":
				keys := newEd25519(b)
				signs, verifies = keys.private, keys.public
			case name == "sendgrid":
				keys := newP256(b)
				signs, verifies = keys.private, keys.public
			case name == "stark":
				keys := newSecp256k1(b)
				signs, verifies = keys.private, keys.public
			case name == "woovi":
				keys := newRSA(b)
				signs, verifies = keys.private, keys.public
			}
			m, err := proof.Sign(preset.Scheme, signs, "1", proof.Message{Method: "POST", Body: []byte(body), Arrived: time.Unix(sentAt, 0)})
			if err != nil {
				b.Fatal(err)
			}
			any := verifier(b, preset.Scheme, verifies)
			b.Run(name+"/"+size.name, func(b *testing.B) {
				b.ReportAllocs()
				before := cpu(b)
				for b.Loop() {
					if any.Verify(&m).Result != proof.OK {
						b.Fatal("not proven")
					}
				}
				b.ReportMetric(float64(cpu(b)-before)/float64(b.N), "cpu-ns/op")
			})
		}
	}
}
