package senders

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/hookgate/hookgate/internal/process"
	"github.com/hookgate/hookgate/test/hookgatetest"
)

// request is what a sender is told to send.
type request struct {
	URL     string            `json:"url"`
	Headers map[string]string `json:"headers"`
	How     string            `json:"how"`
	File    string            `json:"file,omitempty"`
	Form    map[string]string `json:"form,omitempty"`
	Pause   int               `json:"pause,omitempty"`
	Expect  bool              `json:"expect,omitempty"`
}

// answer is what a sender's user gets to see.
type answer struct {
	Status int    `json:"status"`
	Body   string `json:"body"`
	Error  string `json:"error"`
}

// worker is a sender's program, which runs as long as the test of the sender.
type worker struct {
	version string // as the program tells it
	process *process.Process
	input   *os.File
	lines   chan []byte
	errors  process.Output
}

// startWorker runs a sender's program.
func startWorker(t *testing.T, command []string) (*worker, error) {
	stdin, input, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	outputs, stdout, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	w := &worker{input: input, lines: make(chan []byte)}
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, stdout, &w.errors
	w.process, err = process.Start(cmd)
	stdin.Close()
	stdout.Close()
	t.Cleanup(func() { input.Close(); outputs.Close() })
	if err != nil {
		return nil, err
	}
	t.Cleanup(w.process.Kill)
	go func() {
		defer close(w.lines)
		lines := bufio.NewReader(outputs)
		for {
			line, err := lines.ReadBytes('\n')
			if err != nil {
				return
			}
			w.lines <- line
		}
	}()
	var hello struct{ Version string }
	if err := w.read(&hello); err != nil {
		return nil, err
	}
	w.version = hello.Version
	return w, nil
}

// running reports whether the program can be told more.
func (w *worker) running() bool {
	select {
	case <-w.process.Ended():
		return false
	default:
		return true
	}
}

// send has the sender make requests with one client, and returns their answers.
func (w *worker) send(requests []request) ([]answer, error) {
	line, err := json.Marshal(map[string]any{"requests": requests})
	if err != nil {
		return nil, err
	}
	if _, err := w.input.Write(append(line, '\n')); err != nil {
		return nil, fmt.Errorf("the sender has ended: %w: %s", err, w.errors.String())
	}
	var reply struct{ Answers []answer }
	if err := w.read(&reply); err != nil {
		return nil, err
	}
	if len(reply.Answers) != len(requests) {
		return nil, fmt.Errorf("%d answers to %d requests", len(reply.Answers), len(requests))
	}
	return reply.Answers, nil
}

// read reads a line of the program. One that does not come ends the program.
func (w *worker) read(into any) error {
	select {
	case line, ok := <-w.lines:
		if !ok {
			w.process.Kill()
			return fmt.Errorf("the sender has ended: %s", w.errors.String())
		}
		if err := json.Unmarshal(bytes.TrimSpace(line), into); err != nil {
			return fmt.Errorf("%w: %q", err, line)
		}
		return nil
	case <-time.After(hookgatetest.Patience):
		w.process.Kill()
		return fmt.Errorf("the sender says nothing for %v: %s", hookgatetest.Patience, w.errors.String())
	}
}
