package proof

import "time"

// Message is a request as it arrived.
type Message struct {
	Method string
	// PublicURL is what stands before the path in the URL that the vendor posted to, such as
	// "https://hooks.example.com". It is needed where Verifier.NeedsURL.
	PublicURL string
	// Path and RawQuery are as they were sent, percent-encoding and all, the token included.
	Path, RawQuery string
	// Header has canonical names, as http.Header has.
	Header map[string][]string
	// Body may be absent for Head.
	Body []byte
	// Arrived is when the header had arrived.
	Arrived time.Time
}

// Result is what came of a proof. Its text is that of logs and metrics.
type Result string

const (
	OK           Result = "ok"
	OldSecret    Result = "old_secret" // in place of OK, where another secret than the first verified
	Missing      Result = "missing"    // a signature, timestamp or id is absent or empty
	Malformed    Result = "malformed"  // it cannot be read, or stands twice
	TimestampOld Result = "timestamp_old"
	TimestampNew Result = "timestamp_new"
	Mismatch     Result = "mismatch"
)

// Proven reports whether the request is the vendor's.
func (r Result) Proven() bool { return r == OK || r == OldSecret }

// Verdict is a result, and which status a request that is not proven is refused with.
type Verdict struct {
	Result Result
	Refuse int
	by     *Verifier
}

// Event is what a replay of a proven request is recognised by. Both fields are digests of a
// fixed length, or empty.
type Event struct {
	// ID is of the event's own identity, which a vendor's retry has too.
	ID string
	// Signed is of the signed bytes. It is empty where ID is of signed bytes itself, so that a
	// replay cannot have another; and under `equal`.
	Signed string
}

// Secret is one that a vendor may prove itself with.
type Secret struct {
	Value string
	// Until is when it ends, for a secret that was replaced; zero: never.
	Until time.Time
}
