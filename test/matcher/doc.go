// Package matcher stands in for Matcher in tests, as 2.x and as 4.1. Both are
// written from what is known of Matcher's behaviour: 2.x from its source, which has
// callbacks by JWT only; 4.1 from its published reference, where it checks tokens of
// its own. What is assumed is marked so.
package matcher
