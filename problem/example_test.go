package problem_test

import (
	"fmt"
	"net/http/httptest"

	"github.com/hookgate/hookgate/problem"
)

// A problem is written as an answer whose request id also stands in the log.
func ExampleProblem_Write() {
	answer := httptest.NewRecorder()
	if err := problem.Refused.Write(answer, "0199d5a4-7c1e-7b3a-9f52-6f1d2c3b4a59"); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(answer.Code, answer.Header().Get("Content-Type"), answer.Header().Get("X-Request-Id"))
	fmt.Println(answer.Body)
	// Output:
	// 401 application/problem+json 0199d5a4-7c1e-7b3a-9f52-6f1d2c3b4a59
	// {"title":"Unauthorized","status":401,"detail":"The credential is missing or not valid.","instance":"urn:uuid:0199d5a4-7c1e-7b3a-9f52-6f1d2c3b4a59","code":"HKG-1401"}
}

// The table has every code, in order.
func ExampleAll() {
	first := problem.All()[0]
	fmt.Println(first.Code, first.Status, first.Meaning)
	// Output: HKG-1400 400 The request can be read in more than one way.
}
