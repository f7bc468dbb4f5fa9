package guard

import (
	"net/http"
	"testing"
)

func TestTelling(t *testing.T) {
	for _, name := range []string{
		"Forwarded", "X-Forwarded", "X-Forwarded-User", "X-Forwarded-Method", "X-Forwarded-Uri", "X-Forwarded-Prefix", "X-Original-Forwarded-For",
		"X-Real-IP", "X-RealIP", "X-Client-IP", "Client-IP", "ClientIP", "True-Client-IP", "TrueClientIP", "X-Cluster-Client-IP", "X-Azure-ClientIP", "X-Azure-SocketIP",
		"CF-Connecting-IP", "CF-Connecting-IPv6", "CF-Pseudo-IPv4", "CF-Visitor", "Fastly-Client-IP", "Fly-Client-IP", "X-Appengine-User-IP",
		"X-Appengine-Remote-Addr", "X-Envoy-External-Address", "Proxy-Client-IP", "WL-Proxy-Client-IP", "Remote-User", "Remote-Addr", "X-Remote-User", "REMOTE_USER",
		"X-User", "X-User-Id", "X-UserId", "X-Username", "X-WEBAUTH-USER", "X-Auth-Request-Email", "X-Goog-Authenticated-User-Id", "X-Ms-Client-Principal", "X-Amzn-Oidc-Identity",
		"X-Original-URI", "X-Original-URL", "X-Original-Host", "X-Original-Method", "X-Rewrite-URL", "X-Host", "X-HostName", "Proxy", "Proxy-Connection", "Proxy-Authorization",
		"X-HTTP-Method", "X-HTTP-Method-Override", "X-Method-Override", "X-Url-Scheme", "Front-End-Https", "Client-Cert", "Ssl-Client-Cert", "X_Real_IP", "X.Real.Ip", "x~client",
	} {
		for _, spelled := range []string{name, http.CanonicalHeaderKey(name)} {
			if !telling(spelled) {
				t.Errorf("%s passes", spelled)
			}
		}
	}
	for _, name := range []string{
		"User-Agent", "user_agent", "Accept", "Content-Type", "Date", "Origin", "Referer", "Traceparent", "X-Request-Id", "Idempotency-Key", "X-Idempotency-Key",
		"X-Hub-Signature-256", "X-Github-Event", "X-Github-Hook-Installation-Target-Id", "X-Gitlab-Event", "X-Gitlab-Instance", "Stripe-Signature", "Webhook-Id", "Webhook-Timestamp",
		"X-Shopify-Shop-Domain", "X-Twilio-Signature", "X-Slack-Request-Timestamp", "X-Zm-Signature", "X-Event-Key", "X-Hook-Uuid", "Paypal-Transmission-Id", "Xero-Signature",
		"X-Membership", "X-Zip", "X-Ship-To", "X-Method", "X-Attempt-Number", "Svix-Id", "X-Square-Hmacsha256-Signature", "Sec-Fetch-Site", "B3",
	} {
		if telling(name) {
			t.Errorf("%s does not pass", name)
		}
	}
}
