// Verifies each token of a plan with jose, with the keys that the issuer's metadata names.
import { createRemoteJWKSet, jwtVerify } from 'jose'

import { plan, write } from './read.js'

const metadata = await fetch(`${plan.issuer}/.well-known/oauth-authorization-server`)
const keys = createRemoteJWKSet(new URL((await metadata.json()).jwks_uri))
const demands = {
  issuer: plan.issuer,
  audience: plan.audience,
  typ: plan.type,
  requiredClaims: ['exp', 'iat', 'sub', 'jti', 'client_id'],
}

for (const { name, token } of plan.tokens) {
  try {
    const { payload } = await jwtVerify(token, keys, demands)
    write(name, { subject: payload.sub })
  } catch (refusal) {
    write(name, { error: refusal.code ?? `${refusal}` })
  }
}
