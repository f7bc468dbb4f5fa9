package credential

import (
	"bytes"
	"regexp"
	"slices"
)

// tokenPattern finds our tokens in a line of log, whole or cut off: plain, with any
// of their characters percent-encoded (once or more often), in hexadecimal, and in
// base64 of either alphabet at each of its three alignments. In base64 a prefix
// that begins at the first, second or third byte of a group has these characters in
// common, whatever stands around it.
var tokenPattern = regexp.MustCompile(
	`(?:m|%(?:25)*6[Dd])(?:(?:c|%(?:25)*63)(?:b|%(?:25)*62)|(?:w|%(?:25)*77)(?:h|%(?:25)*68))(?:_|%(?:25)*5[Ff])(?:[0-9A-Za-z]|%(?:25)*[0-9A-Fa-f]{2}){4,}` +
		`|(?i:6d(?:6362|7768)5f)(?:[0-9A-Fa-f]{2}){4,}` +
		`|(?:bWNiX|bXdoX|1jYl|13aF|tY2Jf|td2hf)[0-9A-Za-z+/_-]{6,}`)

// tokenMarks are what every match of tokenPattern has one of. Almost no line does, and
// looking for them costs a hundredth of what the pattern does.
var tokenMarks = [][]byte{
	[]byte("mcb_"), []byte("mwh_"), []byte("%"),
	[]byte("6d6362"), []byte("6D6362"), []byte("6d7768"), []byte("6D7768"),
	[]byte("bWNiX"), []byte("bXdoX"), []byte("1jYl"), []byte("13aF"), []byte("tY2Jf"), []byte("td2hf"),
}

// markFirst and markSecond have a bit in common for two bytes that a mark begins with.
var markFirst, markSecond = func() (first, second [256]uint16) {
	bit := uint16(1)
	for _, mark := range tokenMarks {
		if first[mark[0]] == 0 {
			first[mark[0]], bit = bit, bit<<1
		}
		if len(mark) > 1 {
			second[mark[1]] |= first[mark[0]]
			continue
		}
		for c := range second {
			second[c] |= first[mark[0]]
		}
	}
	return first, second
}()

func hasTokenMark(line []byte) bool {
	for i := range len(line) - 1 { // no token ends with the first byte of a mark
		if markFirst[line[i]]&markSecond[line[i+1]] != 0 && slices.ContainsFunc(tokenMarks, func(mark []byte) bool { return bytes.HasPrefix(line[i:], mark) }) {
			return true
		}
	}
	return false
}

// HasToken reports whether MaskTokens would find a token in text.
func HasToken(text string) bool {
	line := []byte(text)
	return hasTokenMark(line) && tokenPattern.Match(line)
}

// HoldsToken reports whether text holds a token, or a good part of one. A hint, which operators
// get to see and write down, is none.
func HoldsToken(text string) bool {
	line := []byte(text)
	return hasTokenMark(line) && slices.ContainsFunc(tokenPattern.FindAllIndex(line, -1), func(at []int) bool { return at[1]-at[0] >= 2*hintLength })
}

// WithoutTokens returns text with every token in it masked.
func WithoutTokens(text string) string {
	if !HasToken(text) {
		return text
	}
	masked := []byte(text)
	MaskTokens(masked)
	return string(masked)
}

// MaskTokens overwrites every token in line but its first characters.
func MaskTokens(line []byte) {
	if !hasTokenMark(line) {
		return
	}
	for _, at := range tokenPattern.FindAllIndex(line, -1) {
		for i := at[0] + len("mcb_"); i < at[1]; i++ {
			line[i] = '*'
		}
	}
}
