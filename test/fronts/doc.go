// Package fronts runs the built hookgate behind the proxies that stand in front of
// it, as docs/ingress-proxies.md shows them: each snippet of that page is run as it is, with
// ports, addresses and paths replaced.
package fronts
