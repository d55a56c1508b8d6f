import fs from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { ConfigError, readConfig } from '../../src/config.js';
import { temporaryFolder } from '../helpers/server.js';

function read(name: string, value: string, more: Record<string, string> = {}): ReturnType<typeof readConfig> {
  return readConfig({ [`HYPERSLAB_${name}`]: value, ...more });
}

t.test('what may be set is read', async t => {
  t.strictSame(read('ANONYMOUS', 'read').anonymous, 'read');
  t.strictSame(read('ALLOWED_HOSTS', 'A.example, b.example.,[fd00::1]').allowedHosts, [
    'a.example',
    'b.example',
    '[fd00::1]',
  ]);
  t.strictSame(read('CORS_ORIGINS', '*').corsOrigins, '*');
  t.strictSame(read('CORS_ORIGINS', 'https://a.example, http://localhost:3000').corsOrigins, [
    'https://a.example',
    'http://localhost:3000',
  ]);
  t.strictSame(read('TRUST_PROXY', 'off').trustProxy, false);
  t.strictSame(read('TRUST_PROXY', 'loopback,10.0.0.0/8,fd00::/8').trustProxy, ['loopback', '10.0.0.0/8', 'fd00::/8']);
  const audience = { HYPERSLAB_JWT_AUDIENCE: 'hyperslab' };
  for (const url of ['https://id.example/jwks', 'http://127.0.0.1:9/jwks', 'http://[::1]:9/', 'http://localhost/']) {
    t.match(read('JWKS', url, audience).jwks, URL, url);
  }
});

t.test('what may not be set is refused with what is allowed', async t => {
  for (const [name, values] of Object.entries({
    ANONYMOUS: ['root', 'yes'],
    ALLOWED_HOSTS: ['a.example:80', 'http://a.example', '*', 'a b'],
    CORS_ORIGINS: ['a.example', 'https://a.example/', 'https://a.example/x', '*,https://a.example', 'null'],
    RATE_LIMIT: ['-1', '1.5', 'x'],
    TRUST_PROXY: ['1', 'true', 'everybody', '10.0.0.0/33', '10.0.0.0/', 'x/8'],
    JWKS: ['http://id.example/jwks', 'ftp://id.example', 'http://127.0.0.1.evil.example/', '/no/such/file', 'https://'],
    TLS_CERT: ['/no/such/file'],
  })) {
    for (const value of values) {
      t.throws(() => read(name, value, { HYPERSLAB_JWT_AUDIENCE: 'a' }), ConfigError, `${name}=${value}`);
    }
  }
});

t.test('settings that go together are asked for together', async t => {
  const folder = temporaryFolder();
  t.teardown(() => fs.rmSync(folder, { recursive: true }));
  const file = path.join(folder, 'file.pem');
  fs.writeFileSync(file, 'not PEM');
  t.throws(() => read('JWKS', 'https://id.example/jwks'), { message: /HYPERSLAB_JWT_AUDIENCE/ });
  t.throws(() => read('TLS_CERT', file), { message: /go together/ });
  t.throws(() => read('TLS_KEY', file), { message: /go together/ });
  t.throws(() => read('TLS_CERT', file, { HYPERSLAB_TLS_KEY: file }), { message: /not a PEM certificate/ });
});
