package faults

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/guard"
	"github.com/hookgate/hookgate/store"
	"github.com/hookgate/hookgate/store/redistest"
)

// TestRandomly drives several sidecars with changes and faults drawn from a seed, while
// every sidecar's decisions on every token are watched: no revoked token is accepted past
// its bound or by a keyring proved fresh since, no live one is refused, and all agree
// with Redis when the faults have ended.
func TestRandomly(t *testing.T) {
	t.Parallel()
	steps, limit, seeds := 600, 10*time.Second, []uint64{1}
	if long() {
		steps, limit, seeds = 5000, 80*time.Second, []uint64{2, 3}
	}
	for name, replicated := range map[string]bool{"one server": false, "with failover": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, seed := range seeds {
				t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
					r := newRun(t, seed, replicated)
					r.drive(steps, limit)
					r.settle()
				})
			}
		})
	}
}

const (
	sidecars    = 3
	randomBound = 3 * time.Second
	// opTimeout is short, so that a fault does not stop the run.
	opTimeout = 400 * time.Millisecond
)

// run is one random run.
type run struct {
	t      *testing.T
	model  model
	random *rand.Rand

	server  *redistest.Server // the master now
	replica *redistest.Server // nil where there is none
	proxies [sidecars]*redistest.Proxy
	rings   [sidecars]atomic.Pointer[sidecar]

	watching sync.WaitGroup
	watch    context.Context
}

// Every write is handed to the system before it is acknowledged, so that no end of the
// process loses data. Redis' default may put it off while it syncs.
func durable() redistest.Option {
	return redistest.WithArgs("--appendonly", "yes", "--appendfsync", "no")
}

func newRun(t *testing.T, seed uint64, replicated bool) *run {
	t.Helper()
	r := &run{t: t, random: rand.New(rand.NewPCG(seed, 0)), server: redistest.Start(t, durable())}
	r.model.begin = time.Now()
	if replicated {
		r.addReplica()
	}
	for i := range r.proxies {
		r.proxies[i] = redistest.NewProxy(t, r.server)
		r.rings[i].Store(open(t, at(r.proxies[i]), bound(randomBound)))
	}
	t.Cleanup(func() {
		if t.Failed() || os.Getenv("HOOKGATE_STEPS") != "" {
			t.Logf("seed %d, the last steps:\n%s", seed, r.model.tail(300))
		}
	})
	watch, stop := context.WithCancel(t.Context())
	r.watch = watch
	t.Cleanup(func() {
		stop()
		r.watching.Wait()
	})
	for i := range r.rings {
		r.watching.Go(func() { r.watchOver(i) })
	}
	return r
}

func (r *run) addReplica() {
	r.replica = redistest.Start(r.t, durable(), redistest.ReplicaOf(r.server.Addr()))
	r.replica.AwaitReplica(r.t)
}

// watchOver lets a sidecar decide on the newest tokens and some others, over and over.
func (r *run) watchOver(n int) {
	const some = 30
	random := rand.New(rand.NewPCG(uint64(n), 1))
	for ; r.watch.Err() == nil; time.Sleep(15 * time.Millisecond) {
		size := r.model.size()
		for i := max(0, size-some); i < size; i++ {
			r.model.judge(n, r.rings[n].Load(), i)
		}
		for range min(some, size) {
			r.model.judge(n, r.rings[n].Load(), random.IntN(size))
		}
	}
}

// judgeAll lets every sidecar decide on a token that has just changed.
func (r *run) judgeAll(f *fact) {
	for n := range r.rings {
		r.model.judge(n, r.rings[n].Load(), f.number)
	}
}

// drive takes the steps, or as many as a busy machine allows in the time.
func (r *run) drive(steps int, limit time.Duration) {
	r.t.Helper()
	step := 0
	defer func() { r.t.Logf("%d steps in %v", step, time.Since(r.model.begin).Round(time.Second)) }()
	for ; step < steps && r.model.intact() && time.Since(r.model.begin) < limit; step++ {
		if r.random.IntN(50) == 0 {
			r.fault()
			continue
		}
		r.change(r.random.IntN(sidecars))
	}
	if !r.model.intact() {
		r.t.Fatalf("the guarantee does not hold: %v", r.model.broken)
	}
}

// pick draws a token of which nothing is unsettled; nil where there is none.
func (r *run) pick() *fact {
	for range 10 {
		size := r.model.size()
		if size == 0 {
			return nil
		}
		if f, as := r.model.get(r.random.IntN(size)); as.state == live {
			return f
		}
	}
	return nil
}

// change is one step of an operator or a vendor on sidecar n.
func (r *run) change(n int) {
	r.t.Helper()
	s := r.rings[n].Load()
	ctx, cancel := context.WithTimeout(r.t.Context(), opTimeout)
	defer cancel()
	f := r.pick()
	switch what := r.random.IntN(10); {
	case f == nil || what < 3:
		c, token, err := s.Mint(ctx, credential.Spec{Tenant: tenant, Kind: credential.KindCallback})
		r.tolerate("mint", err)
		if err == nil {
			f := r.model.add(token, c, n)
			r.model.note("%d mints %s", n, f.name)
			r.judgeAll(f)
		}
	case what < 6:
		r.model.set(f, unsettled, n)
		fresh, token, err := s.Rotate(ctx, ref(f.credential), store.Rotation{})
		r.tolerate("rotate", err)
		if err == nil {
			r.model.set(f, revoked, n)
			to := r.model.add(token, fresh, n)
			r.model.note("%d rotates %s to %s", n, f.name, to.name)
			r.judgeAll(f)
			r.judgeAll(to)
			return
		}
		r.model.note("%d cannot rotate %s: %v", n, f.name, err)
	case what < 9:
		r.model.set(f, unsettled, n)
		err := s.Revoke(ctx, ref(f.credential))
		r.tolerate("revoke", err)
		if err == nil {
			r.model.set(f, revoked, n)
		}
		r.model.note("%d revokes %s: %v", n, f.name, err)
		r.judgeAll(f)
	default:
		s.MarkUsed(f.credential.ID, s.now())
	}
}

