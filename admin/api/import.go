package api

// ImportLine is one credential to be made of the digest of its token. It is loosely typed: what is wrong with one line must not keep the others
// from being imported.
type ImportLine struct {
	Kind       string     `json:"kind"`
	Digest     string     `json:"digest"`
	ID         string     `json:"id,omitempty"`
	Label      string     `json:"label,omitempty"`
	Vendor     string     `json:"vendor,omitempty"`
	Connection string     `json:"connection,omitempty"`
	ExpiresAt  string     `json:"expiresAt,omitempty"`
	AllowedIPs []string   `json:"allowedIps,omitempty"`
	Metadata   JSONObject `json:"metadata,omitempty"`

	Verify *ImportVerify `json:"verify,omitempty"`
}

// ImportVerify is VerifySettings, loosely typed.
type ImportVerify struct {
	Scheme  Scheme   `json:"scheme"`
	Secrets []string `json:"secrets" nullable:"false" writeOnly:"true"`
}

// ImportRequest asks for many at once; an ImportResponse reports on each.
type ImportRequest struct {
	Credentials []ImportLine `json:"credentials" minItems:"1" maxItems:"1000" nullable:"false"`
}

// ImportResult is what became of one line.
type ImportResult struct {
	ID     string `json:"id,omitempty" format:"uuid"`
	Status string `json:"status" enum:"created,exists,refused"`
	Code   string `json:"code,omitempty" enum:"HKG-2004,HKG-2005,HKG-2006,HKG-2013,HKG-2030,HKG-2031,HKG-2032,HKG-2422,HKG-2423"`
	Detail string `json:"detail,omitempty"`
}

// ImportResponse has the results in the order of the request.
type ImportResponse struct {
	Results []ImportResult `json:"results" nullable:"false"`
}
