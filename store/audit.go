package store

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/store/redisconn"
)

// Actions in the audit log.
const (
	ActionMint    = "mint"
	ActionImport  = "import"
	ActionRotate  = "rotate"
	ActionFinish  = "finish"
	ActionUpdate  = "update"
	ActionDisable = "disable"
	ActionEnable  = "enable"
	ActionRevoke  = "revoke"
	ActionRefused = "refused" // an operator was known, and not allowed
)

// AuditEntry is one line of a tenant's audit log.
type AuditEntry struct {
	ID         string // of the entry, ordered
	At         time.Time
	Tenant     uuid.UUID
	Actor      string
	Action     string
	Credential uuid.UUID // Nil where none is concerned
	Kind       credential.Kind
	Reason     string
	RequestID  string
	// Detail says what exactly: the operation and code of a refusal, the new credential
	// of a rotation, the counts of an import.
	Detail string
	// Changes are what was changed of a credential, a JSON object of Change by field; "" for
	// other actions.
	Changes string
}

// concerns reports whether the entry is part of a credential's history. The rotation that
// made it stands under the id of the one before.
func (e AuditEntry) concerns(id uuid.UUID) bool {
	return e.Credential == id || e.Action == ActionRotate && e.Detail == id.String()
}

// auditNote is what a change says of itself.
type auditNote struct {
	action     string
	credential uuid.UUID
	kind       credential.Kind
	detail     string
	changes    string
}

// Fields of an entry in Redis; "at" is the script's to write.
const (
	auditAction     = "x"
	auditActor      = "w"
	auditCredential = "c"
	auditKind       = "k"
	auditReason     = "y"
	auditRequest    = "q"
	auditDetail     = "d"
	auditChanges    = "ch"
)

// fields returns the entry as it is stored, absent fields left out.
func (n auditNote) fields(o Origin) []string {
	if n.action == "" {
		return nil
	}
	fields := []string{auditAction, n.action}
	for _, f := range [...][2]string{
		{auditActor, o.Actor}, {auditCredential, idOrEmpty(n.credential)}, {auditKind, string(n.kind)},
		{auditReason, o.Reason}, {auditRequest, o.RequestID}, {auditDetail, n.detail}, {auditChanges, n.changes},
	} {
		if f[1] != "" {
			fields = append(fields, f[0], f[1])
		}
	}
	return fields
}

// NoteRefusal records that a verified operator was refused. Errors: ErrUnavailable.
func (s *Store) NoteRefusal(ctx context.Context, tenant uuid.UUID, detail string) error {
	return s.note(ctx, tenant, auditNote{action: ActionRefused, detail: detail})
}

// ImportCounts are what an import came to.
type ImportCounts struct{ Created, Existing, Refused int }

// NoteImport records an import. Errors: ErrUnavailable.
func (s *Store) NoteImport(ctx context.Context, tenant uuid.UUID, n ImportCounts) error {
	return s.note(ctx, tenant, auditNote{
		action: ActionImport, detail: fmt.Sprintf("created %d, exists %d, refused %d", n.Created, n.Existing, n.Refused),
	})
}

func (s *Store) note(ctx context.Context, tenant uuid.UUID, note auditNote) error {
	b, err := s.backend()
	if err != nil {
		return err
	}
	tuning := s.tuning.Load()
	args := []any{tuning.AuditKeep, tuning.AuditLife.Milliseconds()}
	for _, v := range note.fields(originOf(ctx)) {
		args = append(args, v)
	}
	if _, err := b.scripts.Run(ctx, auditScript, 0, []string{s.keys.audit(tenant), s.keys.trimmed(tenant)}, args); err != nil {
		return unavailable("write the audit log", err)
	}
	return nil
}

// AuditQuery selects entries of a tenant's audit log.
type AuditQuery struct {
	Credential uuid.UUID // its history: the rotation that made it, too; Nil for any
	Action     string    // "" for any
	Limit      int       // at most MaxPage; DefaultPage where not positive
	Cursor     string    // of the page before
}

// auditReads bounds how many entries one query looks through.
const auditReads = 50 * readBatch

// Audit returns entries of a tenant's audit log, newest first, and the cursor of the
// next page, "" after the last. A page may be short of the limit, or empty, and
// still have a next one. Errors: ErrInvalid (the cursor), ErrUnavailable.
func (s *Store) Audit(ctx context.Context, tenant uuid.UUID, q AuditQuery) ([]AuditEntry, string, error) {
	b, err := s.backend()
	if err != nil {
		return nil, "", err
	}
	limit := pageLimit(q.Limit)
	end := "+"
	if q.Cursor != "" {
		ms, rest, err := decodeCursor(q.Cursor)
		if err != nil {
			return nil, "", err
		}
		n, err := strconv.ParseUint(rest, 10, 64)
		if err != nil || ms == 0 && n == 0 { // Redis takes no 0-0
			return nil, "", errCursor
		}
		end = fmt.Sprintf("(%d-%d", ms, n)
	}
	entries := make([]AuditEntry, 0, limit)
	for read := 0; read < auditReads; {
		var messages []redis.XMessage
		err = b.askForList(ctx, func(node *redis.Client) (err error) {
			messages, err = node.XRevRangeN(ctx, s.keys.audit(tenant), end, "-", readBatch).Result()
			return err
		})
		if err != nil {
			return nil, "", unavailable("read the audit log", err)
		}
		for _, message := range messages {
			end = "(" + message.ID
			entry, err := parseAudit(tenant, message)
			if err != nil { // it must not hide the others
				s.log().Error("an entry of the audit log cannot be read and is left out", "entry", message.ID)
				continue
			}
			if q.Credential != uuid.Nil && !entry.concerns(q.Credential) || q.Action != "" && entry.Action != q.Action {
				continue
			}
			if entries = append(entries, entry); len(entries) == limit {
				return entries, encodeCursor(message.ID), nil
			}
		}
		if len(messages) < readBatch {
			return entries, "", nil
		}
		read += len(messages)
	}
	return entries, encodeCursor(end[1:]), nil
}

func parseAudit(tenant uuid.UUID, message redis.XMessage) (AuditEntry, error) {
	text := func(field string) string {
		value, _ := message.Values[field].(string)
		return value
	}
	entry := AuditEntry{
		ID: message.ID, Tenant: tenant, Actor: text(auditActor), Action: text(auditAction), Kind: credential.Kind(text(auditKind)),
		Reason: text(auditReason), RequestID: text(auditRequest), Detail: text(auditDetail), Changes: text(auditChanges),
	}
	at, err := redisconn.ParseMillis(text("at"))
	if err != nil {
		return entry, err
	}
	entry.At = at
	if id := text(auditCredential); id != "" {
		if entry.Credential, err = uuid.Parse(id); err != nil {
			return entry, credential.ErrCorrupt
		}
	}
	return entry, nil
}
