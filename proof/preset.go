package proof

import (
	"slices"
	"strings"
)

// Preset is the scheme of a vendor, and how it is known.
type Preset struct {
	Name  string `json:"name"`
	Title string `json:"title"`
	// Scheme has the fields of the vendor.
	Scheme Scheme `json:"scheme"`
	// Secret is where an operator finds the secret in the vendor's own screens; empty: not known.
	Secret string `json:"secret,omitempty"`
	// Source is where the vendor, or its own library, says how it signs.
	Source string `json:"source"`
	// Evidence is what showed that the scheme verifies what the vendor makes.
	Evidence Evidence `json:"evidence"`
	// Notes are what an operator has to know.
	Notes string `json:"notes,omitempty"`
}

// Evidence is one of three: an official library that makes or accepts the vector in
// testdata/vectors.json; a vector that the vendor published; or Constant.
type Evidence struct {
	Library string `json:"library,omitempty"` // with its version: "npm stripe@23.1.0"
	Vector  string `json:"vector,omitempty"`  // where it was published
	// Constant says that the vendor sends the secret itself: there are no signed bytes to be wrong about.
	Constant bool `json:"constant,omitempty"`
}

// String says the evidence in words.
func (e Evidence) String() string {
	var parts []string
	if e.Library != "" {
		parts = append(parts, "the official library "+e.Library)
	}
	if e.Vector != "" {
		parts = append(parts, "the vector published at "+e.Vector)
	}
	if e.Constant {
		parts = append(parts, "a secret that the vendor sends itself")
	}
	return strings.Join(parts, "; ")
}

var presets = slices.SortedFunc(slices.Values(slices.Concat(brazil, finance, standardWebhooks, others)),
	func(a, b Preset) int { return strings.Compare(a.Name, b.Name) })

// Presets returns all presets by name.
func Presets() []Preset { return presets }

// Named returns the preset of a name.
func Named(name string) (Preset, bool) {
	at, ok := slices.BinarySearchFunc(presets, name, func(p Preset, name string) int { return strings.Compare(p.Name, name) })
	if !ok {
		return Preset{}, false
	}
	return presets[at], true
}

// What many vendors have in common.

// ofBody is a signature of the body in a header.
func ofBody(header, prefix, encoding string) Scheme {
	return Scheme{Signature: in(header), Prefix: prefix, Encoding: encoding}
}

// timed is a header such as `t=<time>,v1=<hex>`, of time and body.
func timed(header, time, key, signed string) Scheme {
	return Scheme{
		Signature: pairs(header, ",", "=", key),
		Signed:    Templates{signed},
		Timestamp: &Timestamp{Place: Place{Pair: time}},
	}
}

// constant is the secret itself in a header.
func constant(header string, id *Place) Scheme {
	return Scheme{Algorithm: "equal", Signature: in(header), ID: id}
}

func in(header ...string) Signature { return Signature{Place: Place{Header: header}} }

func pairs(header, separator, assign string, keys ...string) Signature {
	return Signature{Place: Place{Header: Names{header}}, Form: "pairs", Separator: separator, Assign: assign, Keys: keys}
}

func idHeader(name string) *Place  { return &Place{Header: Names{name}} }
func idBody(pointer string) *Place { return &Place{Body: pointer} }

func at(header, unit string) *Timestamp {
	return &Timestamp{Place: Place{Header: Names{header}}, Unit: unit}
}

// with returns the scheme with an id.
func (s Scheme) with(id *Place) Scheme {
	s.ID = id
	return s
}
