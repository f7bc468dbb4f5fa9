// Package faults holds the tests of the revocation guarantee against real Redis
// servers that fail: what the users of a store and the guard see, and that a revoked
// token never outlives its bound. The short forms run with every test; with
// HOOKGATE_FAULTS=long those run too that take minutes.
package faults
