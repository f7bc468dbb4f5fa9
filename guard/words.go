package guard

import "bytes"

// Frameworks and proxies take the client's address, the user, what the user may do, the
// method or the host from headers of more names than any list has. So a header is judged by
// the words of its name.
var (
	// tellingWords are whole words of such names.
	tellingWords = wordSet(
		"addr", "address", "authenticated", "email", "host", "hostname", "identity", "ip", "ips", "ipv4", "ipv6", "override", "principal",
		"scheme", "user", "visitor",
		"connectingip", "externalip", "originip", "peerip", "publicip", "realip", "senderip", "socketip", "sourceip", "srcip", "trueip", "viewerip",
		"admin", "assertion", "claims", "entitlements", "group", "groups", "impersonate", "jwt", "oidc", "permissions", "role", "roles", "scopes", "sso", "uid",
	)
	// tellingStems are parts of such words: net/http does not tell how a name was written,
	// so that ClientIP has become one word.
	tellingStems = [][]byte{
		[]byte("client"), []byte("forward"), []byte("original"), []byte("proxy"), []byte("remote"), []byte("rewrite"), []byte("username"), []byte("userid"),
		[]byte("userinfo"), []byte("login"), []byte("tenant"), []byte("idtoken"), []byte("accesstoken"),
	}
	// tellingNames have no such word. A vendor's own token may be in Vendor-Access-Token.
	tellingNames = []string{
		"Front-End-Https", "X-HTTP-Method", "X-Method-Override", "X-Access-Token", "Access-Token", "X-Id-Token", "Id-Token",
		"Gap-Auth", "X-Credential-Identifier", "X-Anonymous-Consumer",
	}
	// tellingPrefixes are of proxies that sign users in, which have more to say of them than
	// there are words: oauth2-proxy, Cloudflare Access, Google's Identity-Aware Proxy, Azure,
	// Kong, authentik, Pomerium, Vouch.
	tellingPrefixes = []string{
		"X-Auth-Request-", "Cf-Access-", "X-Goog-Iap-", "X-Ms-Token-", "X-Consumer-", "X-Authentik-", "X-Pomerium-", "X-Vouch-",
	}
	// untellingNames have such a word, and tell of something else: the program that sends,
	// and the emails that a vendor's events are about.
	untellingNames = []string{"User-Agent", "X-Twilio-Email-Event-Webhook-Signature", "X-Twilio-Email-Event-Webhook-Timestamp"}
)

func wordSet(words ...string) map[string]bool {
	set := make(map[string]bool, len(words))
	for _, word := range words {
		set[word] = true
	}
	return set
}

// telling reports whether a header, by the words of its name, tells of the client, the
// user, the tenant, what they may do, the host or the method: what the guard has judged, or
// says itself.
func telling(name string) bool {
	switch name { // what most requests have
	case "Accept", "Accept-Encoding", "Accept-Language", "Cache-Control", "Content-Encoding", "Content-Length", "Content-Type", "User-Agent", "X-Request-Id":
		return false
	}
	if isAnyAlias(name, untellingNames) {
		return false
	}
	var buffer [64]byte
	plain := buffer[:0]
	for i := range len(name) {
		plain = append(plain, aliasByte(name[i]))
	}
	for len(plain) > 0 {
		var word []byte
		word, plain, _ = bytes.Cut(plain, []byte{'-'})
		if tellingWords[string(word)] {
			return true
		}
		for _, stem := range tellingStems {
			if bytes.Contains(word, stem) {
				return true
			}
		}
	}
	for _, prefix := range tellingPrefixes {
		if hasAliasPrefix(name, prefix) {
			return true
		}
	}
	return isAnyAlias(name, tellingNames)
}