// tolerate accepts what may come of a change while Redis fails.
func (r *run) tolerate(what string, err error) {
	r.t.Helper()
	if err != nil && !errors.Is(err, store.ErrUnavailable) {
		r.model.breach("%s: %v", what, err)
	}
}

// fault lets something fail, goes on meanwhile, and ends it.
func (r *run) fault() {
	r.t.Helper()
	n := r.random.IntN(sidecars)
	// Some outlast the bound, most do not.
	during := time.Duration(r.random.IntN(500)) * time.Millisecond
	if r.random.IntN(5) == 0 {
		during = randomBound + time.Duration(r.random.IntN(1000))*time.Millisecond
	}
	with := func(what string, begin, end func()) {
		r.model.note("FAULT %s of %d for %v", what, n, during)
		begin()
		for end := time.Now().Add(during); time.Now().Before(end) && r.model.intact(); {
			r.change(r.random.IntN(sidecars))
		}
		end()
		r.model.note("END %s", what)
	}
	nothing := func() {}
	switch r.random.IntN(10) {
	case 0:
		with("kill", r.server.Kill, r.server.Restart)
	case 1:
		with("restart", r.server.Restart, nothing)
	case 2:
		with("hang", r.server.Suspend, r.server.Resume)
	case 3:
		with("black hole", r.proxies[n].BlackHole, r.proxies[n].Restore)
	case 4:
		with("stall", r.proxies[n].Stall, r.proxies[n].Restore)
	case 5:
		with("cut", r.proxies[n].Cut, r.proxies[n].Restore)
	case 6:
		with("cut and trimmed ledger", r.proxies[n].Cut, func() {
			r.administer(r.server.Client().XTrimMaxLen(r.t.Context(), "{hookgate}:log", 1).Err())
			r.proxies[n].Restore()
		})
	case 7:
		r.model.note("FAULT script flush")
		r.administer(r.server.Client().ScriptFlush(r.t.Context()).Err())
	case 8:
		r.model.note("FAULT sidecar %d begins anew", n)
		old := r.rings[n].Load()
		r.rings[n].Store(launch(r.t, at(r.proxies[n]), bound(randomBound)))
		old.Destruct()
	case 9:
		if r.replica == nil {
			with("all connections cut", r.cutAll, r.restoreAll)
			return
		}
		r.failOver()
	}
}

func (r *run) administer(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *run) cutAll() {
	for _, proxy := range r.proxies {
		proxy.Cut()
	}
}

func (r *run) restoreAll() {
	for _, proxy := range r.proxies {
		proxy.Restore()
	}
}

// failOver puts the replica in the master's place when it has everything that was
// acknowledged, and gives it a replica of its own.
func (r *run) failOver() {
	r.t.Helper()
	r.model.note("FAULT failover")
	r.replica.AwaitCaughtUp(r.t, r.server)
	r.server.Kill()
	r.replica.Promote()
	r.server = r.replica
	for _, proxy := range r.proxies {
		proxy.Retarget(r.server)
	}
	r.addReplica()
	r.model.note("END failover")
}

// settle waits for all to recover, and compares every sidecar with the records.
func (r *run) settle() {
	r.t.Helper()
	for i := range r.rings {
		s := r.rings[i].Load()
		s.awaitProof()
		s.awaitProof() // what was under way when the last fault ended is through
	}
	records, err := listed(r.t.Context(), r.rings[0].Load().Store)
	if err != nil {
		r.t.Fatal(err)
	}
	ended := make(map[string]bool, len(records))
	alive := 0
	for _, c := range records {
		ended[c.ID.String()] = !c.RevokedAt.IsZero()
		if c.RevokedAt.IsZero() {
			alive++
		}
	}
	counts := make(map[state]int)
	for i := range r.model.size() {
		f, as := r.model.get(i)
		counts[as.state]++
		end, recorded := ended[as.credential.ID.String()]
		switch {
		case !recorded:
			r.t.Errorf("%s has no record", f.name)
		case as.state != unsettled && end != (as.state == revoked):
			r.t.Errorf("%s: the record says revoked: %t", f.name, end)
		}
		for n := range r.rings {
			s := r.rings[n].Load()
			if got := s.decide(as.token); (got == guard.Allowed) == end || got == guard.Stale {
				r.t.Errorf("sidecar %d says %s to %s, and the record says revoked: %t", n, got, f.name, end)
			}
		}
	}
	for n := range r.rings {
		if got := r.rings[n].Load().Keyring().Count(credential.KindCallback); got != alive {
			r.t.Errorf("sidecar %d counts %d live credentials, the records say %d", n, got, alive)
		}
	}
	if !r.model.intact() {
		r.t.Errorf("the guarantee does not hold: %v", r.model.broken)
	}
	r.t.Logf("%d tokens: %d live, %d revoked, %d of unacknowledged changes", r.model.size(), counts[live], counts[revoked], counts[unsettled])
}
