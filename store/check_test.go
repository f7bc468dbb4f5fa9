package store

import (
	"errors"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hookgate/hookgate/keyring"
	"github.com/hookgate/hookgate/store/redisconn"
	"github.com/hookgate/hookgate/store/redistest"
)

// offline returns a store as `hookgate check` opens it.
func offline(t testing.TB, config Config, waitReplicas int) *Store {
	t.Helper()
	s := newStore(t, config)
	if err := s.Start(Tuning{Offline: true, WaitReplicas: waitReplicas, Logger: testLog(t)}); err != nil {
		t.Fatal(err)
	}
	return s
}

// found are the findings of a severity by what was checked.
func found(findings []Finding, severity Severity) map[string]string {
	details := make(map[string]string)
	for _, f := range findings {
		if f.Severity == severity {
			details[f.Check] += f.Detail
		}
	}
	return details
}

func wantFound(t testing.TB, findings []Finding, severity Severity, checks ...string) {
	t.Helper()
	got := found(findings, severity)
	if names := slices.Sorted(maps.Keys(got)); !slices.Equal(names, slices.Sorted(slices.Values(checks))) {
		t.Errorf("%s: %v, want %q", severity, got, checks)
	}
}

// restricted is a server with the user of docs/operations.md beside one who may do
// everything.
type restricted struct {
	server *redistest.Server
	config Config
}

func startRestricted(t *testing.T, options ...redistest.Option) restricted {
	t.Helper()
	const password = "of-the-least-privileged"
	r := restricted{server: redistest.Start(t, options...)}
	r.config.Redis = redisconn.Server{URLs: []string{r.server.URL()}, Username: "hookgate", Password: password}
	r.set(t, strings.Fields(documentedACL(t, "acl", password))[2:]...)
	return r
}

// set changes the rule of the user.
func (r restricted) set(t *testing.T, rules ...string) {
	t.Helper()
	args := []any{"ACL", "SETUSER", "hookgate"}
	for _, rule := range rules {
		args = append(args, rule)
	}
	if err := r.server.Client().Do(t.Context(), args...).Err(); err != nil {
		t.Fatal(err)
	}
}

// TestCheckTriesEveryCommand: a rule that lacks one of those that docs/operations.md names
// is found out, and nothing is left of what was tried.
func TestCheckTriesEveryCommand(t *testing.T) {
	t.Parallel()
	var names, tried []string
	for _, match := range regexp.MustCompile(`\+([a-z|]+)`).FindAllStringSubmatch(documentedACL(t, "acl", ""), -1) {
		names = append(names, match[1])
	}
	for _, c := range commands {
		tried = append(tried, c.name)
	}
	slices.Sort(names)
	slices.Sort(tried)
	if !slices.Equal(names, tried) {
		t.Fatalf("documented are %q, tried %q", names, tried)
	}

	r := startRestricted(t, redistest.WithAOF())
	mint(t, open(t, r.config), callbackSpec())
	s := offline(t, r.config, 0)
	wantFound(t, s.Check(t.Context()), SeverityProblem)
	wantFound(t, s.Check(t.Context()), SeverityWarning)
	for _, c := range commands {
		r.set(t, "-"+c.name)
		findings := s.Check(t.Context())
		r.set(t, "+"+c.name)
		severity := SeverityProblem
		switch c.serves {
		case forDump, forRestore, forReplay:
			severity = SeverityWarning
		case forWait, forCheck, forCluster, forReplicas: // not configured, or not needed
			wantFound(t, findings, SeverityProblem)
			continue
		}
		named := false
		for _, detail := range found(findings, severity) {
			named = named || strings.Contains(strings.ToLower(detail), c.name)
		}
		if !named {
			t.Errorf("without %s: %+v", c.name, findings)
		}
	}
	if left := r.server.Client().Keys(t.Context(), "*check*").Val(); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

// TestRefusedByManagedServices: what they refuse is needed for nothing, and a warning at
// most.
func TestRefusedByManagedServices(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		options  []redistest.Option
		rules    []string
		warnings []string
	}{
		"CLIENT":         {rules: []string{"-client"}},
		"HELLO":          {options: []redistest.Option{redistest.WithArgs("--rename-command", "HELLO", "")}},
		"CONFIG":         {rules: []string{"-config|get"}, warnings: []string{"persistence"}},
		"INFO":           {rules: []string{"-info"}, warnings: []string{"info"}},
		"WAIT":           {rules: []string{"-wait"}},
		"COMMAND":        {rules: []string{"-command"}},
		"CONFIG unknown": {options: []redistest.Option{redistest.WithArgs("--rename-command", "CONFIG", "")}, warnings: []string{"persistence"}},
		"all": {
			options:  []redistest.Option{redistest.WithArgs("--rename-command", "HELLO", "")},
			rules:    []string{"-client", "-config", "-info", "-wait", "-command"},
			warnings: []string{"info"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			// With snapshots, which only CONFIG tells.
			r := startRestricted(t, append(test.options, redistest.WithArgs("--save", "3600 1"))...)
			if len(test.rules) > 0 {
				r.set(t, test.rules...)
			}
			s := open(t, r.config)
			c, token := mint(t, s, callbackSpec())
			revoke(t, s, c)
			awaitProof(t, s)
			wantStanding(t, s, token, keyring.Revoked)
			findings := offline(t, r.config, 0).Check(t.Context())
			wantFound(t, findings, SeverityProblem)
			if test.warnings == nil {
				test.warnings = []string{"persistence"} // no append-only file
			}
			wantFound(t, findings, SeverityWarning, test.warnings...)
		})
	}
}

