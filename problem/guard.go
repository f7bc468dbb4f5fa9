package problem

import "net/http"

// What the guard answers to vendors. The meaning is the same for every cause, so that it
// tells an attacker nothing.
var (
	Ambiguous = define("HKG-1400", http.StatusBadRequest,
		"The request can be read in more than one way.",
		"See [below](#400-hkg-1400).")
	Refused = define("HKG-1401", http.StatusUnauthorized,
		"The credential is missing or not valid.",
		"The token is missing, malformed, unknown, revoked, expired, disabled, of another vendor or of another kind: one answer for all. The log says which, by the request id. `WWW-Authenticate` depends on the path only: `Basic` on api paths, `Token` elsewhere.")
	Forbidden = define("HKG-1403", http.StatusForbidden,
		"The credential is not valid for this request.",
		"It is live, but the client's address is not on a list, a scope is missing, its tenant is not served here, or the body is not signed as the vendor signs it.")
	NoRoute = define("HKG-1404", http.StatusNotFound,
		"There is nothing at this path.",
		"Compare it with the guarded paths; they match exactly. A path outside the `handle_path` or matcher that the guard stands in has nothing either.")
	Method = define("HKG-1405", http.StatusMethodNotAllowed,
		"The path does not take this method.",
		"`Allow` says which it takes. A `GET` of a webhook URL with `Content-Type`, `Content-Length` or a body was a `POST` once: a 301, 302 or 303 in front of Hookgate made a `GET` of it, and nothing was delivered. Post to the final URL, or redirect with 308.")
	BodyCutOff = define("HKG-1408", http.StatusRequestTimeout,
		"The body did not arrive in full. Send the request again.",
		"The client was too slow, or broke off.")
	TooLarge = define("HKG-1413", http.StatusRequestEntityTooLarge,
		"The body is too large.",
		"Raise `max_body`, if it is meant.")
	Misdirected = define("HKG-1421", http.StatusMisdirectedRequest,
		"No site here is for this Host.",
		"The Host that arrives is not the one in the site's address: have the proxy in front pass on the client's (nginx: `proxy_set_header Host $host`), or give the site an address without a host name, such as `http://:8080`.")
	Throttled = define("HKG-1429", http.StatusTooManyRequests,
		"Too many requests were refused.",
		"It would be 401, too often for one address; `Retry-After` says how long to wait. A live credential passes.")
	Internal = define("HKG-1500", http.StatusInternalServerError,
		"Internal error.",
		"A failure in Hookgate, or nothing behind the guard: the log says which.")
	BadGateway = define("HKG-1502", http.StatusBadGateway,
		"The upstream cannot be reached. The request was not sent, and can be sent again.",
		"See to Matcher. Where the connection broke after the request was sent, the detail is another one: the upstream gave no answer, and the request may have been delivered.")
	Unavailable = define("HKG-1503", http.StatusServiceUnavailable,
		"The credential cannot be checked at the moment. Send the request again.",
		"The keyring is not loaded or too old: see [what faults look like](operations.md#what-faults-look-like). Where the outcome in the log is `allowed`, an operator changed what Matcher is told of the credential, such as its label, while the body arrived: nothing is to be done, the next try has what is new.")
	NoRoom = define("HKG-1513", http.StatusServiceUnavailable,
		"Too many bodies are held at the moment. Send the request again after Retry-After.",
		"The bodies of requests whose proof or idempotency key takes them have reached `held_bodies`: raise it, or see who sends slowly.")
	UpstreamRefuses = define("HKG-1511", http.StatusBadGateway,
		"The upstream does not accept this server. Send the request again later.",
		"Matcher answered 401, 403 or `TENANT_NOT_FOUND`, which is about the JWT of this server: compare `jwt_secret`, the clocks, the right of its subject, and how its `tenant` is spelled. The log has Matcher's status, and `hookgate_upstream_responses_total` counts it.")
	UpstreamBusy = define("HKG-1512", http.StatusServiceUnavailable,
		"The upstream cannot take this request yet. Send it again after Retry-After.",
		"Matcher answered 409 to a repeat, because an earlier try counts as under way (for five minutes after Matcher was killed), or 429, because the external system had its callbacks of this minute. The log has Matcher's code. Or an earlier delivery of the same event is under way, for a vendor with `replay`; its outcome is `replayed`.")
	Timeout = define("HKG-1504", http.StatusGatewayTimeout,
		"The upstream did not answer in time. It may have got the request.",
		"It took more than `response_header_timeout`: see to Matcher.")
)

// BrokenOff is BadGateway where it is not known whether the upstream acted upon the
// request.
var BrokenOff = BadGateway.saying("The upstream gave no answer. The request may have been delivered.")
