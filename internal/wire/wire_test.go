package wire

import (
	"io"
	"testing"
)

// TestBodyOutlivesItsRequest: the next request on the connection takes the place of this one,
// and a transport that has been answered early may not have read all of it.
func TestBodyOutlivesItsRequest(t *testing.T) {
	buffer := []byte("first")
	r := Request{Method: "POST", Path: "/", Length: len(buffer), Body: buffer}
	made := r.HTTP()
	copy(buffer, "other")
	if got, err := io.ReadAll(made.Body); string(got) != "first" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}
