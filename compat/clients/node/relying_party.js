// Logs people in with openid-client, for each client of a plan. An address on standard output is
// opened by a browser, and the next line of input is where it ended; other lines are outcomes.
import { createInterface } from 'node:readline'

import * as openid from 'openid-client'

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const read = async () => JSON.parse((await lines.next()).value)
const write = (line) => console.log(JSON.stringify(line))

async function browse(address) {
  write({ open: address })
  return new URL(await read())
}

const authentication = {
  client_secret_basic: openid.ClientSecretBasic,
  client_secret_post: openid.ClientSecretPost,
  none: openid.None,
}

async function logIn(plan, client, outcome) {
  const config = await openid.discovery(
    new URL(plan.issuer),
    client.id,
    undefined,
    authentication[client.method](client.secret),
    { execute: [openid.allowInsecureRequests, openid.enableNonRepudiationChecks] },
  )
  const [state, nonce] = [openid.randomState(), openid.randomNonce()]
  const verifier = openid.randomPKCECodeVerifier()
  const end = await browse(
    openid.buildAuthorizationUrl(config, {
      redirect_uri: plan.redirect_uri,
      scope: plan.scopes.join(' '),
      code_challenge: await openid.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      state,
      nonce,
    }),
  )
  const checks = { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce }
  const tokens = await openid.authorizationCodeGrant(config, end, checks)
  outcome.subject = tokens.claims().sub
  outcome.userinfo = (await openid.fetchUserInfo(config, tokens.access_token, outcome.subject)).sub
  const fresh = await openid.refreshTokenGrant(config, tokens.refresh_token)
  outcome.refreshed = fresh.access_token
  const leave = openid.buildEndSessionUrl(config, {
    id_token_hint: tokens.id_token,
    post_logout_redirect_uri: plan.post_logout_redirect_uri,
    state,
  })
  outcome.left = (await browse(leave)).href
  try {
    await openid.authorizationCodeGrant(config, end, checks)
  } catch (refusal) {
    outcome.again = refusal.error
  }
}

const plan = await read()
for (const client of plan.clients) {
  const outcome = { name: client.name }
  try {
    await logIn(plan, client, outcome)
  } catch (error) {
    outcome.error = `${error} ${error.cause ?? ''}`
  }
  write(outcome)
}
process.exit(0)
