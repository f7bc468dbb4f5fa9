package admin

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"

	"github.com/google/uuid"

	"github.com/hookgate/hookgate/admin/bearer"
)

// exchange is one request and its answer: it names the request, remembers which
// operation it turned out to be, and watches the status that is sent.
type exchange struct {
	http.ResponseWriter
	log       *slog.Logger
	id        uuid.UUID
	operation string
	client    netip.Addr // zero where it is not known
	status    int        // 0 until something was sent
	code      string     // of the problem that was sent, "" for other answers
	refused   uuid.UUID  // the tenant of the operator who was refused, where known

	operator bearer.Operator // zero until authorised
	// authorization is the header that proves the operator, as it came.
	authorization string
	answered      bool   // the whole answer was sent: what huma adds is dropped
	body          []byte // of the request, once it is read
	once          idempotency
	rpc           bool // errors are in PostgREST's form
}

// noOperation is the operation of a request that reached none. What a client asks
// for never becomes a metric label.
const noOperation = "none"

type exchangeKey struct{}

func (x *exchange) attach(r *http.Request) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), exchangeKey{}, x))
}

// exchangeOf returns the exchange of a request that came through the front.
func exchangeOf(ctx context.Context) *exchange { return ctx.Value(exchangeKey{}).(*exchange) }

// refuse sends a problem in the form that the caller reads.
func (x *exchange) refuse(d *detail) {
	if x.rpc {
		asRPC(d).write(x)
		return
	}
	d.write(x)
}

// instance is the request id as a URI.
func (x *exchange) instance() string { return x.id.URN() }

// WriteHeader sends the status once; huma sets a second one where the client went
// away in the middle of an answer.
func (x *exchange) WriteHeader(status int) {
	if x.status == 0 {
		x.status = status
		x.ResponseWriter.WriteHeader(status)
	}
}

func (x *exchange) Write(b []byte) (int, error) {
	if x.answered {
		return len(b), nil
	}
	if x.status == 0 {
		x.status = http.StatusOK
	}
	return x.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (x *exchange) Unwrap() http.ResponseWriter { return x.ResponseWriter }
