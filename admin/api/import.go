package api

// ImportLine is one credential to be made of the digest of its token. It is loosely typed: what is wrong with one line must not keep the others
// from being imported.
type ImportLine struct {
	Kind       string     `json:"kind" example:"callback" doc:"callback or webhook; an api credential is created with its secretHash."`
	Digest     string     `json:"digest" example:"sha256:2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b" doc:"SHA-256 of the token in hexadecimal, with or without sha256: before it."`
	Label      string     `json:"label,omitempty" example:"jira-production"`
	Vendor     string     `json:"vendor,omitempty" example:"pluggy" doc:"Required for the webhook kind, as is connection."`
	Connection string     `json:"connection,omitempty" example:"pluggy-main"`
	ExpiresAt  string     `json:"expiresAt,omitempty" example:"2127-01-02T03:04:05.678Z" doc:"RFC 3339, in the future."`
	AllowedIPs []string   `json:"allowedIps,omitempty" example:"[\"203.0.113.0/24\"]" doc:"Addresses and CIDR prefixes."`
	Metadata   JSONObject `json:"metadata,omitempty"`
}

// ImportRequest asks for many at once; an ImportResponse reports on each.
type ImportRequest struct {
	Credentials []ImportLine `json:"credentials" minItems:"1" maxItems:"1000" nullable:"false"`
}

// ImportResult is what became of one line.
type ImportResult struct {
	ID     string `json:"id,omitempty" format:"uuid" example:"0199d5a4-7c1e-7b3a-9f52-6f1d2c3b4a59" doc:"Of the credential; absent where refused."`
	Status string `json:"status" enum:"created,exists,refused" example:"created" doc:"exists: the tenant has a credential with this digest already, which is left as it is."`
	Code   string `json:"code,omitempty" enum:"HKG-2004,HKG-2005,HKG-2006,HKG-2013,HKG-2030,HKG-2031,HKG-2032,HKG-2422" example:"HKG-2013" doc:"Why it was refused. HKG-2013: the digest cannot be imported. The others are those of the answers to a create."`
	Detail string `json:"detail,omitempty" example:"The digest cannot be imported." doc:"The same for people."`
}

// ImportResponse has the results in the order of the request.
type ImportResponse struct {
	Results []ImportResult `json:"results" nullable:"false" doc:"One for each credential, in the order of the request."`
}
