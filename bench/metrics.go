package main

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// metric returns the value of a series of a set-up of ours.
func (s *setup) metric(ctx context.Context, name string) (float64, error) {
	values, err := s.metrics(ctx, name)
	if err != nil {
		return 0, err
	}
	return values[0], nil
}

// metrics returns the values of several series, all of one moment.
func (s *setup) metrics(ctx context.Context, names ...string) ([]float64, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.status+"/metrics", nil)
	if err != nil {
		return nil, err
	}
	req.Close = true // a reload may close the connection at any moment
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	found := make(map[string]string)
	for lines := bufio.NewScanner(answer.Body); lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), " ")
		found[name] = value
	}
	values := make([]float64, len(names))
	for i, name := range names {
		if values[i], err = strconv.ParseFloat(found[name], 64); err != nil {
			return nil, fmt.Errorf("no metric %s", name)
		}
	}
	return values, nil
}
