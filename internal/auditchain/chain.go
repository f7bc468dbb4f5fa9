// Package auditchain makes lines of an audit log of which each tells the hash of the one
// before, and tells whether a file has all of them, unchanged and in their order.
//
// A line is a JSON object without space between its members:
//
//	{"seq":7,"prev":"<hash of line 6>",...,"hash":"<its own>"}
//
// seq counts from 1; the first prev is 64 zeros. hash is the SHA-256, in lower-case
// hexadecimal, of the 64 characters of prev and after them the line without its last member:
// all of its bytes before the comma in front of "hash", and a closing brace.
package auditchain

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Origin is the prev of the first line.
var Origin = strings.Repeat("0", hashLength)

const (
	hashLength = 2 * sha256.Size
	seqBegin   = `{"seq":`
	prevBegin  = `,"prev":"`
	hashBegin  = `,"hash":"`
	hashEnd    = `"}`
)

// MaxLine is the longest line in bytes that is read. None of ours comes near.
const MaxLine = 1 << 20

// Head is the last line of a chain: its number and hash. The zero value is a chain
// without lines.
type Head struct {
	Seq  uint64
	Hash string
}

func (h Head) hash() string {
	if h.Hash == "" {
		return Origin
	}
	return h.Hash
}

// Seal makes the line behind h of a JSON object, and returns it without a line feed.
func (h Head) Seal(object []byte) (line []byte, next Head, err error) {
	value := jsontext.Value(bytes.Clone(object))
	if err := value.Compact(); err != nil || !value.IsValid() || value.Kind() != '{' || len(value) <= len("{}") {
		return nil, h, errors.New("what is to be a line is no JSON object with members")
	}
	prev := h.hash()
	line = append(line, seqBegin...)
	line = strconv.AppendUint(line, h.Seq+1, 10)
	line = append(append(append(line, prevBegin...), prev...), `",`...)
	line = append(line, value[1:]...)
	next = Head{Seq: h.Seq + 1, Hash: hashOf(prev, line)}
	line = append(line[:len(line)-1], hashBegin...)
	return append(append(line, next.Hash...), hashEnd...), next, nil
}

func hashOf(prev string, content []byte) string {
	h := sha256.New()
	h.Write([]byte(prev))
	h.Write(content)
	return hex.EncodeToString(h.Sum(nil))
}

// Line is one line of a chain.
type Line struct {
	Head
	Prev string
	// Mark says what a line that is no entry tells of, "" for an entry.
	Mark string
	// Torn is the SHA-256 of the parts of lines before a MarkTorn, line feeds between them.
	Torn string
	// Position is where the entry came from.
	Position string
}

// Marks: what lines tell of that are no entries.
const (
	MarkContinues = "continues" // the file goes on from another one; stands first
	MarkTorn      = "torn"      // the line before was broken off while it was written
	MarkGap       = "gap"       // entries are gone that were never sent
	MarkOmitted   = "omitted"   // an entry could not be sent as it is
)

var (
	errForm = errors.New("it is no line of an audit log")
	errHash = errors.New("its hash is not that of what it says: something in it was changed")
)

// Parse reads a line without its line feed, and checks its hash.
func Parse(text []byte) (Line, error) {
	var line Line
	if len(text) > MaxLine {
		return line, errForm
	}
	at := bytes.LastIndex(text, []byte(hashBegin))
	if at < 0 || len(text) != at+len(hashBegin)+hashLength+len(hashEnd) || !jsontext.Value(text).IsValid() {
		return line, errForm
	}
	var members struct {
		Seq                              uint64
		Prev, Hash, Mark, Torn, Position string
	}
	if json.Unmarshal(text, &members) != nil || members.Seq == 0 {
		return line, errForm
	}
	begin := fmt.Sprintf(`%s%d%s%s",`, seqBegin, members.Seq, prevBegin, members.Prev)
	if !bytes.HasPrefix(text, []byte(begin)) || !isHash(members.Prev) || !isHash(members.Hash) {
		return line, errForm
	}
	if hashOf(members.Prev, append(bytes.Clone(text[:at]), '}')) != members.Hash {
		return line, errHash
	}
	return Line{
		Head: Head{Seq: members.Seq, Hash: members.Hash}, Prev: members.Prev,
		Mark: members.Mark, Torn: members.Torn, Position: members.Position,
	}, nil
}

func isHash(text string) bool {
	return len(text) == hashLength && strings.Trim(text, "0123456789abcdef") == ""
}

// SumOf is the SHA-256 of a part of a line, as a MarkTorn has it.
func SumOf(part []byte) string {
	sum := sha256.Sum256(part)
	return hex.EncodeToString(sum[:])
}
