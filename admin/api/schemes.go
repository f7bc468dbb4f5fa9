package api

// SchemesPath is where the presets are.
const SchemesPath = "/v1/schemes"

// ListedScheme is how a vendor signs, by a name that verify takes.
type ListedScheme struct {
	Name  string `json:"name"`
	Title string `json:"title"`
	// Secret is where the vendor's own screens show the secret.
	Secret string `json:"secret,omitempty"`
	Notes  string `json:"notes,omitempty"`
}

// SchemeList is all of them.
type SchemeList struct {
	Schemes []ListedScheme `json:"schemes" nullable:"false"`
}
