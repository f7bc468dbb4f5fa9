package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/hookgate/hookgate/admin/api"
)

// importServer answers as the admin API does to an import, and counts the requests.
func importServer(t *testing.T, requests *[]int) *operatorClient {
	return clientOf(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var asked struct{ Credentials []struct{ Digest string } }
		if err := json.Unmarshal(body, &asked); err != nil || len(asked.Credentials) > importLines || len(body) > importBytes+(1<<10) {
			t.Errorf("%d bytes: %v", len(body), err)
		}
		if err != nil {
			t.Error(err)
		}
		*requests = append(*requests, len(asked.Credentials))
		var results []api.ImportResult
		for _, c := range asked.Credentials {
			switch c.Digest {
			case "taken":
				results = append(results, api.ImportResult{Status: "refused", Code: "HKG-2013", Detail: "No."})
			case "there":
				results = append(results, api.ImportResult{Status: "exists", ID: "1"})
			default:
				results = append(results, api.ImportResult{Status: "created", ID: "2"})
			}
		}
		json.NewEncoder(w).Encode(map[string]any{"results": results})
	})
}

func imported(client *operatorClient, output, lines string) (out, summary string, err error) {
	var results, counts strings.Builder
	err = (&importer{client: client, out: &results, output: output}).run(context.Background(), strings.NewReader(lines), &counts)
	return results.String(), counts.String(), err
}

func TestImportReportsEachLine(t *testing.T) {
	const lines = `{"kind":"callback","digest":"new","metadata":{"n":123456789012345678901}}
{"kind":"callback","digest":"mcb_secret-in-the-wrong-place"
{"kind":"callback","digest":"taken"}

{"kind":"callback","digest":"x","status":"revoked"}
{"kind":"callback","digest":"x","kind":"webhook"}
{"kind":"callback","digest":7}
["callback"]
{"kind":"callback","digest":"x","verify":{"scheme":"stripe","whsec_canary":1}}
{"kind":"callback","mcb_canary":"x"}
  {"kind":"webhook","digest":"there"}  `
	var requests []int
	out, summary, err := imported(importServer(t, &requests), outputTable, lines)
	want := `line 1: created 2
line 2: invalid not a JSON object
line 3: refused HKG-2013 No.
line 5: invalid unknown member "status"
line 6: invalid a member is given twice
line 7: invalid member "digest" has the wrong type
line 8: invalid not a JSON object
line 9: invalid unknown member in verify
line 10: invalid unknown member "mcb_******"
line 11: exists 1
`
	if out != want || summary != "1 created, 1 there already, 1 refused, 7 invalid\n" || err == nil {
		t.Errorf("%s%s%v", out, summary, err)
	}
	if len(requests) != 1 || requests[0] != 3 {
		t.Errorf("sent %v", requests)
	}
	out, _, _ = imported(importServer(t, &requests), outputJSON, lines)
	var second importResult
	if got := strings.Split(out, "\n"); len(got) != 11 || json.Unmarshal([]byte(got[1]), &second) != nil || second != (importResult{2, "invalid", "", "", "not a JSON object"}) {
		t.Errorf("%s", out)
	}
}

func TestImportSendsBatches(t *testing.T) {
	var lines strings.Builder
	for range importLines + 1 {
		fmt.Fprintln(&lines, `{"kind":"callback","digest":"new"}`)
	}
	var requests []int
	if out, _, err := imported(importServer(t, &requests), outputTable, lines.String()); err != nil || strings.Count(out, "created") != importLines+1 {
		t.Errorf("%v: %s", err, out)
	}
	if fmt.Sprint(requests) != fmt.Sprint([]int{importLines, 1}) {
		t.Errorf("sent %v", requests)
	}
	lines.Reset()
	requests = nil
	for range 20 {
		fmt.Fprintf(&lines, `{"kind":"callback","digest":"new","label":"%s"}`+"\n", strings.Repeat("x", 60<<10))
	}
	if _, _, err := imported(importServer(t, &requests), outputTable, lines.String()); err != nil || len(requests) != 3 {
		t.Errorf("sent %v, %v", requests, err)
	}
	_, summary, err := imported(importServer(t, &requests), outputTable, `{"kind":"callback","digest":"new"}`+"\n"+strings.Repeat("x", maxImportLine+1))
	if err == nil || !strings.Contains(err.Error(), "longer than 64 KiB") || !strings.HasPrefix(summary, "1 created") {
		t.Errorf("%s%v", summary, err)
	}
}

func TestImportStopsWhereTheServerFails(t *testing.T) {
	var lines strings.Builder
	for range 2 * importLines {
		fmt.Fprintln(&lines, `{"kind":"callback","digest":"new"}`)
	}
	var requests []int
	working := importServer(t, &requests)
	client := clientOf(t, func(w http.ResponseWriter, r *http.Request) {
		if len(requests) == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
			io.WriteString(w, `{"code":"HKG-2503","detail":"Down."}`)
			return
		}
		response, err := http.Post(working.base.String(), "application/json", r.Body)
		if err != nil {
			t.Error(err)
			return
		}
		defer response.Body.Close()
		io.Copy(w, response.Body)
	})
	out, _, err := imported(client, outputTable, lines.String())
	if strings.Count(out, "created") != importLines || err == nil ||
		!strings.Contains(err.Error(), fmt.Sprintf("from line %d on", importLines+1)) || !strings.Contains(err.Error(), "HKG-2503") {
		t.Errorf("%d lines, %v", strings.Count(out, "\n"), err)
	}
}
