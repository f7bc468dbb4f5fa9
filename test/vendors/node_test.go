package vendors

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/hookgate/hookgate/internal/process"
	"github.com/hookgate/hookgate/test/hookgatetest"
)

// requireEnv, set to 1, makes missing libraries fail the test instead of skipping it.
const requireEnv = "HOOKGATE_REQUIRE_VENDORS"

// node is the program that calls the libraries for Node.
type node struct {
	process *process.Process
	input   *os.File
	lines   chan []byte
	errors  process.Output
}

// nodeLibraries starts the program, which runs as long as the test, and returns what it
// calls. Their names begin with "npm ".
func nodeLibraries(t *testing.T) []library {
	t.Helper()
	missing := t.Skipf
	if os.Getenv(requireEnv) == "1" {
		missing = t.Fatalf
	}
	if _, err := os.Stat("node/node_modules"); err != nil {
		missing("the libraries are missing, `make vendors-deps` installs them: %v", err)
	}
	stdin, input, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	outputs, stdout, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { input.Close(); outputs.Close() })
	n := &node{input: input, lines: make(chan []byte)}
	cmd := exec.Command("node", "vendors.js")
	cmd.Dir, cmd.Stdin, cmd.Stdout, cmd.Stderr = "node", stdin, stdout, &n.errors
	n.process, err = process.Start(cmd)
	stdin.Close()
	stdout.Close()
	if err != nil {
		missing("Node is missing: %v", err)
	}
	t.Cleanup(n.process.Kill)
	go func() {
		defer close(n.lines)
		for lines := bufio.NewReader(outputs); ; {
			line, err := lines.ReadBytes('\n')
			if err != nil {
				return
			}
			n.lines <- line
		}
	}()
	var hello struct {
		Version   string
		Libraries []struct {
			Name         string
			Sign, Verify bool
		}
	}
	if err := n.read(&hello); err != nil {
		t.Fatal(err)
	}
	t.Log(hello.Version)
	var all []library
	for _, named := range hello.Libraries {
		l := library{name: "npm " + named.Name}
		if named.Sign {
			l.sign = func(c call) (message, error) { return n.sign(named.Name, c) }
		}
		if named.Verify {
			l.verify = func(c call) error { return n.verify(named.Name, c) }
		}
		all = append(all, l)
	}
	return all
}

// answer is what came of a call.
type answer struct {
	Headers map[string]string
	Body    *string
	OK      bool
	Error   string
}

func (n *node) sign(name string, c call) (message, error) {
	a, err := n.ask("sign", name, c)
	if err != nil {
		return message{}, err
	}
	if a.Error != "" {
		return message{}, errors.New(a.Error)
	}
	signed := c.message.clone()
	for name, value := range a.Headers {
		signed.header.Set(name, value)
	}
	if a.Body != nil {
		signed.body = *a.Body
	}
	return signed, nil
}

func (n *node) verify(name string, c call) error {
	a, err := n.ask("verify", name, c)
	switch {
	case err != nil:
		return err
	case !a.OK:
		return errors.New(a.Error)
	}
	return nil
}

func (n *node) ask(op, name string, c call) (a answer, err error) {
	line, err := json.Marshal(map[string]any{
		"lib": name, "op": op, "scheme": c.scheme, "secret": c.secret, "method": c.method, "url": c.url,
		"headers": lowerCase(c.header), "body": c.body, "id": c.id, "timestamp": c.at.Unix(), "now": c.now.Unix(),
	})
	if err != nil {
		return a, err
	}
	if _, err := n.input.Write(append(line, '\n')); err != nil {
		return a, fmt.Errorf("node has ended: %w: %s", err, n.errors.String())
	}
	return a, n.read(&a)
}

// lowerCase has headers as Node's servers have them.
func lowerCase(header http.Header) map[string]string {
	all := map[string]string{}
	for name, values := range header {
		all[strings.ToLower(name)] = strings.Join(values, ", ")
	}
	return all
}

// read reads a line of the program. One that does not come ends the program.
func (n *node) read(into any) error {
	select {
	case line, ok := <-n.lines:
		if !ok {
			n.process.Kill()
			return fmt.Errorf("node has ended: %s", n.errors.String())
		}
		if err := json.Unmarshal(line, into); err != nil {
			return fmt.Errorf("%w: %q", err, line)
		}
		return nil
	case <-time.After(hookgatetest.Patience):
		n.process.Kill()
		return fmt.Errorf("node says nothing for %v: %s", hookgatetest.Patience, n.errors.String())
	}
}
