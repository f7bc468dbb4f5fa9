package handlers

import (
	"net/http"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"github.com/google/uuid"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/hookgate/hookgate/gate"
	"github.com/hookgate/hookgate/problem"
)

// refuse answers a request that no guard answers with a problem, and writes one log line
// about it, with the same request id.
func refuse(logger *zap.Logger, w http.ResponseWriter, r *http.Request, p problem.Problem, level zapcore.Level, message string, fields ...zap.Field) error {
	requestID, err := uuid.NewV7()
	if err != nil {
		return caddyhttp.Error(http.StatusInternalServerError, err)
	}
	logger.Log(level, message, append(fields, zap.Stringer("request_id", requestID), zap.Int("status", p.Status))...)
	if !r.ProtoAtLeast(1, 1) {
		w.Header().Set("Connection", "close") // for the reason that a Gate has
	}
	return gate.Refuse(w, r, p, requestID.String())
}
