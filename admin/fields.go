package admin

import "github.com/hookgate/hookgate/admin/docs"

// fields are what properties of schemas are for. Under "" stands what is so wherever a
// property has the name.
var fields = map[string]map[string]docs.Field{
	"": {
		"id":                     {Example: exampleID},
		"credentialId":           {Example: exampleID},
		"kind":                   {Example: "callback"},
		"reason":                 {Example: "leaked in a support ticket"},
		"nextCursor":             {Text: "Asks for the next page; absent on the last.", Example: "MTc2NzMyMzA0NTY3OC0w"},
		"label":                  {Example: "Billing"},
		"vendor":                 {Example: "pluggy"},
		"connection":             {Example: "pluggy-main"},
		"clientId":               {Example: "billing-prod"},
		"scopes":                 {Example: exampleScopes},
		"allowedIps":             {Example: exampleIPs},
		"createdAt":              {Example: "2026-01-02T03:04:05.678Z"},
		"expiresAt":              {Example: "2127-01-02T03:04:05.678Z"},
		"lastUsedAt":             {Text: "Absent until the first use.", Example: "2026-01-03T03:04:05.678Z"},
		"revokedAt":              {Example: "2026-01-04T03:04:05.678Z"},
		"rotatedAt":              {Example: "2026-01-02T03:04:05.678Z"},
		"token":                  {Example: exampleToken},
		"webhookUrlHint":         {Example: "https://hooks.example.com/v1/exceptions/{exceptionId}/callback"},
		"secretHash":             {Example: exampleHash},
		"externalSystem":         {Example: "jira-production"},
		"connection_config_name": {Example: "pluggy-main"},
		"_brand_id": {
			Text:    "The tenant, which must be that of the bearer token.",
			Example: "11111111-1111-1111-1111-111111111111",
		},
		"_credential_id": {Example: exampleID},
		"_reason":        {Text: "For the audit log.", Example: "leaked in a support ticket"},
	},
	"AuditEntry": {
		"id": {Text: "The later the entry, the greater its id.", Example: "1767323045678-0"},
		"at": {Example: "2026-01-02T03:04:05.678Z"},
		"actor": {
			Text:    "The sub of the operator's bearer token; hookgate for what the server did by itself.",
			Example: "alice@example.com",
		},
		"action":       {Example: "revoke"},
		"credentialId": {Text: "For a rotation the old credential; detail has the id of the new one."},
		"label":        {Text: "What the credential is called after the change."},
		"address":      {Text: "From where the operator asked, as the admin API sees it behind trusted proxies.", Example: "192.0.2.7"},
		"reason":       {Text: "In the operator's words."},
		"requestId":    {Text: "X-Request-Id of the answer.", Example: "0199d5a4-7c1e-7b3a-9f52-6f1d2c3b4a5b"},
		"changes":      {Text: "For each field that changed what it was and what it became. Of secrets there is only how many, and when they were changed."},
		"detail": {
			Text:    "Of a refusal the operation and code, of a rotation the new credential, of an import the counts.",
			Example: "listCredentials HKG-2403",
		},
	},
	"ImportResult": {
		"id":     {Text: "The credential's id; absent where the line was refused."},
		"detail": {Text: "The same, in words for people.", Example: "The digest cannot be imported."},
		"status": {
			Text:    "exists: the tenant has a credential with this digest already, which is left as it is.",
			Example: "created",
		},
		"code": {
			Text: "Why it was refused. HKG-2013: the digest cannot be imported. The others are those of the " +
				"answers to a create.",
			Example: "HKG-2013",
		},
	},
	"Credential": {
		"kind": {Example: "api"},
		"status": {
			Text: "grace: rotated out and accepted until graceUntil. disabled: refused until it is enabled " +
				"again. What has reached its graceUntil or expiresAt is expired.",
			Example: "active",
		},
		"tokenHint":    {Text: "The first eight characters of a token that was minted here; absent for others.", Example: "mcb_F2OW"},
		"lastRefusals": {Text: "The last few requests with it that the guard refused, the newest first; absent where there was none."},
		"vendor":       {Text: "Of a webhook credential, and of a callback credential that was given one."},
		"verify":       {Text: "How its senders prove themselves beyond the token; absent where as its vendor's do."},
		"connection":   {Text: "Of a webhook credential: the configName of an aggregator connection."},
		"clientId":     {Text: "Of an api credential."},
		"scopes":       {Text: "Of an api credential, sorted."},
		"allowedIps":   {Text: "The only addresses it works from; any where absent."},
		"expiresAt":    {Example: "2027-01-02T03:04:05.678Z"},
		"rotatedAt":    {Text: "When it superseded another credential, or got another secret in place."},
		"graceUntil":   {Text: "Once it is rotated out, it is accepted until then.", Example: "2026-01-05T03:04:05.678Z"},
		"lastProofs":   {Text: "When each result of its senders' proofs was last seen, the newest first. Only where one credential is asked for, and absent where there was none."},
		"supersedes":   {Example: "0199d5a4-7c1e-7b3a-9f52-6f1d2c3b4a58"},
		"supersededBy": {Example: "0199d5a4-7c1e-7b3a-9f52-6f1d2c3b4a5a"},
	},
	"Refusal": {
		"at":      {Example: "2026-01-03T03:04:05.678Z"},
		"outcome": {Text: "The word that the guard's log and metrics have for it.", Example: "source_ip"},
		"address": {Text: "Where the request came from; absent where that is unknown.", Example: "203.0.113.7"},
	},
	"CreateCredentialRequest": {
		"kind":       {Example: "api"},
		"label":      {Text: "Shown in lists, and for a callback credential sent to Matcher as the external system. It must not hold a token."},
		"vendor":     {Text: "Required for the webhook kind, as is connection. Of a callback credential, the vendor whose conditions apply to it."},
		"verify":     {Text: "How its senders prove themselves beyond the token, in place of what the guard asks of the vendor. Not for the api kind."},
		"clientId":   {Text: "Required for the api kind, as is secretHash."},
		"allowedIps": {Text: "Addresses and CIDR prefixes."},
		"secretHash": {Text: "SHA-256 of the client secret, which is never sent here. Use at least 256 random bits."},
	},
	"ImportLine": {
		"kind":       {Text: "callback or webhook; an api credential is created with its secretHash."},
		"label":      {Example: "jira-production"},
		"vendor":     {Text: "Required for the webhook kind, as is connection; optional for the callback kind."},
		"verify":     {Text: "How its senders prove themselves beyond the token."},
		"allowedIps": {Text: "Addresses and CIDR prefixes."},
		"expiresAt":  {Text: "RFC 3339, in the future."},
		"id": {
			Text:    "The id that Matcher has for a callback token of its own; the credential gets it here too.",
			Example: "7d4f5c1e-0000-4000-8000-00000000000a",
		},
		"digest": {
			Text:    "SHA-256 of the token in hexadecimal, with or without sha256: before it.",
			Example: exampleHash,
		},
	},
	"RotateCredentialRequest": {
		"reason":     {Text: "For the audit log.", Example: "yearly rotation"},
		"secretHash": {Text: "SHA-256 of the new client secret; required for the api kind and for no other."},
		"gracePeriodSeconds": {
			Text: "How long the old credential goes on being accepted, never past its expiry. 0, the default, " +
				"revokes it at once.",
			Example: 3600,
		},
		"force": {Text: "Ends the grace period of an earlier rotation, if one is open.", Example: false},
	},
	"VerifySettings": {
		"scheme":  {Text: "The name of a preset, or an object of a scheme's fields.", Example: exampleScheme},
		"secrets": {Text: "Any of them verifies. They are sealed, and never shown again.", Example: exampleSecrets},
	},
	"ImportVerify": {
		"scheme":  {Text: "The name of a preset, or an object of a scheme's fields.", Example: exampleScheme},
		"secrets": {Text: "Any of them verifies. They are sealed, and never shown again.", Example: exampleSecrets},
	},
	"ShownVerify": {
		"scheme":     {Text: "The name of a preset, or an object of a scheme's fields.", Example: exampleScheme},
		"secrets":    {Text: "How many there are, the one before the last change not counted.", Example: 1},
		"changedAt":  {Example: "2026-01-02T03:04:05.678Z"},
		"graceUntil": {Text: "The secret before the last change verifies, too, until then.", Example: "2026-01-03T03:04:05.678Z"},
	},
	"SigningSecretRequest": {
		"secret":             {Text: "Takes the place of the first of verify's secrets.", Example: exampleSecrets[0]},
		"gracePeriodSeconds": {Text: "How long the one that it replaces verifies as well. 0, the default, ends it at once.", Example: 86400},
		"force":              {Text: "Ends the grace period of an earlier change, if one is open.", Example: false},
		"reason":             {Text: "For the audit log.", Example: "yearly rotation"},
	},
	"ProofSeen": {
		"result": {Text: "The word that the metric hookgate_proofs_total has for it.", Example: "ok"},
		"at":     {Text: "When it was last seen.", Example: "2026-01-03T03:04:05.678Z"},
	},
	"ListedScheme": {
		"name":   {Text: "What verify takes as scheme.", Example: "stripe"},
		"title":  {Example: "Stripe"},
		"secret": {Text: "Where the vendor's own screens show the secret; absent where that is not known.", Example: "Dashboard, Developers, Webhooks: signing secret."},
		"notes":  {Text: "What else an operator has to know.", Example: "The tolerance is five minutes."},
	},
	"ChangeReasonRequest": {
		"reason": {Text: "For the audit log."},
	},
	"VerifyResponse": {
		"detail":     {Text: "The same, in words for people.", Example: "The guard lets it through."},
		"outcome":    {Text: "The word that the guard's log and metrics have for it.", Example: "allowed"},
		"lastProofs": {Text: "When each result of its senders' proofs was last seen, the newest first; absent where there was none."},
		"credential": {Text: "Whose token it is; absent unless it is one of the tenant's credentials."},
	},
	"Detail": {
		"detail": {Text: "What went wrong, for people.", Example: "There is no such credential."},
		"status": {Text: "The HTTP status.", Example: 404},
		"code":   {Text: "Stable code of the problem.", Example: "HKG-2002"},
		"type":   {Text: "Always about:blank: the code tells problems apart."},
		"title":  {Text: "The standard phrase of the status.", Example: "Not Found"},
		"instance": {
			Text:    "The request id, also in X-Request-Id.",
			Example: "urn:uuid:0199d5a4-7c1e-7b3a-9f52-6f1d2c3b4a59",
		},
		"errors": {Text: "Where the request is wrong, and how."},
	},
	"CredentialList": {
		"nextCursor": {Example: "MTc2NzMyMzA0NTY3OC0wMTk5ZDVhNC03YzFlLTdiM2EtOWY1Mi02ZjFkMmMzYjRhNTk"},
	},
	"PatchCredentialRequest": {
		"allowedIps": {Text: "Addresses and CIDR prefixes; null for any."},
		"expiresAt":  {Text: "null for never."},
		"scopes":     {Text: "Of an api credential, in place of those it has; null for none."},
		"metadata":   {Text: "Merged into what there is, member by member; null takes away all of it.", Example: map[string]any{"owner": "ops"}},
		"verify": {
			Text:    "In place of what there is; null for as the vendor's do.",
			Example: map[string]any{"scheme": exampleScheme, "secrets": exampleSecrets},
		},
	},
	"CredentialMetadata": {
		"revokedAt": {Text: "Absent while the credential is live."},
		"rotatedAt": {Text: "Present where the credential superseded another by rotation."},
	},
	"MintedCredential": {
		"token": {
			Text: "Shown this once and stored nowhere. Absent for the api kind, whose secret is the caller's, " +
				"and where the request had been made before.",
		},
		"webhookUrl": {
			Text: "Of a webhook credential, beside its token and where the server has a public URL: what to " +
				"register at the vendor. A secret, since the token is in it.",
			Example: "https://hooks.example.com/v1/discovery/webhooks/pluggy/mwh_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg4My3Df",
		},
		"webhookUrlHint": {
			Text: "Of a callback credential, beside its token and where the server has a public URL: where to " +
				"post callbacks; put the exception's id in place of the placeholder.",
		},
	},
	"VerifyRequest": {
		"token": {Text: "A token, or clientId:secret for an api credential. It is neither stored nor logged."},
	},
	"CredentialSecretResponse": {
		"token":          {Text: "The X-Callback-Token value. Shown this once and stored nowhere."},
		"webhookUrlHint": {Text: "Where to post callbacks; put the exception's id in place of the placeholder."},
	},
	"MintResponse": {
		"token": {
			Text:    "Shown this once and stored nowhere.",
			Example: "mwh_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg4My3Df",
		},
		"webhook_url": {
			Text:    "What to register at the vendor: a secret, since the token is in it.",
			Example: "https://hooks.example.com/v1/discovery/webhooks/pluggy/mwh_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg4My3Df",
		},
	},
	"RpcError": {
		"code": {
			Text:    "The code that PostgREST or PostgreSQL has for it; where they have none, an HKG code of this API.",
			Example: "P0001",
		},
		"message": {Example: "Invalid input: _client_id is missing"},
		"details": {Example: "_client_id"},
		"hint":    {Example: "_client_id"},
	},
	"ImportResponse": {
		"results": {Text: "One for each credential, in the order of the request."},
	},
	"MintCredentialRequest": {
		"externalSystem": {Text: "Which system the credential is for. Shown in lists and sent to Matcher."},
	},
	"MintRequest": {
		"connection_config_name": {Text: "The configName of one of the tenant's aggregator connections."},
	},
	"WebhookTokenMetadata": {
		"created_at":   {Example: "2026-01-02T03:04:05.678Z"},
		"last_used_at": {Text: "Absent until the first use.", Example: "2026-01-03T03:04:05.678Z"},
		"revoked_at":   {Text: "Absent while the token is live.", Example: "2026-01-04T03:04:05.678Z"},
		"rotated_at": {
			Text:    "Present where the token superseded another by rotation.",
			Example: "2026-01-02T03:04:05.678Z",
		},
	},
	"CreateRecordArguments": {
		"_name":      {Example: "Billing"},
		"_client_id": {Example: "billing-prod"},
		"_client_secret_hash": {
			Text:    "SHA-256 of the client secret in hexadecimal, with or without sha256: before it.",
			Example: "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b",
		},
		"_scopes":     {Example: exampleScopes},
		"_expires_at": {Example: "2127-01-02T03:04:05.678Z"},
	},
	"RotateRecordArguments": {
		"_reason": {Example: "yearly rotation"},
		"_new_secret_hash": {
			Text:    "SHA-256 of the new client secret in hexadecimal, with or without sha256: before it.",
			Example: "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b",
		},
	},
}

