package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/hookgate/hookgate/bench/dataset"
)

// Bars for what operators may do to everybody else.
const (
	operatorsAge    = 2.0 // seconds that a keyring may be old
	operatorsChange = time.Second
	operatorsMemory = 1.5 // times what the process takes with vendors alone
)

// vendorPause is between two requests of a vendor while operators list.
const vendorPause = 5 * time.Millisecond

const (
	operatorsSecret = "bench-secret-of-32-bytes-or-more"
	otherTenant     = "22222222-2222-2222-2222-222222222222"
)

// operators measures what vendors, and other operators, notice of operators that list and
// search without pause, on two processes.
func operators(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("operators", flag.ContinueOnError)
	credentials := flags.Int("credentials", 300_000, "of the one tenant that is listed")
	clients := flags.Int("clients", 32, "of one viewer of that tenant")
	duration := flags.Duration("duration", time.Minute, "of the load")
	idle := flags.Duration("idle", settled, "how long the processes run before, and then with vendors alone")
	hookgate := flags.String("hookgate", "", "the binary to measure; by default it is built")
	strict := flags.Bool("strict", false, "fail where a bar is missed")
	if err := flags.Parse(args); err != nil {
		return err
	}
	machine := describeMachine()
	r, err := startRig(ctx, *hookgate)
	if err != nil {
		return err
	}
	defer r.end()
	sidecars, token, err := r.startSidecars(ctx, *credentials)
	if err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(*idle):
	}
	log.Printf("%d clients list %d credentials for %v", *clients, *credentials, *duration)
	u, err := r.listAll(ctx, sidecars, token, *clients, *idle, *duration)
	if err != nil {
		return err
	}
	report, missed := writeOperators(machine, *credentials, *clients, u)
	fmt.Fprint(out, report)
	if *strict && len(missed) > 0 {
		return errors.New(strings.Join(missed, "; "))
	}
	return nil
}

// startSidecars runs two processes on one Redis, and returns the token of a vendor, too.
func (r *rig) startSidecars(ctx context.Context, credentials int) (sidecars []sidecar, token string, err error) {
	binary, err := buildHookgate(ctx, r)
	if err != nil {
		return nil, "", err
	}
	redis, server, err := r.startRedis("operators-redis")
	if err != nil {
		return nil, "", err
	}
	if token, err = dataset.Mint(ctx, redis, ""); err != nil {
		return nil, "", err
	}
	if err := dataset.CopyWhole(ctx, redis, credentials); err != nil {
		return nil, "", err
	}
	for i := range 2 {
		ports := map[string]any{
			"Redis": redis, "Upstream": r.upstream, "Secret": operatorsSecret,
			"Port": freePort(), "Operators": freePort(), "Status": freePort(),
		}
		name := fmt.Sprintf("operators-%d", i)
		config, err := r.write("operators.caddyfile", name+".caddyfile", ports)
		if err != nil {
			return nil, "", err
		}
		address := loopback(ports["Port"].(int))
		p, err := r.start(name, address, binary, "run", "--adapter", "caddyfile", "--config", config)
		if err != nil {
			return nil, "", err
		}
		s := sidecar{
			&setup{name: name, url: "http://" + address, token: token, status: loopback(ports["Status"].(int)), redis: redis},
			"http://" + loopback(ports["Operators"].(int)),
		}
		s.processes = append(s.processes, p, server)
		if err := p.Await(patience, func() bool { return answers("http://" + s.status + "/readyz") }); err != nil {
			return nil, "", err
		}
		sidecars = append(sidecars, s)
	}
	return sidecars, token, nil
}

// bearer returns a token of an operator.
func bearer(tenant, role string) string {
	signed, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"sub": "bench", "tenant_id": tenant, "role": role, "exp": time.Now().Add(time.Hour).Unix(),
	}).SignedString([]byte(operatorsSecret))
	if err != nil {
		panic(err) // of a key and claims that never change
	}
	return signed
}

// withVendors returns what the processes take of memory, at most, while only vendors send.
func withVendors(ctx context.Context, u *underLists, sidecars []sidecar, tokens []string, d time.Duration) ([]float64, error) {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	var running sync.WaitGroup
	defer running.Wait()
	for _, s := range sidecars {
		for _, token := range tokens {
			running.Go(func() { u.vendor(ctx, s, token, 0) })
		}
	}
	most := make([]float64, len(sidecars))
	return most, watchMost(ctx, sidecars, most)
}

