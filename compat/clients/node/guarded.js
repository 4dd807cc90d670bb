// Shows tokens that are bound to a key to gateways behind a balancer with openid-client (DPoP with
// nonces, RFC 9449): each request goes to the next of them, all under one public address. Then what
// the last request carried is sent again, to each of them.
import * as openid from 'openid-client'

import { plan, write } from './read.js'

const REQUESTS = 6

// What a gateway said to each request under the public address, and what the last one carried.
const balancer = { turn: 0, statuses: [], last: undefined }

function through(gateway, url, options) {
  const { host, protocol, pathname, search } = new URL(url)
  const headers = new Headers(options.headers)
  headers.set('x-forwarded-host', host)
  headers.set('x-forwarded-proto', protocol.slice(0, -1))
  return fetch(new URL(`${pathname}${search}`, gateway), { ...options, headers })
}

async function balanced(url, options) {
  if (new URL(url).host !== new URL(plan.address).host) {
    return fetch(url, options)
  }
  balancer.last = { url, options }
  const gateway = plan.gateways[balancer.turn++ % plan.gateways.length]
  const response = await through(gateway, url, options)
  balancer.statuses.push(response.status)
  return response
}

// Also of a refusal that the library takes for an error.
const shown = async (asked) => (await asked.catch((refusal) => refusal)).status

async function outcome(client) {
  const config = await openid.discovery(
    new URL(plan.issuer),
    client.id,
    undefined,
    openid.ClientSecretBasic(client.secret),
    { execute: [openid.allowInsecureRequests], [openid.customFetch]: balanced },
  )
  const DPoP = openid.getDPoPHandle(config, await openid.randomDPoPKeyPair(client.algorithm))
  const answer = await openid.clientCredentialsGrant(config, { scope: plan.scope }, { DPoP })
  const token = answer.access_token
  const [statuses, address] = [[], new URL(plan.address)]
  balancer.statuses = []
  for (let n = 0; n < REQUESTS; n++) {
    const headers = new Headers()
    const asked = openid.fetchProtectedResource(config, token, address, 'GET', null, headers, { DPoP })
    statuses.push(await shown(asked))
  }
  const { url, options } = balancer.last
  const replayed = []
  for (const gateway of plan.gateways) {
    replayed.push((await through(gateway, url, options)).status)
  }
  const headers = { authorization: `Bearer ${token}` }
  const stolen = await through(plan.gateways[0], plan.address, { headers })
  return {
    token,
    jkt: await DPoP.calculateThumbprint(),
    statuses: statuses.join(' '),
    asked: balancer.statuses.join(' '),
    replayed: replayed.join(' '),
    stolen: `${stolen.status}`,
  }
}

for (const client of plan.clients) {
  try {
    write(client.name, await outcome(client))
  } catch (refusal) {
    write(client.name, { error: `${refusal}` })
  }
}
