package gate

import (
	"net/http"

	"github.com/hookgate/hookgate/guard"
)

// WithRequestID returns w for answers that are to have the id of their request, and no
// other: an upstream knows ours, and one of its own would be in no log of this process.
func WithRequestID(w http.ResponseWriter, id string) http.ResponseWriter {
	return &identified{ResponseWriter: w, id: id}
}

type identified struct {
	http.ResponseWriter
	id       string
	answered bool
}

// WriteHeader implements http.ResponseWriter. It says the id as late as this, since
// proxies clear the header around an interim answer.
func (a *identified) WriteHeader(status int) {
	if !a.answered {
		a.answered = status >= http.StatusOK
		identify(a.Header(), status, a.id)
	}
	a.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (a *identified) Write(b []byte) (int, error) {
	if !a.answered {
		a.WriteHeader(http.StatusOK)
	}
	return a.ResponseWriter.Write(b)
}

// Unwrap serves http.ResponseController.
func (a *identified) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// identify puts the id into the header of an answer, of an interim one only in the place
// of another's.
func identify(header http.Header, status int, id string) {
	if status >= http.StatusOK || len(header[guard.HeaderRequestID]) > 0 {
		header[guard.HeaderRequestID] = []string{id}
	}
}