// watchMost raises most to what the processes take of memory, until ctx ends.
func watchMost(ctx context.Context, sidecars []sidecar, most []float64) error {
	for {
		now, err := memoryOf(sidecars)
		if err != nil {
			return err
		}
		for i := range now {
			most[i] = max(most[i], now[i])
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func (r *rig) listAll(ctx context.Context, sidecars []sidecar, token string, clients int, busy, d time.Duration) (*underLists, error) {
	u := new(underLists)
	admin := bearer(otherTenant, "admin")
	var others struct{ Token string }
	if status, _, err := request(ctx, admin, http.MethodPost, sidecars[0].operators+"/v1/credentials", `{"kind":"callback"}`, &others); err != nil || status != http.StatusCreated {
		return nil, fmt.Errorf("mint for the other tenant: %d, %v", status, err)
	}
	for _, s := range sidecars[1:] { // a vendor is told of its token when all know it
		u.await(ctx, s, others.Token, http.StatusOK)
	}
	var err error
	if u.memoryIdle, err = memoryOf(sidecars); err != nil {
		return nil, err
	}
	// Vendors alone already use the room that the collector has.
	if u.memoryBefore, err = withVendors(ctx, u, sidecars, []string{token, others.Token}, busy); err != nil {
		return nil, err
	}
	u.memoryAfter = make([]float64, len(sidecars))
	loaded, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	began := time.Now()
	var running sync.WaitGroup
	viewer := bearer(dataset.Tenant, "viewer")
	for i := range clients {
		running.Go(func() { u.list(loaded, sidecars[i%len(sidecars)], viewer, i) })
	}
	for i, s := range sidecars {
		running.Go(func() { u.vendor(loaded, s, token, vendorPause) })
		running.Go(func() { u.vendor(loaded, s, others.Token, vendorPause) })
		running.Go(func() { u.change(loaded, s, sidecars[(i+1)%len(sidecars)], admin) })
	}
	for _, s := range sidecars {
		running.Go(func() { u.watchAge(loaded, s) })
	}
	err = watchMost(loaded, sidecars, u.memoryAfter)
	running.Wait()
	if err != nil {
		return nil, err
	}
	u.took = time.Since(began)
	return u, ctx.Err()
}

// memoryOf returns the anonymous memory of the processes, in bytes.
func memoryOf(sidecars []sidecar) (all []float64, err error) {
	for _, s := range sidecars {
		one, err := anonymousMemory(s.processes[0].PID())
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, nil
}

// writeOperators returns a report, and the bars that were missed.
func writeOperators(machine string, credentials, clients int, u *underLists) (report string, missed []string) {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n%d clients of one viewer read every list of a tenant with %d credentials, and search it, from two processes for %v.\n\n",
		machine, clients, credentials, u.took.Round(time.Second))
	bar := func(ok bool, what string) string {
		if ok {
			return "yes"
		}
		missed = append(missed, what)
		return "no"
	}
	growth, idle, before, most := 0.0, 0.0, 0.0, 0.0
	for i := range u.memoryBefore {
		growth = max(growth, u.memoryAfter[i]/u.memoryBefore[i])
		idle = max(idle, u.memoryIdle[i])
		before, most = max(before, u.memoryBefore[i]), max(most, u.memoryAfter[i])
	}
	fails := func(t *timings) string {
		if len(t.fails) == 0 {
			return "none"
		}
		return fmt.Sprintf("%d, such as: %s", len(t.fails), t.fails[0])
	}
	table(&b, []string{"", "measured", "wanted", "met"}, func(row func(...string)) {
		row("age of a keyring, at most", fmt.Sprintf("%.2f s", u.age), "below 2 s", bar(u.age < operatorsAge && u.ageUnknown == nil, "age of a keyring"))
		row("vendors not answered 200", fmt.Sprintf("%s of %d", fails(&u.vendors), len(u.vendors.all)), "none", bar(len(u.vendors.fails) == 0 && len(u.vendors.all) > 0, "vendors"))
		row("mint of another tenant, p99", ms(u.mints.p99())+" ms", "below 1 s", bar(u.mints.p99() < operatorsChange && len(u.mints.fails) == 0, "mint: "+fails(&u.mints)))
		row("revocation of another tenant, p99", ms(u.revokes.p99())+" ms", "below 1 s", bar(u.revokes.p99() < operatorsChange && len(u.revokes.fails) == 0, "revocation: "+fails(&u.revokes)))
		row("memory, at most, of that with vendors alone", fmt.Sprintf("%.2f: %.0f of %.0f MiB; %.0f idle", growth, most/(1<<20), before/(1<<20), idle/(1<<20)), "1.5", bar(growth <= operatorsMemory, "memory"))
		row("lists that failed", fails(&u.whole)+"; "+fails(&u.pages), "none", bar(len(u.whole.fails)+len(u.pages.fails) == 0, "lists: "+fails(&u.whole)+"; "+fails(&u.pages)))
	})
	table(&b, []string{"", "times", "p99", ""}, func(row func(...string)) {
		row("page of a list, or a search", fmt.Sprint(len(u.pages.all)), ms(u.pages.p99())+" ms", "")
		row("whole list", fmt.Sprint(len(u.whole.all)), ms(u.whole.p99())+" ms", fmt.Sprintf("%.1f MB/s of all; %d times 429", float64(u.whole.bytes)/1e6/u.took.Seconds(), u.busy))
		row("mint or revocation until the other process knows", fmt.Sprint(len(u.spread.all)), ms(u.spread.p99())+" ms", "")
	})
	return b.String(), missed
}
