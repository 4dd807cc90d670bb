// node-oidc-provider as a server for people: its pages for development let anybody in. Its plan is the argument: port, client
// as it is registered, seconds that access tokens live.

import Provider from 'oidc-provider';

const plan = JSON.parse(process.argv[2]);
const provider = new Provider(`http://127.0.0.1:${plan.port}`, {
  clients: [plan.client],
  cookies: { keys: ['for these tests only'] },
  // Applications of the web get refresh tokens without being asked for more consent.
  issueRefreshToken: (_, client) => client.grantTypeAllowed('refresh_token'),
  ttl: { AccessToken: plan.seconds },
  pkce: { required: () => true },
});
provider.on('server_error', (_, error) => console.error(error));
provider.listen(plan.port, '127.0.0.1');
