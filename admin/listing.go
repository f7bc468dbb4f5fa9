package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// listOutput is an answer that is written while the list is read.
type listOutput struct {
	Body func(huma.Context)
}

// pageTimeout is how long a client may take for one page of a whole list. Whoever reads
// no faster must not keep the others from theirs.
const pageTimeout = 10 * time.Second

// documentList describes the answer of an operation that lists: huma cannot tell it from
// a function.
func documentList[List any](a *admin, path string) {
	api := a.huma.OpenAPI()
	api.Paths[path].Get.Responses["200"].Content = map[string]*huma.MediaType{
		"application/json": {Schema: api.Components.Schemas.Schema(reflect.TypeFor[List](), true, "")},
	}
}

// jsonLines is the media type of JSON lines, by the name that most programs know.
const jsonLines = "application/x-ndjson"

// documentLines describes the answer of an operation that lists as JSON lines.
func documentLines[Entry any](a *admin, path string) {
	api := a.huma.OpenAPI()
	api.Paths[path].Get.Responses["200"].Content = map[string]*huma.MediaType{
		jsonLines: {Schema: api.Components.Schemas.Schema(reflect.TypeFor[Entry](), true, "")},
	}
}

// listing writes a JSON object with one list, or JSON lines, entry by entry, so that it is never in
// memory as a whole and one entry that cannot be written does not hide the others.
type listing struct {
	x       *exchange
	log     *slog.Logger
	member  string // of the object, that holds the list; "" for JSON lines
	page    bytes.Buffer
	begun   bool
	entries int
}

// listed returns an answer whose list read adds to the listing it is given, page by page.
// It returns the cursor of the next page, if the list goes on.
func (a *admin) listed(ctx context.Context, member string, read func(*listing) (next string, err error)) *listOutput {
	return &listOutput{Body: func(huma.Context) {
		l := &listing{x: exchangeOf(ctx), log: a.log, member: member}
		next, err := read(l)
		if err == nil {
			err = l.end(next)
		}
		switch {
		case err == nil:
		case !l.begun:
			a.problemOf(ctx, err).write(l.x)
		default:
			// The status is sent. All that can still tell the client is the connection.
			a.log.Error("an answer was cut in the middle of a list", slog.String("request_id", l.x.id.String()),
				slog.String("operation", l.x.operation), slog.Any("error", err))
			panic(http.ErrAbortHandler)
		}
	}}
}

// add puts an entry into the page.
func (l *listing) add(entry any) {
	before := l.page.Len()
	switch {
	case l.member == "":
	case l.entries == 0:
		l.page.WriteString(`{"` + l.member + `":[`)
	default:
		l.page.WriteByte(',')
	}
	encoder := json.NewEncoder(&l.page)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(entry); err != nil {
		l.page.Truncate(before)
		l.log.Error("an entry that cannot be shown is left out of a list",
			slog.String("request_id", l.x.id.String()), slog.String("operation", l.x.operation))
		return
	}
	if l.member != "" {
		l.page.Truncate(l.page.Len() - 1) // the line feed
	}
	l.entries++
}

func (l *listing) begin() {
	if l.begun {
		return
	}
	l.begun = true
	mediaType := "application/json"
	if l.member == "" {
		mediaType = jsonLines
	}
	l.x.Header().Set("Content-Type", mediaType)
	l.x.WriteHeader(http.StatusOK)
}

// flush sends the page.
func (l *listing) flush() error {
	if l.page.Len() == 0 {
		return nil
	}
	l.begin()
	// Not every ResponseWriter has deadlines; the server's own then apply.
	_ = http.NewResponseController(l.x).SetWriteDeadline(time.Now().Add(pageTimeout))
	_, err := l.x.Write(l.page.Bytes())
	l.page.Reset()
	return err
}

// end sends what is left.
func (l *listing) end(next string) error {
	if l.member == "" {
		l.begin() // there may be no line
		return l.flush()
	}
	if l.entries == 0 {
		l.page.WriteString(`{"` + l.member + `":[`)
	}
	l.page.WriteByte(']')
	if next != "" {
		l.page.WriteString(`,"nextCursor":"` + next + `"`) // base64
	}
	l.page.WriteByte('}')
	return l.flush()
}