// parameters are those of queries and paths, and one of a header.
var parameters = map[string]docs.Field{
	"credentialId": {
		Text:    "The history of this one: also the rotation that made it, which stands under the id of the one before.",
		Example: exampleID,
	},
	"id":    {Example: exampleID},
	"label": {Text: "Exactly this label.", Example: "Billing"},
	"search": {
		Text:    "A part of the label, client id, vendor or connection, in upper or lower case; or the whole id.",
		Example: "jira",
	},
	"hideRevoked":   {Text: "Leaves out what is revoked."},
	"actor":         {Text: "Exactly this operator.", Example: "alice@example.com"},
	"since":         {Text: "Only entries of this time and later."},
	"until":         {Text: "Only entries before this time."},
	"expiresBefore": {Text: "Only credentials whose expiresAt is before this time, those that have expired already among them. Revoked ones are left out.", Example: "2027-01-02T03:04:05Z"},
	"unusedSince":   {Text: "Only credentials that were last used before this time, or never."},
	"cursor": {
		Text:    "nextCursor of the page before.",
		Example: "MTc2NzMyMzA0NTY3OC0wMTk5ZDVhNC03YzFlLTdiM2EtOWY1Mi02ZjFkMmMzYjRhNTk",
	},
	"Idempotency-Key": {Example: "rotate-billing-2026-01-02"},
}
