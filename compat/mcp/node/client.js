// Clients of `@modelcontextprotocol/sdk`. Reads plans, a line each; tells `open` and is told where the
// browser ended; tells an outcome of each plan.

import { createInterface } from "node:readline";
import { UnauthorizedError } from "@modelcontextprotocol/sdk/client/auth.js";
import {
  ClientCredentialsProvider,
  PrivateKeyJwtProvider,
} from "@modelcontextprotocol/sdk/client/auth-extensions.js";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const tell = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);
const text = (result) => result.content[0].text;

// A client that people use, and what it keeps.
class Person {
  opened = [];

  constructor(plan) {
    this.redirectUrl = plan.redirect_uri;
    this.clientMetadata = {
      client_name: "a client in JavaScript",
      redirect_uris: [plan.redirect_uri],
      token_endpoint_auth_method: plan.way,
      grant_types: ["authorization_code", "refresh_token"],
    };
  }

  state = () => "a-state-of-a-client";
  clientInformation = () => this.client;
  saveClientInformation = (client) => void (this.client = client);
  tokens = () => this.kept;
  saveTokens = (tokens) => void (this.kept = tokens);
  saveCodeVerifier = (verifier) => void (this.verifier = verifier);
  codeVerifier = () => this.verifier;

  async redirectToAuthorization(address) {
    this.opened.push(String(address));
    tell({ open: String(address) });
    this.ended = new URL(JSON.parse((await lines.next()).value));
  }
}

function provider(plan) {
  const machine = { clientId: plan.id, scope: "tools", expectedIssuer: plan.issuer };
  switch (plan.way) {
    case "open":
      return undefined;
    case "secret":
      return new ClientCredentialsProvider({ ...machine, clientSecret: plan.secret });
    case "key":
      return new PrivateKeyJwtProvider({ ...machine, privateKey: plan.key, algorithm: "RS256" });
    default:
      return new Person(plan);
  }
}

// Does something; where it needs a person, it comes back with a code and is done once more.
async function authorized(transport, authProvider, action) {
  try {
    return await action(transport());
  } catch (error) {
    if (!(error instanceof UnauthorizedError)) throw error;
    const code = authProvider.ended.searchParams.get("code");
    if (!code) throw new Error(`no code: ${authProvider.ended}`);
    await transport.last.finishAuth(code);
    return action(transport());
  }
}

// A tool that waits for what comes only when its begin was seen.
async function streamed(client) {
  await client.callTool({ name: "again", arguments: {} });
  let spoken;
  const onprogress = () => (spoken = client.callTool({ name: "say", arguments: {} }));
  const heard = await client.callTool({ name: "wait", arguments: {} }, undefined, { onprogress });
  await spoken;
  return text(heard);
}

async function play(plan) {
  const authProvider = provider(plan);
  const requests = [];
  // The tool is named in a header, too, as the newer revision of the protocol has it.
  let tool;
  const noted = async (address, init) => {
    const headers = new Headers(init?.headers);
    if (tool) headers.set("Mcp-Name", tool);
    const response = await fetch(address, { ...init, headers });
    const challenge = response.headers.get("www-authenticate") ?? "";
    requests.push([init?.method ?? "GET", String(address), response.status, challenge]);
    return response;
  };
  const url = new URL(plan.url);
  const transport = () =>
    (transport.last = new StreamableHTTPClientTransport(url, { authProvider, fetch: noted }));
  const connected = async (to) => {
    const client = new Client({ name: "carnet-mcp", version: "1" });
    await client.connect(to);
    return client;
  };
  const add = (client, a, b) => client.callTool({ name: "add", arguments: { a, b } }).then(text);
  const client = await authorized(transport, authProvider, connected);
  const outcome = { name: plan.name, requests, opened: authProvider?.opened ?? [] };
  outcome.sum = await add(client, 2, 3);
  outcome.streamed = await streamed(client);
  outcome.token = authProvider?.tokens()?.access_token;
  if (authProvider instanceof Person) {
    outcome.begun = requests.length;
    if (authProvider.kept.refresh_token) {
      // As if its time were over.
      authProvider.kept = { ...authProvider.kept, access_token: "over" };
      outcome.refreshed_sum = await add(client, 3, 4);
      outcome.refreshed = authProvider.kept.access_token;
      outcome.refreshed_at = requests.length;
    } else if (plan.steps_up) {
      const remove = async (to) => {
        tool = undefined;
        const own = await connected(to);
        tool = "delete";
        return text(await own.callTool({ name: "delete", arguments: { name: "x" } }));
      };
      outcome.deleted = await authorized(transport, authProvider, remove);
      outcome.stepped_up = authProvider.kept.access_token;
    }
  }
  await client.close();
  return outcome;
}

for await (const line of lines) {
  tell(await play(JSON.parse(line)));
}
process.exit(0);
