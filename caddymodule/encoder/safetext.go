package encoder

import (
	_ "embed"
	"net/netip"
	"strings"
)

// What errors say is useful, and quotes what clients send: hosts, header names,
// malformed URLs, half a token. No pattern can tell a token that was minted
// elsewhere from a word, so it is done the other way round: of a text that is not
// known to be ours, only the words that errors consist of are printed, and
// addresses and small numbers.

// vocabularyText are those words: of net, net/http, crypto/tls, QUIC, Redis, Caddy
// and Hookgate. One that is missing is printed as a dash.
//
//go:embed vocabulary.txt
var vocabularyText string

var vocabulary = func() map[string]bool {
	words := make(map[string]bool)
	for word := range strings.FieldsSeq(vocabularyText) {
		words[word] = true
	}
	return words
}()

const (
	// maxSafeText bounds what is read of a text: errors are shorter, and a client
	// must not fill the log.
	maxSafeText = 2000
	// maxNumber is the longest number that is printed: ports and statuses are
	// shorter, and a token may consist of digits.
	maxNumber = 5

	unknownWord = "-"
	punctuation = "()[]{}<>\"'`,;:.!?=|"
)

// SafeText returns text as the encoder would print it, of a panic with its stack.
func SafeText(text string) string { return safePanic(text) }

// safeText returns text with every word that is not known replaced by a dash.
func safeText(text string) string {
	if text == "" {
		return ""
	}
	var safe strings.Builder
	hidden := false // the word before was
	for word := range strings.FieldsSeq(text[:min(len(text), maxSafeText)]) {
		known := safeWord(word)
		if !known && hidden {
			continue
		}
		if safe.Len() > 0 {
			safe.WriteByte(' ')
		}
		if hidden = !known; hidden {
			word = unknownWord
		}
		safe.WriteString(word)
	}
	return safe.String()
}

func safeWord(word string) bool {
	bare := strings.Trim(word, punctuation)
	if len(word)-len(bare) > 4 { // punctuation could spell something too
		return false
	}
	return bare == "" || vocabulary[strings.ToLower(bare)] || safeNumber(bare) || safeAddress(word)
}

func safeNumber(word string) bool {
	for i := range len(word) {
		if word[i] < '0' || word[i] > '9' {
			return false
		}
	}
	return len(word) <= maxNumber
}

// safeAddress reports whether word consists of IP addresses, with or without a
// port: net.OpError joins two by an arrow.
func safeAddress(word string) bool {
	for part := range strings.SplitSeq(strings.TrimRight(strings.Trim(word, `(),;"'`), ":"), "->") {
		if addr, err := netip.ParseAddr(part); err == nil && addr.Zone() == "" {
			continue
		}
		if addr, err := netip.ParseAddrPort(part); err == nil && addr.Addr().Zone() == "" {
			continue
		}
		return false
	}
	return true
}

// goroutineMark begins the stack that net/http prints behind the value of a panic.
const goroutineMark = "\ngoroutine "

// safePanic returns the text of a panic as net/http prints it, which names the value
// and then the stack. What the client may have put in the value comes before the
// last mark, so that behind it are only our own functions and files.
func safePanic(message string) string {
	at := strings.LastIndex(message, goroutineMark)
	if at < 0 {
		return safeText(message)
	}
	var safe strings.Builder
	safe.WriteString(safeText(message[:at]))
	for line := range strings.Lines(message[at:]) {
		if file, ok := strings.CutPrefix(strings.TrimRight(line, "\n"), "\t"); ok {
			file, _, _ = strings.Cut(file, " +0x")
			safe.WriteString(" | ")
			safe.WriteString(file)
		}
	}
	return safe.String()
}
