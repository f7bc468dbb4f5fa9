package api

import "github.com/hookgate/hookgate/credential"

// Where the resources are.
const (
	CredentialsPath = "/v1/credentials"
	AuditPath       = "/v1/audit"
	AuditExportPath = AuditPath + "/export"
)

// How many entries a page of a list has: DefaultPage where the request does not say,
// and never more than MaxPage.
const (
	DefaultPage = 100
	MaxPage     = 1000
)

// The kinds of a credential.
const (
	KindCallback = string(credential.KindCallback)
	KindWebhook  = string(credential.KindWebhook)
	KindAPI      = string(credential.KindAPI)
)

// Kinds are the kinds of a credential.
var Kinds = []string{KindCallback, KindWebhook, KindAPI}

// Statuses are what a credential can be.
var Statuses = []string{
	string(credential.StatusActive), string(credential.StatusGrace), string(credential.StatusDisabled), string(credential.StatusExpired), string(credential.StatusRevoked),
}

// Actions are what an audit entry can be of.
var Actions = []string{"mint", "import", "rotate", "finish", "update", "disable", "enable", "revoke", "refused"}

// LatestExpiry is the last time at which a credential may end.
var LatestExpiry = credential.LatestExpiry

// What an import made of a line.
const (
	ImportCreated = "created"
	ImportExists  = "exists" // already, and is left as it is
	ImportRefused = "refused"
)

// OutcomeAllowed is the one outcome of a verification with which the guard lets a token through.
const OutcomeAllowed = "allowed"
