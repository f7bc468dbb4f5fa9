package auditchain

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
)

// Verifier tells whether what it reads is a whole chain.
type Verifier struct {
	// Repeats: a line may come again as it was, as from a sink that sends at least once.
	Repeats bool

	Found
	head   Head
	recent []Head // of the last lines, where they may come again
}

// Found is what a chain has.
type Found struct {
	Lines, Repeated, Torn, Gaps int
	First                       uint64 // the number of the first line
	Last                        Head
}

// maxRecent is how far back a line that comes again may be.
const maxRecent = 10_000

// BrokenError says which line does not fit, counted from 1 in its file, and why.
type BrokenError struct {
	Line int
	Why  string
}

// Error implements error.
func (e *BrokenError) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Why) }

// Read reads a file that goes on from those before. It returns a *BrokenError for the first
// line that does not fit, or the error of reading.
func (v *Verifier) Read(from io.Reader) error {
	r := bufio.NewReaderSize(from, MaxLine+1)
	var torn *BrokenError // by the lines before, unless the next says that they were torn
	parts := sha256.New()
	for n := 1; ; n++ {
		text, err := r.ReadSlice('\n')
		switch {
		case err == io.EOF && len(text) == 0:
			if torn != nil {
				return torn
			}
			return nil
		case err == io.EOF:
			return &BrokenError{n, "it does not end: it was broken off while it was written, or its end was taken away"}
		case errors.Is(err, bufio.ErrBufferFull):
			return &BrokenError{n, errForm.Error()}
		case err != nil:
			return err
		}
		text = text[:len(text)-1]
		line, err := Parse(text)
		switch {
		case errors.Is(err, errForm) && torn == nil:
			torn = &BrokenError{n, whyNoLine(text)}
			parts.Reset()
			parts.Write(text)
			continue
		case errors.Is(err, errForm):
			parts.Write([]byte("\n"))
			parts.Write(text)
			continue
		case torn != nil && (err != nil || line.Mark != MarkTorn || line.Torn != hex.EncodeToString(parts.Sum(nil))):
			return torn
		case torn != nil:
			torn = nil
			v.Torn++
		}
		if err == nil {
			err = v.take(line)
		}
		if err != nil {
			return &BrokenError{n, err.Error()}
		}
	}
}

// whyNoLine says what a text is that is no line: an entry of an export is likely, since it is
// of the same log.
func whyNoLine(text []byte) string {
	var members map[string]json.RawMessage
	if json.Unmarshal(text, &members) == nil && members["seq"] == nil && members["hash"] == nil &&
		members["id"] != nil && members["at"] != nil && members["action"] != nil {
		return "it is an entry as audit export writes it. An export has no chain of hashes and cannot be verified; what an audit_sink wrote can"
	}
	return errForm.Error()
}

// take takes a line whose hash is right.
func (v *Verifier) take(line Line) error {
	begins := v.head == Head{}
	switch {
	case begins && line.Mark != MarkContinues && (line.Seq != 1 || line.Prev != Origin):
		return fmt.Errorf("it is the first here, and says that it is number %d: lines before it are missing", line.Seq)
	case begins:
		v.First = line.Seq
	case line.Seq == v.head.Seq+1 && line.Prev == v.head.Hash:
	case v.Repeats && slices.Contains(v.recent, line.Head):
		v.Repeated++
		return nil
	default:
		return fmt.Errorf("it is number %d and does not follow number %d, which is before it: lines are missing, were put in or change places", line.Seq, v.head.Seq)
	}
	v.head = line.Head
	v.Lines, v.Last = v.Lines+1, line.Head
	if line.Mark == MarkGap {
		v.Gaps++
	}
	if v.Repeats {
		if len(v.recent) == maxRecent {
			v.recent = slices.Delete(v.recent, 0, maxRecent/2)
		}
		v.recent = append(v.recent, line.Head)
	}
	return nil
}
