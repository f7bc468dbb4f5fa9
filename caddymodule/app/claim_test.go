package app

import (
	"runtime"
	"slices"
	"testing"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"
)

func TestClaimAddresses(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("addresses are claimed on Linux alone")
	}
	listen := func(addresses ...string) *caddyhttp.App {
		return &caddyhttp.App{Servers: map[string]*caddyhttp.Server{"srv0": {Listen: addresses}}}
	}
	for _, test := range []struct {
		listen []string
		want   []string
	}{
		{[]string{"127.0.0.1:17"}, []string{"127.0.0.1:17"}},
		{[]string{"127.0.0.1:17-19"}, []string{"127.0.0.1:17", "127.0.0.1:18", "127.0.0.1:19"}},
		{[]string{"tcp4/0.0.0.0:17"}, []string{":17"}},
		{[]string{"[::]:17"}, []string{":17"}},
		{[]string{":17"}, []string{":17"}},
		{[]string{"[::1]:17"}, []string{"[::1]:17"}},
		{[]string{"127.0.0.1:0", "unix//run/hookgate.sock", "fd/3"}, nil}, // each has its own, or is handed it
	} {
		held, err := claimAddresses(listen(test.listen...), zap.NewNop())
		if err != nil || !slices.Equal(held, test.want) {
			t.Errorf("%q: %q, %v; want %q", test.listen, held, err, test.want)
		}
		if again, err := claimAddresses(listen(test.listen...), zap.NewNop()); err != nil || releaseAddresses(again) != nil {
			t.Errorf("%q: the same process cannot claim it again: %v", test.listen, err)
		}
		if err := releaseAddresses(held); err != nil {
			t.Error(err)
		}
	}
	if _, err := claimAddresses(listen("127.0.0.1:x"), zap.NewNop()); err == nil {
		t.Error("claimed what is no address")
	}
}
