// Go-net-http posts webhooks as users of net/http do.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/url"
	"os"
	"runtime"
	"strings"
	"time"
)

type request struct {
	URL     string
	Headers map[string]string
	How     string
	File    string
	Form    map[string]string
	Pause   time.Duration
	Expect  bool
}

type answer struct {
	Status int    `json:"status"`
	Body   string `json:"body"`
	Error  string `json:"error,omitempty"`
}

// pieces is a body that is read as it becomes known.
type pieces struct {
	io.Reader
	pause time.Duration
}

func (p pieces) Read(b []byte) (int, error) {
	time.Sleep(p.pause)
	return p.Reader.Read(b)
}

func (r request) body() (io.Reader, error) {
	switch r.How {
	case "length":
		text, err := os.ReadFile(r.File)
		return strings.NewReader(string(text)), err
	case "chunked":
		file, err := os.Open(r.File)
		// Read in pieces of 32 KiB.
		return pieces{file, r.Pause * time.Millisecond / 2}, err
	case "form":
		form := make(url.Values)
		for name, value := range r.Form {
			form.Set(name, value)
		}
		return strings.NewReader(form.Encode()), nil
	}
	return nil, nil
}

func (r request) post(client *http.Client) (answer, error) {
	body, err := r.body()
	if err != nil {
		return answer{}, err
	}
	post, err := http.NewRequest(http.MethodPost, r.URL, body)
	if err != nil {
		return answer{}, err
	}
	if r.How == "form" {
		post.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if r.Expect {
		post.Header.Set("Expect", "100-continue")
	}
	for name, value := range r.Headers {
		post.Header.Set(name, value)
	}
	response, err := client.Do(post)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return answer{Status: response.StatusCode, Body: string(text)}, err
}

func main() {
	fmt.Printf("{\"version\": \"net/http of %s\"}\n", runtime.Version())
	lines := bufio.NewReader(os.Stdin)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return
		}
		var all struct{ Requests []request }
		if err := json.Unmarshal(line, &all); err != nil {
			log.Fatal(err)
		}
		transport := &http.Transport{ExpectContinueTimeout: 10 * time.Second}
		client := &http.Client{Transport: transport, Timeout: 30 * time.Second}
		var answers []answer
		for _, r := range all.Requests {
			a, err := r.post(client)
			if err != nil {
				a = answer{Error: err.Error()}
			}
			answers = append(answers, a)
		}
		transport.CloseIdleConnections()
		json.NewEncoder(os.Stdout).Encode(map[string]any{"answers": answers})
	}
}
