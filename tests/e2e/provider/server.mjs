// A certified OpenID provider with one account for every name, on loopback.
//
// Settings come as JSON in the environment; what happens goes to standard output, a line each.

import { Provider } from 'oidc-provider';

const settings = JSON.parse(process.env.PROVIDER_SETTINGS);
const issuer = `http://127.0.0.1:${settings.port}`;
const say = (event, more = {}) => process.stdout.write(`${JSON.stringify({ event, ...more })}\n`);

const provider = new Provider(issuer, {
  clients: settings.clients,
  cookies: { keys: ['only-for-tests'] },
  claims: {
    openid: ['sub'],
    email: ['email', 'email_verified'],
    profile: ['name', 'preferred_username', 'groups'],
  },
  conformIdTokenClaims: false,
  findAccount: (_ctx, id) => ({
    accountId: id,
    claims: () => ({
      sub: id,
      email: `${id}@example.com`,
      email_verified: true,
      name: `The ${id}`,
      preferred_username: id,
      groups: ['staff'],
    }),
  }),
  features: {
    devInteractions: { enabled: true },
    rpInitiatedLogout: { enabled: true },
    backchannelLogout: { enabled: true },
    pushedAuthorizationRequests: { enabled: true, requirePushedAuthorizationRequests: settings.par === true },
  },
  // Its own way to the outside knows no loopback.
  fetch: (url, options) => globalThis.fetch(url, { ...options, dispatcher: undefined }),
  issueRefreshToken: () => true,
  rotateRefreshToken: true,
  pkce: { required: () => true },
  // Straight back to who asked, without a page in between.
  loadExistingGrant: async (ctx) => {
    const grant = new ctx.oidc.provider.Grant({
      clientId: ctx.oidc.client.clientId,
      accountId: ctx.oidc.session.accountId,
    });
    grant.addOIDCScope('openid email profile offline_access');
    await grant.save();
    return grant;
  },
  ttl: {
    // What is renewed lasts: a test counts how often that happens.
    AccessToken: (ctx) => (
      ctx.oidc.params.grant_type === 'refresh_token' ? 3600 : settings.accessTokenSeconds
    ),
    AuthorizationCode: 60,
    IdToken: 3600,
    RefreshToken: 86400,
    Session: 86400,
    Grant: 86400,
    Interaction: 600,
  },
});

provider.on('grant.success', (ctx) => say('granted', { type: ctx.oidc.params.grant_type }));
provider.on('grant.error', (ctx, error) => say('refused', {
  type: ctx.oidc.params?.grant_type, error: error.error, detail: error.error_description,
}));
provider.on('authorization.error', (_ctx, error) => say('not-authorized', {
  error: error.error, detail: error.error_description,
}));
provider.on('end_session.success', () => say('logged-out'));
provider.on('backchannel.success', () => say('notified'));
provider.on('backchannel.error', (_ctx, error) => say('not-notified', { detail: String(error) }));
provider.on('server_error', (_ctx, error) => say('fault', { detail: String(error.stack) }));

provider.listen(settings.port, '127.0.0.1', () => say('listening', { issuer }));
