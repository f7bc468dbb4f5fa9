package store

import (
	"context"
	"fmt"
	"net/netip"
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
	// Address is from where the operator asked; zero where it is not known.
	Address netip.Addr
	// Label is what the credential was called after the change.
	Label string
	// Detail says what exactly: the operation and code of a refusal, the new credential
	// of a rotation, the counts of an import.
	Detail string
	// Changes are what was changed of a credential, a JSON object of Change by field; "" where
	// nothing was that a change tells of.
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
	label      string
	detail     string
	changes    string
}

// noteOf returns the note of an action on a credential.
func noteOf(action string, c *credential.Credential) auditNote {
	return auditNote{action: action, credential: c.ID, kind: c.Kind, label: c.Label}
}

// updateNote returns the note of a change of a credential from one state to another.
func updateNote(before, after *credential.Credential) auditNote {
	note := noteOf(ActionUpdate, after)
	note.changes = changesOf(before, after)
	return note
}

// with returns the note with a detail.
func (n auditNote) with(detail string) auditNote {
	n.detail = detail
	return n
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
	auditAddress    = "ip"
	auditLabel      = "l"
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
		{auditAddress, addressOrEmpty(o.Address)}, {auditLabel, n.label},
	} {
		if f[1] != "" {
			// The audit log leaves the process, and a token that an operator typed in it may be
			// live, or become so again.
			fields = append(fields, f[0], credential.WithoutTokens(f[1]))
		}
	}
	return fields
}

func addressOrEmpty(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
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
	if _, err := b.scripts.Run(ctx, auditScript, 0, []string{s.keys.audit(tenant), s.keys.trimmed(tenant), s.keys.outbox()}, args); err != nil {
		return unavailable("write the audit log", err)
	}
	return nil
}

func parseAudit(tenant uuid.UUID, message redis.XMessage) (AuditEntry, error) {
	text := func(field string) string {
		value, _ := message.Values[field].(string)
		return value
	}
	entry := AuditEntry{
		ID: message.ID, Tenant: tenant, Actor: text(auditActor), Action: text(auditAction), Kind: credential.Kind(text(auditKind)),
		Reason: text(auditReason), RequestID: text(auditRequest), Detail: text(auditDetail), Changes: text(auditChanges),
		Label: text(auditLabel),
	}
	at, err := redisconn.ParseMillis(text("at"))
	if err != nil {
		return entry, err
	}
	entry.At = at
	if address := text(auditAddress); address != "" {
		if entry.Address, err = netip.ParseAddr(address); err != nil {
			return entry, credential.ErrCorrupt
		}
	}
	if id := text(auditCredential); id != "" {
		if entry.Credential, err = uuid.Parse(id); err != nil {
			return entry, credential.ErrCorrupt
		}
	}
	return entry, nil
}
