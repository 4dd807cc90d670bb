// Gets a token with openid-client for each client of a plan.
import { importJWK } from 'jose'
import * as openid from 'openid-client'

import { plan, write } from './read.js'

async function authentication({ method, secret, key }) {
  switch (method) {
    case 'client_secret_basic':
      return openid.ClientSecretBasic(secret)
    case 'client_secret_post':
      return openid.ClientSecretPost(secret)
    default:
      return openid.PrivateKeyJwt({ key: await importJWK(key, key.alg), kid: key.kid })
  }
}

async function token(client) {
  const config = await openid.discovery(
    new URL(plan.issuer),
    client.id,
    undefined,
    await authentication(client),
    { execute: [openid.allowInsecureRequests] },
  )
  const parameters = { scope: plan.scope, audience: plan.audience }
  const answer = await openid.clientCredentialsGrant(config, parameters)
  return answer.access_token
}

// What the server said, or what the library said without it.
async function code(refusal) {
  if (refusal.response?.bodyUsed === false) {
    return (await refusal.response.json()).error
  }
  return refusal.error ?? `${refusal}`
}

for (const client of plan.clients) {
  try {
    write(client.name, { token: await token(client) })
  } catch (refusal) {
    write(client.name, { error: await code(refusal) })
  }
}
