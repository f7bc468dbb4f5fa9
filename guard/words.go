package guard

import "bytes"

// Frameworks and proxies take the client's address, the user, the method or the host from
// headers of more names than any list has. So a header is judged by the words of its name.
var (
	// tellingWords are whole words of such names.
	tellingWords = wordSet(
		"addr", "address", "authenticated", "email", "host", "hostname", "identity", "ip", "ips", "ipv4", "ipv6", "override", "principal",
		"scheme", "user", "visitor",
		"connectingip", "externalip", "originip", "peerip", "publicip", "realip", "senderip", "socketip", "sourceip", "srcip", "trueip", "viewerip",
	)
	// tellingStems are parts of such words: net/http does not tell how a name was written,
	// so that ClientIP has become one word.
	tellingStems = [][]byte{
		[]byte("client"), []byte("forward"), []byte("original"), []byte("proxy"), []byte("remote"), []byte("rewrite"), []byte("username"), []byte("userid"),
	}
	// tellingNames have no such word.
	tellingNames = []string{"Front-End-Https", "X-HTTP-Method", "X-Method-Override"}
)

func wordSet(words ...string) map[string]bool {
	set := make(map[string]bool, len(words))
	for _, word := range words {
		set[word] = true
	}
	return set
}

// telling reports whether a header, by the words of its name, tells of the client, the
// user, the host or the method: what the guard has judged, or says itself.
func telling(name string) bool {
	switch name { // what most requests have
	case "Accept", "Accept-Encoding", "Accept-Language", "Cache-Control", "Content-Encoding", "Content-Length", "Content-Type", "User-Agent", "X-Request-Id":
		return false
	}
	if isAlias(name, "User-Agent") {
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
	return isAnyAlias(name, tellingNames)
}
