package handlers

import (
	"net/http"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/hookgate/hookgate/caddymodule/vars"
	"github.com/hookgate/hookgate/gate"
	"github.com/hookgate/hookgate/problem"
)

// refuse answers a request that no guard answers with a problem, and writes one log line
// about it.
func refuse(logger *zap.Logger, w http.ResponseWriter, r *http.Request, p problem.Problem, level zapcore.Level, message string, fields ...zap.Field) error {
	id := vars.RequestID(r)
	fields = append(fields, zap.String("request_id", id), zap.Int("status", p.Status), zap.String("route", "-"))
	if client := vars.Peer(r).Client; client.IsValid() {
		fields = append(fields, zap.Stringer("client_ip", client))
	}
	logger.Log(level, message, fields...)
	if !r.ProtoAtLeast(1, 1) {
		w.Header().Set("Connection", "close") // for the reason that a Gate has
	}
	return gate.Refuse(w, r, p, id)
}
