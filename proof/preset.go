package proof

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

// Evidence is an official library of the vendor, or a vector that it published. A constant secret
// has neither, for nothing is computed.
type Evidence struct {
	Library string `json:"library,omitempty"` // with its version: "npm stripe@23.1.0"
	Vector  string `json:"vector,omitempty"`  // where it was published
}

var presets []Preset

// Presets returns all presets by name.
func Presets() []Preset { return presets }

// Named returns the preset of a name.
func Named(name string) (Preset, bool) {
	for _, preset := range presets {
		if preset.Name == name {
			return preset, true
		}
	}
	return Preset{}, false
}
