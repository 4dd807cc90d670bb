// node-oidc-provider as an authorization server for machines. Its plan comes on standard input: port, scope, lifetime
// of tokens, clients. Tokens for a resource are JWTs whose audience it is, tokens for nobody are opaque.

import { X509Certificate } from 'node:crypto';
import { text } from 'node:stream/consumers';
import Provider from 'oidc-provider';

const plan = JSON.parse(await text(process.stdin));

// A client as this library knows it; its key is in a certificate.
function client({ id, method, secret, certificate }) {
  const metadata = {
    client_id: id,
    token_endpoint_auth_method: method,
    grant_types: ['client_credentials'],
    redirect_uris: [],
    response_types: [],
    scope: plan.scope,
  };
  if (secret) metadata.client_secret = secret;
  if (certificate) {
    const key = new X509Certificate(certificate).publicKey.export({ format: 'jwk' });
    metadata.jwks = { keys: [{ ...key, use: 'sig' }] };
  }
  return metadata;
}

const provider = new Provider(`http://127.0.0.1:${plan.port}`, {
  clients: plan.clients.map(client),
  clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'client_secret_jwt', 'private_key_jwt'],
  scopes: [plan.scope],
  ttl: { ClientCredentials: plan.seconds },
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    introspection: { enabled: true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: (_, resource) => ({
        scope: plan.scope,
        audience: resource,
        accessTokenFormat: 'jwt',
        accessTokenTTL: plan.seconds,
      }),
    },
  },
});
provider.on('server_error', (_, error) => console.error(error));
provider.listen(plan.port, '127.0.0.1');