// TestCheckWaitReplicas: a configuration with which no change is acknowledged is a
// problem.
func TestCheckWaitReplicas(t *testing.T) {
	t.Parallel()
	master := redistest.Start(t, redistest.WithAOF())
	config := Config{Redis: redisconn.Server{URLs: []string{master.URL()}}}
	check := func(waitReplicas int) []Finding { return offline(t, config, waitReplicas).Check(t.Context()) }
	wantFound(t, check(0), SeverityProblem)
	wantFound(t, check(1), SeverityProblem, "wait_replicas")
	redistest.Start(t, redistest.ReplicaOf(master.Addr())).AwaitReplica(t)
	eventually(t, "the replica is enough", func() bool { return len(found(check(1), SeverityProblem)) == 0 })
	wantFound(t, check(2), SeverityProblem, "wait_replicas")
	if err := master.Client().Do(t.Context(), "ACL", "SETUSER", "default", "-wait").Err(); err != nil {
		t.Fatal(err)
	}
	problems := found(check(1), SeverityProblem)
	if len(problems) != 1 || !strings.Contains(problems["wait_replicas"], "NOPERM") {
		t.Errorf("without WAIT: %v", problems)
	}
	if n := master.Client().DBSize(t.Context()).Val(); n != 0 {
		t.Errorf("%d keys are left", n)
	}
}

// TestCheckWithFullMemory: what is not permitted then is not taken for a missing rule.
func TestCheckWithFullMemory(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, redistest.WithAOF(), redistest.WithArgs("--maxmemory", "1", "--maxmemory-policy", "noeviction"))
	findings := offline(t, Config{Redis: redisconn.Server{URLs: []string{server.URL()}}}, 0).Check(t.Context())
	if problems := found(findings, SeverityProblem); len(problems) != 1 || !strings.Contains(problems["changes"], "memory") {
		t.Errorf("%v", problems)
	}
}

