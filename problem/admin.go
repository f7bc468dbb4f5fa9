package problem

import "net/http"

// What the admin API answers to operators. HKG-24NN and HKG-25NN say no more than the
// HTTP status 4NN or 5NN; HKG-20NN are what only that API can mean.
var (
	NoTenant = define("HKG-2001", http.StatusForbidden,
		"The bearer token names no tenant.",
		"Have your sign-in put the tenant into the token, or set `tenant_claims` or `default_tenant`.")
	NotFound = define("HKG-2002", http.StatusNotFound,
		"There is no such credential.",
		"Look for it in the list. Another tenant's id gives the same answer.")
	Inactive = define("HKG-2003", http.StatusConflict,
		"The credential is revoked or expired, so it can be neither rotated nor changed.",
		"Mint a new one. An expired one can be prolonged first.")
	NoConnection = define("HKG-2004", http.StatusNotFound,
		"There is no such aggregator connection.",
		"Make the connection in Matcher, or add it to `connections static`.")
	NotConfigured = define("HKG-2005", http.StatusServiceUnavailable,
		"Webhook tokens cannot be issued: this server is configured without a public URL, without connections, or without a guard that would take them.",
		"Set `public_url` and `connections`, and give the guard a `webhook` path.")
	NoAnswer = define("HKG-2006", http.StatusServiceUnavailable,
		"Whether the aggregator connection exists cannot be found out at the moment.",
		"Repeat it after `Retry-After`.")
	NotReplicated = define("HKG-2007", http.StatusServiceUnavailable,
		"The change is made and holds, but not yet on as many replicas as configured. Repeating a revocation waits for them again.",
		"Repeat a revocation. After a mint or rotation look for the credential in the list and revoke it: its token was not shown. Then see to the replicas.")
	GraceOpen = define("HKG-2008", http.StatusConflict,
		"A grace period is open: an earlier rotation's old credential is still accepted. Finish it first, or rotate its successor with force.",
		"`finish` it, or rotate with `\"force\": true`.")
	NoGrace = define("HKG-2009", http.StatusConflict,
		"No grace period is open, so there is none to end.",
		"Nothing.")
	ClientIDTaken = define("HKG-2010", http.StatusConflict,
		"The client id belongs to a credential that is not revoked.",
		"Revoke that one, or take another client id.")
	KeyReused = define("HKG-2011", http.StatusConflict,
		"The Idempotency-Key was used for another request within the last 24 hours.",
		"Use a new key for a new request.")
	Replayed = define("HKG-2012", http.StatusConflict,
		"The request was made before with this Idempotency-Key; errors names the credential it made, whose token is shown only once.",
		"Rotate or revoke the credential that `errors` names.")
	NotImportable = define("HKG-2013", http.StatusConflict,
		"The digest cannot be imported.",
		"It was revoked, or is in use elsewhere: mint a new token.")
	NoVerify = define("HKG-2014", http.StatusConflict,
		"The credential has no verify, so it has no signing secret to replace.",
		"Give it one with `PATCH`.")
	SecretGraceOpen = define("HKG-2015", http.StatusConflict,
		"The signing secret before the last change still verifies, until its grace ends.",
		"Wait for `verify.graceUntil`, or send `\"force\": true`, which ends it.")
	Disabled = define("HKG-2016", http.StatusConflict,
		"The credential is disabled, so it cannot be rotated.",
		"`enable` it first; if its token may be known to others, revoke it and mint a new one.")
	NoKeys = define("HKG-2020", http.StatusServiceUnavailable,
		"The keys that verify bearer tokens cannot be read from their issuer at the moment.",
		"See to the issuer of `jwks_url`; repeat it after `Retry-After`.")
	TenantChoice = define("HKG-2021", http.StatusForbidden,
		"The bearer token is for several tenants: X-Hookgate-Tenant must name one of them.",
		"Send `X-Hookgate-Tenant` with one of the tenants that `GET /v1/me` lists; the command line takes `--tenant`, the console has a list.")
	NoIssuer = define("HKG-2022", http.StatusServiceUnavailable,
		"The issuer of the sign-in cannot be reached, or its answer is of no use.",
		"See to the issuer of `oidc`; the log says why. Repeat it after `Retry-After`.")
	SignInRefused = define("HKG-2023", http.StatusForbidden,
		"The issuer refused the sign-in.",
		"See to it there. `invalid_client` and `unauthorized_client` are about `client_id` and `client_secret` of `oidc`.")
	SignInStale = define("HKG-2024", http.StatusBadRequest,
		"This sign-in was not begun in this browser, or was begun too long ago.",
		"Begin again from the console. If it happens each time, the browser keeps no cookies, or `redirect_url` names another host than the one where the sign-in begins.")
	SignInInvalid = define("HKG-2025", http.StatusForbidden,
		"What the issuer says of the sign-in proves nobody.",
		"The page says what is wrong about it. See [the issuers](identity.md).")
	CrossSite = define("HKG-2026", http.StatusForbidden,
		"The request comes with a session of the console, and not from its page.",
		"Use the console, or a bearer token. Where TLS is ended in front, set `redirect_url` of `oidc`: its scheme and host are what the page's requests must come from.")
	NoBearer = define("HKG-2027", http.StatusForbidden,
		"Matcher is asked for this with the operator's own bearer token, and a session of the console has none.",
		"Use a bearer token that Matcher accepts: on the command line, or in the field of the console. Or set `connections static`.")
	SignInInsecure = define("HKG-2028", http.StatusForbidden,
		"Nobody signs in over plain HTTP from another machine: whoever is on the way could take the session.",
		"Use https. Where TLS is ended in front, set `redirect_url` of `oidc` to the address in the browser.")
	SignInLarge = define("HKG-2029", http.StatusForbidden,
		"The operator is of more tenants than the cookie of a session can hold.",
		"Use a bearer token, or have the issuer name fewer tenants for this client.")
	MatcherAnswer = define("HKG-2030", http.StatusBadGateway,
		"Matcher cannot be reached, or its answer does not tell whether the aggregator connection exists.",
		"See to Matcher, and the URL of `connections matcher`.")
	MatcherRefuses = define("HKG-2031", http.StatusBadGateway,
		"Matcher does not accept this bearer token for its list of connections.",
		"Use a token that Matcher accepts, or `connections static`.")
	MatcherTimeout = define("HKG-2032", http.StatusGatewayTimeout,
		"Matcher did not tell in time whether the aggregator connection exists.",
		"Repeat it; see to Matcher, or give `connections matcher` a longer timeout.")
	ManyLists = define("HKG-2040", http.StatusTooManyRequests,
		"Too many whole lists are being read at this moment, by all operators.",
		"Wait for `Retry-After`, or read `/v1/credentials` page by page.")

	MirrorUnreachable = define("HKG-2033", http.StatusBadGateway,
		"Matcher cannot be reached, or its answer is of no use. Nothing was kept here.",
		"See to Matcher, and the URL of `mirror`. Where the log says that Matcher's answer was of no use, look for the credential in Matcher's list.")
	MirrorNoAnswer = define("HKG-2034", http.StatusGatewayTimeout,
		"Matcher did not answer. It may have done what was asked; nothing was kept here.",
		"After a mint look for the credential in Matcher's list and revoke it: its token is lost. After a rotation see [what failures leave](matcher-4.md#what-failures-leave). Then ask again.")
	NotKept = define("HKG-2035", http.StatusServiceUnavailable,
		"Matcher minted the credential, but it could not be kept here, so it is revoked at Matcher again.",
		"Ask again once the credential store is available. After a rotation the old credential is revoked as well: mint a new one. A webhook token cannot be revoked at Matcher; it was shown to nobody.")

	Malformed = define("HKG-2400", http.StatusBadRequest,
		"The request body is missing, unreadable or not a JSON document.",
		"Send one JSON document.")
	Unauthenticated = define("HKG-2401", http.StatusUnauthorized,
		"The bearer token is missing or not valid.",
		"Get a new token; compare its `exp`, `iss`, `aud` and algorithm with `jwt` in the configuration.")
	Role = define("HKG-2403", http.StatusForbidden,
		"The role in the bearer token does not allow this operation.",
		"Ask somebody with the role, or have it granted.")
	NoResource = define("HKG-2404", http.StatusNotFound,
		"There is no such resource. Paths are matched exactly.",
		"Compare the path with `/docs`.")
	NoSuchMethod = define("HKG-2405", http.StatusMethodNotAllowed,
		"The resource does not support this method.",
		"`Allow` says which methods there are.")
	SlowBody = define("HKG-2408", http.StatusRequestTimeout,
		"The request body did not arrive in time.",
		"Send it again, faster.")
	Quota = define("HKG-2409", http.StatusConflict,
		"The tenant has as many live credentials as it may have.",
		"Revoke what is not needed any more, or raise `quota`.")
	TenantNotServed = define("HKG-2411", http.StatusForbidden,
		"The tenant is not served here: no guard would let its credentials through.",
		"Add the tenant to `tenants` of `matcher`, or mint at the server that serves it.")
	RequestTooLarge = define("HKG-2413", http.StatusRequestEntityTooLarge,
		"The request body is larger than 64 KiB, or 1 MiB for an import.",
		"Split the import.")
	MediaType = define("HKG-2415", http.StatusUnsupportedMediaType,
		"The request body must be application/json.",
		"Send `Content-Type: application/json`.")
	Invalid = define("HKG-2422", http.StatusUnprocessableEntity,
		"The request does not match its schema; errors says where.",
		"Correct what `errors` names.")
	NotSealable = define("HKG-2423", http.StatusUnprocessableEntity,
		"The secrets of the vendor cannot be sealed here, or those that are sealed cannot be opened.",
		"Set `seal_key` in the global block; where it was replaced, keep the older key behind it until `hookgate store reseal` has run.")
	TooMany = define("HKG-2429", http.StatusTooManyRequests,
		"Too many requests by the subject of this bearer token.",
		"Wait for `Retry-After`.")

	OperationFailed = define("HKG-2500", http.StatusInternalServerError,
		"Internal error. The log has more under this request id.",
		"Report it, with the lines of the log that have its request id.")
	StoreUnavailable = define("HKG-2503", http.StatusServiceUnavailable,
		"The credential store is unavailable. Nothing was acknowledged; a change may have been made all the same.",
		"Repeat it; after a mint or rotation without an `Idempotency-Key` look first whether it was made. See [what faults look like](operations.md#what-faults-look-like).")
	NotAtMatcher = define("HKG-2512", http.StatusBadGateway,
		"The credential is revoked here, and not yet at Matcher. It is safe to ask again.",
		"Nothing gets past the guard with it any more. The process repeats it by itself as long as the bearer token is valid; ask again, with a bearer token that Matcher accepts, to know that it is done.")
)
