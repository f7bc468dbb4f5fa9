package proof

import "slices"

// Any are verifiers of which one that a message satisfies is enough.
type Any []*Verifier

// Head judges what can be judged without the body. OK says that nothing speaks against reading it:
// a request without a signature need not even send one.
func (a Any) Head(m *Message) Verdict {
	return a.best(func(v *Verifier) Result {
		if v.scheme.Own != "" {
			return OK
		}
		_, result := v.read(m, true)
		return result
	})
}

// Verify judges a message.
func (a Any) Verify(m *Message) Verdict {
	return a.best(func(v *Verifier) Result { return v.verify(m) })
}

// closeness is how far a refused request came with a verifier; the reason of the one that came
// farthest is that of the request.
var closeness = []Result{Missing, Malformed, TimestampOld, TimestampNew, Mismatch}

func (a Any) best(judge func(*Verifier) Result) Verdict {
	var best Verdict
	for _, v := range a {
		result := judge(v)
		verdict := Verdict{Result: result, Refuse: v.refuse(), by: v}
		if result.Proven() {
			return verdict
		}
		if best.by == nil || slices.Index(closeness, result) > slices.Index(closeness, best.Result) {
			best = verdict
		}
	}
	return best
}

func (p *Program) refuse() int {
	if p.scheme.Refuse == 0 {
		return 403
	}
	return p.scheme.Refuse
}

// NeedsBody reports whether Verify looks at the body.
func (a Any) NeedsBody() bool { return a.some((*Program).NeedsBody) }

// NeedsURL reports whether Message.PublicURL has to be set.
func (a Any) NeedsURL() bool { return a.some((*Program).NeedsURL) }

// Identifies reports whether each of them tells a repeated event.
func (a Any) Identifies() bool {
	return !a.some(func(p *Program) bool { return !p.Identifies() })
}

func (a Any) some(has func(*Program) bool) bool {
	return slices.ContainsFunc(a, func(v *Verifier) bool { return has(v.Program) })
}

// Event identifies a message that Verify found proven.
func (a Any) Event(m *Message, verdict Verdict) Event {
	if verdict.by == nil || !verdict.Result.Proven() {
		return Event{}
	}
	return verdict.by.event(m)
}

// SecretHeaders are the headers that hold a secret itself. They are deleted before the upstream.
func (a Any) SecretHeaders() []string {
	var names []string
	for _, v := range a {
		if v.algorithm.kind == equal {
			names = append(names, v.signature.headers...)
		}
	}
	return names
}

// StripQuery returns a raw query without the parameters that hold a secret itself.
func (a Any) StripQuery(raw string) string {
	for _, v := range a {
		if v.algorithm.kind == equal && v.signature.query != "" {
			raw = withoutParameter(raw, v.signature.query)
		}
	}
	return raw
}
