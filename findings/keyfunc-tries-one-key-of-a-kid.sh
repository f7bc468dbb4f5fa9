#!/usr/bin/env bash
# keyfunc 3.9.1 with jwkset 0.11.4 (Go), jose 6.2.18 (npm), Go 1.24 or later, Node.js 20.
#
# RFC 7517 section 4.5 lets keys of different types share a "kid": equivalent alternatives,
# such as the RSA and the P-256 key of an issuer that moves from RS256 to ES256. jose takes
# the key that fits the token's "alg". keyfunc reads both and knows the "alg" of each, but
# looks up the "kid" alone and tries the first one, so that every token by the other key is
# refused. Which tokens fail goes by the order of the set: an issuer that lists the same keys
# in another order turns 200 into 401.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --ignore-scripts --no-audit --no-fund --silent jose@6.2.18
cat >go.mod <<'MOD'
module finding

go 1.24

require (
	github.com/MicahParks/jwkset v0.11.4
	github.com/MicahParks/keyfunc/v3 v3.9.1
	github.com/golang-jwt/jwt/v5 v5.3.1
)
MOD
cat >main.go <<'GO'
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/MicahParks/keyfunc/v3"
	"github.com/golang-jwt/jwt/v5"
)

func main() {
	set, err := keyfunc.NewJWKSetJSON(json.RawMessage(os.Args[1]))
	if err != nil {
		panic(err)
	}
	keys, err := set.Storage().KeyReadAll(context.Background())
	if err != nil {
		panic(err)
	}
	fmt.Print(len(keys), " kept, ")
	for i, name := range []string{"RS256", "ES256"} {
		_, err := jwt.Parse(os.Args[2+i], set.Keyfunc, jwt.WithValidMethods([]string{name}))
		fmt.Print(name, " ", err == nil, " ")
	}
	fmt.Println()
}
GO
go mod tidy >/dev/null 2>&1
go build -o keyfunc .
cat >jose.mjs <<'JS'
import { execFileSync } from 'node:child_process';
import { createLocalJWKSet, exportJWK, generateKeyPair, jwtVerify, SignJWT } from 'jose';

const keys = {}, tokens = {};
for (const alg of ['RS256', 'ES256']) {
  const { publicKey, privateKey } = await generateKeyPair(alg);
  keys[alg] = { ...await exportJWK(publicKey), kid: '2026', use: 'sig', alg };
  tokens[alg] = await new SignJWT({ sub: 'operator' }).setProtectedHeader({ alg, kid: '2026' }).setExpirationTime('1h').sign(privateKey);
}
for (const order of [['RS256', 'ES256'], ['ES256', 'RS256']]) {
  const set = { keys: order.map((alg) => keys[alg]) };
  let verified = '';
  for (const alg of ['RS256', 'ES256']) {
    verified += `${alg} ${await jwtVerify(tokens[alg], createLocalJWKSet(set)).then(() => true, () => false)} `;
  }
  console.log(`${order}: jose ${verified}`);
  console.log(`${order}: keyfunc ${execFileSync('./keyfunc', [JSON.stringify(set), tokens.RS256, tokens.ES256], { encoding: 'utf8' }).trim()}`);
}
JS
got=$(timeout 60 node jose.mjs | sed 's/ *$//')
want='RS256,ES256: jose RS256 true ES256 true
RS256,ES256: keyfunc 2 kept, RS256 true ES256 false
ES256,RS256: jose RS256 true ES256 true
ES256,RS256: keyfunc 2 kept, RS256 false ES256 true'
echo "$got"
[ "$got" = "$want" ] || { echo "it was: $want" >&2; exit 1; }