// TestCheckWhatTheServerSays: what is not known is a warning.
func TestCheckWhatTheServerSays(t *testing.T) {
	t.Parallel()
	const yes, warns, no = SeverityOK, SeverityWarning, SeverityProblem
	none, some := "", "3600 1"
	for name, test := range map[string]struct {
		finding Finding
		want    Severity
	}{
		"master":               {checkRole(map[string]string{"role": "master"}), yes},
		"replica":              {checkRole(map[string]string{"role": "slave"}), no},
		"no role":              {checkRole(nil), warns},
		"no replicas":          {checkReplication(map[string]string{"connected_slaves": "0"}), yes},
		"replicas":             {checkReplication(map[string]string{"connected_slaves": "2"}), warns},
		"bounded replicas":     {checkReplication(map[string]string{"connected_slaves": "2", "min_slaves_good_slaves": "2"}), yes},
		"replicas untold":      {checkReplication(nil), warns},
		"append-only file":     {checkPersistence(map[string]string{"aof_enabled": "1"}, nil), yes},
		"snapshots":            {checkPersistence(map[string]string{"aof_enabled": "0"}, &some), warns},
		"nothing is kept":      {checkPersistence(map[string]string{"aof_enabled": "0"}, &none), no},
		"persistence untold":   {checkPersistence(nil, nil), warns},
		"noeviction":           {checkEviction(map[string]string{"maxmemory_policy": "noeviction"}), yes},
		"volatile-lru":         {checkEviction(map[string]string{"maxmemory_policy": "volatile-lru"}), yes},
		"allkeys-lru":          {checkEviction(map[string]string{"maxmemory_policy": "allkeys-lru"}), no},
		"Dragonfly's eviction": {checkEviction(map[string]string{"maxmemory_policy": "eviction"}), warns},
		"Upstash's eviction":   {checkEviction(map[string]string{"maxmemory_policy": "optimistic-volatile"}), warns},
		"eviction untold":      {checkEviction(nil), warns},
	} {
		if test.finding.Severity != test.want {
			t.Errorf("%s: %+v, want %s", name, test.finding, test.want)
		}
	}
	for name, test := range map[string]struct {
		info map[string]string
		want Severity
		says string
	}{
		"Redis 6.2":    {map[string]string{"redis_version": "6.2.16"}, no, "Redis 6.2.16"},
		"KeyDB":        {map[string]string{"redis_version": "6.3.4"}, no, "6.3.4"},
		"Redis 7.0":    {map[string]string{"redis_version": "7.0.15"}, yes, "Redis 7.0.15"},
		"Redis 8.6":    {map[string]string{"redis_version": "8.6.3"}, yes, "Redis 8.6.3"},
		"Redis 10":     {map[string]string{"redis_version": "10.0.0"}, yes, "Redis 10.0.0"},
		"a build":      {map[string]string{"redis_version": "255.255.255"}, yes, "Redis 255.255.255"},
		"Valkey 7.2":   {map[string]string{"redis_version": "7.2.4", "server_name": "valkey", "valkey_version": "7.2.7"}, no, "Valkey 7.2.7"},
		"Valkey 9.1":   {map[string]string{"redis_version": "7.2.4", "server_name": "valkey", "valkey_version": "9.1.2"}, yes, "Valkey 9.1.2"},
		"Dragonfly":    {map[string]string{"redis_version": "7.4.0", "dragonfly_version": "df-v1.30.0"}, warns, "Dragonfly df-v1.30.0"},
		"another name": {map[string]string{"redis_version": "6.0.0", "server_name": "other"}, warns, "other 6.0.0"},
		"no version":   {map[string]string{}, warns, "unknown version"},
		"no number":    {map[string]string{"redis_version": "unstable"}, warns, "unstable"},
	} {
		if f := checkVersion(redisconn.ProductOf(test.info)); f.Severity != test.want || !strings.Contains(f.Detail, test.says) {
			t.Errorf("%s: %+v, want %s", name, f, test.want)
		}
	}
}

// TestTooOld: no store runs on a server that could not revoke, and an operation on its
// data, such as a dump, does.
func TestTooOld(t *testing.T) {
	t.Parallel()
	for version, want := range map[string]error{"6.2.16": redisconn.ErrTooOld, "7.0.15": nil, "unheard-of": nil} {
		config := Config{Redis: redisconn.Server{URLs: []string{redistest.StartClaiming(t, version)}}}
		if err := newStore(t, config).Start(Tuning{Logger: testLog(t)}); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", version, err, want)
		}
		offline(t, config, 0)
	}
}

// TestTooOldWhenReached: one that was silent at the start is not followed either.
func TestTooOldWhenReached(t *testing.T) {
	t.Parallel()
	s := newStore(t, Config{Redis: redisconn.Server{URLs: []string{redistest.StartClaiming(t, "6.2.16")}}})
	b, err := s.open(false)
	if err != nil {
		t.Fatal(err)
	}
	for name, conn := range map[string]redisconn.Conn{"commands": b.commands, "tail": b.tail} {
		for range 2 {
			if _, err := conn.Node(t.Context()); !errors.Is(err, redisconn.ErrTooOld) {
				t.Errorf("%s: %v", name, err)
			}
		}
		conn.Close()
	}
}
