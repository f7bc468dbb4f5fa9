package trail

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/hookgate/hookgate/admin/api"
	"github.com/hookgate/hookgate/internal/auditchain"
	"github.com/hookgate/hookgate/store"
)

// entryLine is an entry as it leaves. The chain puts seq and prev in front, and hash behind.
type entryLine struct {
	Tenant string `json:"tenant"`
	api.AuditEntry
	Position string `json:"position"`
}

// markLine is a line that is no entry.
type markLine struct {
	At       time.Time `json:"at"`
	Mark     string    `json:"mark"`
	Torn     string    `json:"torn,omitempty"`
	Lost     uint64    `json:"lost,omitempty"` // how many entries are gone
	Tenant   string    `json:"tenant,omitempty"`
	ID       string    `json:"id,omitempty"`
	Detail   string    `json:"detail,omitempty"`
	Position string    `json:"position"`
}

// place is how far a sink is: its last line, and where in the outbox that came from.
type place struct {
	auditchain.Head
	store.OutboxPosition
}

// position is a place in the outbox as a line has it.
func position(p store.OutboxPosition) string {
	return p.ID + "/" + strconv.FormatUint(p.Number, 10)
}

func parsePosition(text string) (store.OutboxPosition, bool) {
	id, number, ok := strings.Cut(text, "/")
	n, err := strconv.ParseUint(number, 10, 64)
	ms, rest, dashed := strings.Cut(id, "-")
	for _, part := range []string{ms, rest} {
		if _, err := strconv.ParseUint(part, 10, 64); err != nil {
			dashed = false
		}
	}
	if id == "" && n == 0 { // before the first entry
		return store.OutboxPosition{}, ok && err == nil
	}
	return store.OutboxPosition{ID: id, Number: n}, ok && dashed && err == nil
}

// seal adds a line to lines.
func (p *place) seal(lines [][]byte, content any) ([][]byte, error) {
	var object bytes.Buffer
	encoder := json.NewEncoder(&object)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(content); err != nil {
		return lines, err
	}
	line, next, err := p.Head.Seal(object.Bytes())
	if err != nil {
		return lines, err
	}
	p.Head = next
	return append(lines, line), nil
}

// batch is lines that are sent together.
type batch struct {
	lines [][]byte
	size  int // of lines, in bytes
	next  place
	lost  uint64 // entries that are gone
}

// batchOf makes lines of entries, of one at least and about maxBatch bytes. What it makes of
// the same entries behind the same place is the same, to the byte: a line that comes again
// is known as the one it was. limit is how long a line may be, 0 for any length.
func batchOf(from place, entries []store.OutboxEntry, limit int) (batch, error) {
	b := batch{next: from}
	for i := range entries {
		if err := b.add(&entries[i], limit); err != nil {
			return b, err
		}
		if b.size >= maxBatch {
			break
		}
	}
	return b, nil
}

// add adds the line of an entry, and before it one that tells of entries that are gone.
func (b *batch) add(e *store.OutboxEntry, limit int) error {
	before := b.next.OutboxPosition
	b.next.OutboxPosition = e.OutboxPosition
	at, where := timeOf(e), position(e.OutboxPosition)
	if gap, ok := gapBetween(before, e); ok {
		gap.At, gap.Position = at, where
		b.lost += gap.Lost
		if err := b.seal(gap); err != nil {
			return err
		}
	}
	if e.Begun {
		return nil
	}
	omitted := markLine{At: at, Mark: auditchain.MarkOmitted, ID: e.AuditEntry.ID, Position: where}
	if e.Unreadable {
		omitted.Detail = "the entry cannot be read"
		return b.seal(omitted)
	}
	without := *b
	err := b.seal(entryLine{Tenant: e.Tenant.String(), AuditEntry: Show(&e.AuditEntry), Position: where})
	switch {
	case err != nil:
		omitted.Detail = "the entry cannot be written as JSON"
	case limit > 0 && len(b.lines[len(b.lines)-1]) > limit:
		omitted.Detail = "the entry is too long for a datagram"
	default:
		return nil
	}
	*b, omitted.Tenant = without, e.Tenant.String()
	return b.seal(omitted) // one entry must not hold up the others
}

// seal adds a line.
func (b *batch) seal(content any) error {
	lines, err := b.next.seal(b.lines, content)
	if err == nil {
		b.lines = lines
		b.size += len(lines[len(lines)-1])
	}
	return err
}

// timeOf returns when an entry was made. The id of one that cannot be read says so, too.
func timeOf(e *store.OutboxEntry) time.Time {
	if ms, _, ok := strings.Cut(e.OutboxPosition.ID, "-"); ok && e.At.IsZero() {
		if n, err := strconv.ParseInt(ms, 10, 64); err == nil {
			return time.UnixMilli(n).UTC()
		}
	}
	return e.At
}

// gapBetween tells what is missing before an entry.
func gapBetween(before store.OutboxPosition, e *store.OutboxEntry) (markLine, bool) {
	gap := markLine{Mark: auditchain.MarkGap}
	switch {
	case before.ID == "" || e.Number == before.Number+1:
		return gap, false
	case e.Begun || e.Number <= before.Number:
		gap.Detail = "the data set is another one, or lost its newest entries; what it had that was not sent is gone"
	default:
		gap.Lost = e.Number - before.Number - 1
		gap.Detail = fmt.Sprintf("%d entries are gone: audit_keep kept no more", gap.Lost)
	}
	return gap, true
}
