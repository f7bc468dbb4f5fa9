// Command bench measures what Hookgate costs beside other ways to let webhooks in.
//
//	go run ./bench [compare] [flags]   requests, latency and CPU time
//	go run ./bench memory [flags]      what credentials and idle connections take
//	go run ./bench soak [flags]        whether anything grows under load and reloads
//	go run ./bench deaf [flags]        a flood of refusals whose clients do not read
//	go run ./bench operators [flags]   operators who list and search without pause
//
// See docs/performance.md. It says which bars are missed; it fails only where nothing
// could be measured.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	log.SetFlags(log.Ltime)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	switch err := run(ctx, os.Args[1:], os.Stdout); {
	case errors.Is(err, flag.ErrHelp):
		os.Exit(2)
	case err != nil:
		log.Fatal(err)
	}
}

var commands = map[string]func(ctx context.Context, args []string, out io.Writer) error{
	"compare": compare,
	"memory":  memory,
	"soak":    soak,
	"deaf":    deaf,

	"operators": operators,
}

func run(ctx context.Context, args []string, out io.Writer) error {
	name := "compare"
	if len(args) > 0 && args[0] != "" && args[0][0] != '-' {
		name, args = args[0], args[1:]
	}
	command, ok := commands[name]
	if !ok {
		return fmt.Errorf("no command %q", name)
	}
	return command(ctx, args, out)
}
