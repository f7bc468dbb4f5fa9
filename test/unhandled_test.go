package test

import (
	"net/http"
	"strings"
	"testing"
)

// TestNothingBehindTheGuard: what is let through and then answered by nobody must not
// look delivered.
func TestNothingBehindTheGuard(t *testing.T) {
	t.Parallel()
	g := start(t, config{store: embedded(t)})
	c := g.operator(t, tenantA, "admin").mintCallback("")
	text := g.config.text(t, g.ports)
	at := strings.Index(text, "\t"+terminal+" ")
	end := at + strings.Index(text[at:], "\n\t}\n") + len("\n\t}\n")
	g.write(text[:at] + text[end:])
	g.reload(reloaded)
	wantProblem(t, g.use(t, c), http.StatusInternalServerError, "HKG-1500")
}
