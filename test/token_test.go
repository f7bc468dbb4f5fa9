package test

import (
	"fmt"
	"hash/crc32"
	"strings"
	"testing"
)

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// plausible returns a token with a right checksum that nobody has minted: one that
// only a look-up can refuse.
func plausible(prefix string, n int) string {
	return checksummed(prefix + fmt.Sprintf("%043d", n))
}

// checksummed appends to a token its CRC32-IEEE in six base62 characters.
func checksummed(token string) string {
	sum := crc32.ChecksumIEEE([]byte(token))
	var tail [6]byte
	for i := len(tail) - 1; i >= 0; i-- {
		tail[i] = base62[sum%62]
		sum /= 62
	}
	return token + string(tail[:])
}

func TestPlausible(t *testing.T) {
	for body, want := range map[string]string{
		"mcb_" + strings.Repeat("A", 43): "2Il7sk",
		"mwh_" + base62[:43]:             "4My3Df",
	} {
		if got := checksummed(body); got != body+want {
			t.Errorf("%s, want %s", got, body+want)
		}
	}
}
