package guard

import (
	"encoding/json"
	"net/http"
	"os"
	"slices"
	"testing"

	"github.com/hookgate/hookgate/proof"
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
		"X-Userinfo", "X-UserInfo", "X-Endpoint-API-UserInfo", "Sec-Istio-Auth-Userinfo", "X-Login", "X-LoginName", "Tailscale-User-Login", "X-Uid", "Uid", "X-Authentik-Uid",
		"X-Role", "X-Roles", "X-Groups", "Remote-Groups", "X-Is-Admin", "X-Permissions", "X-Scopes", "X-Entitlements", "Impersonate-Group", "X-Claims", "X-SSO-Id",
		"X-Tenant", "Tenant", "Tenant-Id", "X-TenantId", "X-Tenant-Name", "X-Tenants", "x_tenant",
		"X-Id-Token", "X-IdToken", "Id-Token", "X-Access-Token", "Access-Token", "X-AccessToken", "X_ACCESS_TOKEN", "X-Jwt", "X-Jwt-Assertion", "X-Jwt-Payload", "Teleport-Jwt-Assertion",
		"X-Auth-Request-User", "X-Auth-Request-Groups", "X-Auth-Request-Preferred-Username", "X-Auth-Request-Access-Token", "x_auth_request_anything", "Gap-Auth",
		"X-Amzn-Oidc-Data", "X-Amzn-Oidc-Accesstoken", "X-Amzn-Mtls-Clientcert-Subject", "OIDC_CLAIM_sub", "OIDC_access_token",
		"Cf-Access-Jwt-Assertion", "Cf-Access-Authenticated-User-Email", "Cf-Access-Client-Id", "X-Goog-Iap-Jwt-Assertion", "X-Ms-Token-Aad-Id-Token", "X-Ms-Token-Aad-Access-Token",
		"X-Consumer-Custom-Id", "X-Credential-Identifier", "X-Anonymous-Consumer", "X-Pomerium-Claim-Name", "X-Vouch-Idp-Claims-Sub",
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
		"X-Gitlab-Token", "X-Gitlab-Webhook-Uuid", "Asaas-Access-Token", "X-Auth-Token", "X-Plugin", "X-Grouping", "Ce-Id", "Ce-Subject", "X-Jws-Signature", "Cf-Webhook-Auth", "Cf-Ray",
		"X-Zendesk-Account-Id", "X-Event-Id-Token-Count", "X-Contained",
		"X-Membership", "X-Zip", "X-Ship-To", "X-Method", "X-Attempt-Number", "Svix-Id", "X-Square-Hmacsha256-Signature", "Sec-Fetch-Site", "B3",
	} {
		if telling(name) {
			t.Errorf("%s does not pass", name)
		}
	}
}

// TestVendorsHeadersPass: what vendors are known to send with a signature reaches an
// upstream that verifies it, too.
func TestVendorsHeadersPass(t *testing.T) {
	var names []string
	add := func(s *proof.Scheme) {
		names = append(names, s.Signature.Header...)
		for _, place := range []*proof.Place{s.ID, s.Digest} {
			if place != nil {
				names = append(names, place.Header...)
			}
		}
		if s.Timestamp != nil {
			names = append(names, s.Timestamp.Header...)
		}
	}
	for _, preset := range proof.Presets() {
		add(&preset.Scheme)
	}
	for _, omission := range proof.LeftOut() {
		if omission.Scheme != nil {
			add(omission.Scheme)
		}
	}
	text, err := os.ReadFile("../proof/testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var made []struct{ Headers map[string]string }
	if err := json.Unmarshal(text, &made); err != nil {
		t.Fatal(err)
	}
	for _, vector := range made {
		for name := range vector.Headers {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	if names = slices.Compact(names); len(names) < 50 {
		t.Fatalf("only %q", names)
	}
	for _, name := range names {
		if telling(name) || telling(http.CanonicalHeaderKey(name)) {
			t.Errorf("%s does not pass", name)
		}
	}
}
