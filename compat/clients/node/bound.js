// Proves a key with openid-client (DPoP, RFC 9449): gets a token for it and shows the token, then
// shows it without the key.
import * as openid from 'openid-client'

import { plan, write } from './read.js'

async function outcome(client) {
  const config = await openid.discovery(
    new URL(plan.issuer),
    client.id,
    undefined,
    openid.ClientSecretBasic(client.secret),
    { execute: [openid.allowInsecureRequests] },
  )
  const DPoP = openid.getDPoPHandle(config, await openid.randomDPoPKeyPair(client.algorithm))
  const answer = await openid.clientCredentialsGrant(config, { scope: plan.scope }, { DPoP })
  const userinfo = new URL(config.serverMetadata().userinfo_endpoint)
  const token = answer.access_token
  const shown = await openid.fetchProtectedResource(
    config, token, userinfo, 'GET', null, undefined, { DPoP },
  )
  const stolen = await fetch(userinfo, { headers: { authorization: `Bearer ${token}` } })
  const statuses = `${shown.status} ${stolen.status}`
  return { token, type: answer.token_type, statuses, jkt: await DPoP.calculateThumbprint() }
}

for (const client of plan.clients) {
  try {
    write(client.name, await outcome(client))
  } catch (refusal) {
    write(client.name, { error: `${refusal}` })
  }
}
