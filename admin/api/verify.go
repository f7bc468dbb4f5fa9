package api

// VerifyRequest asks what the guard makes of a token.
type VerifyRequest struct {
	Token string `json:"token" minLength:"1" maxLength:"1024" example:"mcb_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA2Il7sk" doc:"A token, or clientId:secret for an api credential. It is neither stored nor logged."`
}

// VerifyResponse has the guard's word for it.
type VerifyResponse struct {
	Outcome    string      `json:"outcome" enum:"allowed,malformed,unknown,revoked,expired,stale" example:"allowed" doc:"The word that the guard's log and metrics have for it."`
	Detail     string      `json:"detail" example:"The guard lets it through." doc:"The same for people."`
	Credential *Credential `json:"credential,omitempty" doc:"Whose token it is; absent where it is none of the tenant's."`
}
