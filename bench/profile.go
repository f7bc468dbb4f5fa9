package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"time"
)

// profileTime is how long a profile covers; the runtime takes a hundred samples a second
// of each core.
const profileTime = 30 * time.Second

// takeProfile writes a CPU profile of hookgate under a mix of traffic.
func takeProfile(ctx context.Context, r *rig, path string) error {
	if err := r.startUpstream(ctx); err != nil {
		return err
	}
	s, err := hookgateWith(ours, "hookgate_proxy", buildHookgate)(ctx, r)
	if err != nil {
		return err
	}
	log.Printf("profiling for %v", profileTime)
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	loaded := make(chan error, 1)
	go func() {
		for {
			for _, t := range traffics {
				if _, err := r.run(ctx, s, t, connections, time.Second); err != nil {
					loaded <- err
					return
				}
			}
		}
	}()
	err = download(ctx, fmt.Sprintf("http://%s/debug/pprof/profile?seconds=%d", s.admin, int(profileTime/time.Second)), path)
	stop()
	if loadErr := <-loaded; err == nil && !errors.Is(loadErr, context.Canceled) && ctx.Err() == nil {
		err = loadErr
	}
	return err
}

func download(ctx context.Context, url, path string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("the profile is answered with %s", answer.Status)
	}
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, answer.Body)
	return errors.Join(err, file.Close())
}
