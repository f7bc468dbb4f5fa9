package vendors

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hookgate/hookgate/proof"
)

// TestPresets: a preset verifies what the vendor's library signs, and nothing else; and
// the library takes what is signed by the preset.
func TestPresets(t *testing.T) {
	all := libraries(t)
	eachTrial(t, func(t *testing.T, tr trial, at time.Time) {
		l, ok := all[tr.library]
		if !ok {
			t.Fatal("there is no such library")
		}
		tr.test(t, l, at)
	})
}

// test has a library sign the request of a trial, or verify it, or both.
func (tr trial) test(t *testing.T, l library, at time.Time) {
	preset, ok := proof.Named(tr.preset)
	if !ok {
		t.Fatal("there is no such preset")
	}
	ours := tr.sign(t, preset.Scheme, tr.secret, at)
	if l.verify != nil {
		tr.confirm(t, l, ours, at)
	}
	signed := ours
	if l.sign != nil {
		var err error
		if signed, err = l.sign(tr.call(tr.request(), tr.secret.signs, at)); err != nil {
			t.Fatalf("the library does not sign: %v", err)
		}
		check(t, "signed by us", proof.OK, tr.judge(t, ours, at, tr.secret))
	}

	check(t, "signed", proof.OK, tr.judge(t, signed, at, tr.secret))
	check(t, "signed with the older secret", proof.OldSecret, tr.judge(t, signed, at, tr.other, tr.secret))
	check(t, "another secret", proof.Mismatch, tr.judge(t, signed, at, tr.other))
	for _, c := range tr.changes {
		changed := c.of(t, signed)
		check(t, c.name+" is changed", proof.Mismatch, tr.judge(t, changed, at, tr.secret))
	}
	for _, c := range tr.leaves {
		changed := c.of(t, signed)
		check(t, c.name+", which is not signed, is changed", proof.OK, tr.judge(t, changed, at, tr.secret))
	}
	if s := preset.Scheme; s.Timestamp != nil {
		tolerance := time.Duration(s.Tolerance)
		if tolerance == 0 {
			tolerance = time.Duration(proof.DefaultTolerance)
		}
		check(t, "as old as may be", proof.OK, tr.judge(t, signed, at.Add(tolerance), tr.secret))
		check(t, "too old", proof.TimestampOld, tr.judge(t, signed, at.Add(tolerance+time.Second), tr.secret))
		check(t, "too new", proof.TimestampNew, tr.judge(t, signed, at.Add(-tolerance-time.Second), tr.secret))
	}
	if s := preset.Scheme.Signature; s.Form == "pairs" || s.Form == "list" {
		wrong := tr.sign(t, preset.Scheme, tr.other, at)
		name := s.Header[0]
		for _, both := range both(s, signed.header.Get(name), wrong.header.Get(name)) {
			m := signed.clone()
			m.header.Set(name, both)
			check(t, "with a wrong signature, "+both, proof.OK, tr.judge(t, m, at, tr.secret))
		}
	}
}

// both returns the values of a header that have a wrong signature, before the right one
// and after it.
func both(s proof.Signature, right, wrong string) []string {
	items := func(value string) (all, signatures []string) {
		all = strings.Split(value, s.Separator)
		for _, item := range all {
			key, _, _ := strings.Cut(item, s.Assign)
			if s.Form == "list" || slices.Contains(s.Keys, key) {
				signatures = append(signatures, item)
			}
		}
		return all, signatures
	}
	all, _ := items(right)
	_, more := items(wrong)
	return []string{
		strings.Join(append(more, all...), s.Separator),
		strings.Join(append(all, more...), s.Separator),
	}
}

// sign signs the request as the preset says.
func (tr trial) sign(t *testing.T, s proof.Scheme, secret key, at time.Time) message {
	t.Helper()
	c := tr.call(tr.request(), secret.signs, at)
	signed, err := proof.Sign(s, c.secret, c.id, c.proof(t, at))
	if err != nil {
		t.Fatalf("we do not sign: %v", err)
	}
	m := message{method: signed.Method, url: signed.PublicURL + signed.Path, header: signed.Header, body: string(signed.Body)}
	if signed.RawQuery != "" {
		m.url += "?" + signed.RawQuery
	}
	for from, to := range tr.moves {
		m.header[to] = m.header[from]
		delete(m.header, from)
	}
	return m
}

// judge judges a request that arrives at a time by the preset and secrets, the first of
// which is the current one.
func (tr trial) judge(t *testing.T, m message, arrived time.Time, secrets ...key) proof.Result {
	t.Helper()
	preset, _ := proof.Named(tr.preset)
	program, err := proof.Compile(preset.Scheme)
	if err != nil {
		t.Fatal(err)
	}
	var all []proof.Secret
	for _, secret := range secrets {
		all = append(all, proof.Secret{Value: secret.verifies})
	}
	verifier, err := program.With(all...)
	if err != nil {
		t.Fatal(err)
	}
	sent := m.proof(t, arrived)
	suffices := proof.Any{verifier}
	if head := suffices.Head(&sent); !head.Result.Proven() {
		return head.Result
	}
	return suffices.Verify(&sent).Result
}

// proof returns the message as the package has it.
func (m message) proof(t *testing.T, arrived time.Time) proof.Message {
	t.Helper()
	public, path, query := m.split(t)
	return proof.Message{
		Method: m.method, PublicURL: public, Path: path, RawQuery: query,
		Header: m.header.Clone(), Body: []byte(m.body), Arrived: arrived,
	}
}

func check(t *testing.T, what string, want, got proof.Result) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %s, want %s", what, got, want)
	}
}
