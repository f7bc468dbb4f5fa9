package api

// VerifyRequest asks what the guard makes of a token.
type VerifyRequest struct {
	Token string `json:"token" minLength:"1" maxLength:"1024"`
}

// VerifyResponse has the guard's word for it.
type VerifyResponse struct {
	Outcome    string      `json:"outcome" enum:"allowed,malformed,unknown,revoked,expired,disabled,tenant,stale"`
	Detail     string      `json:"detail"`
	Credential *Credential `json:"credential,omitempty"`
	// LastProofs are when each result of its senders' proofs was last seen, the newest first.
	LastProofs []ProofSeen `json:"lastProofs,omitempty"`
}
