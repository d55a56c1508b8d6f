/** The settings of who may do what, and of the edge to the network. */
import fs from 'node:fs';
import { isIP } from 'node:net';
import { createSecureContext } from 'node:tls';
import { integer, list, oneOf, setting, textOrNone, type ValuesOf } from '../setting.js';
import { hostNameOf, isLoopback } from './addresses.js';
import { SCOPES } from './scopes.js';

export const ACCESS_SETTINGS = {
  keysFile: setting({
    name: 'HYPERSLAB_KEYS_FILE',
    default: '',
    unit: 'file',
    meaning:
      'The file of the API keys, which `hyperslab keys` makes. Without it, `keys.json` in the data folder is that file.',
    parse: textOrNone,
  }),
  anonymous: setting({
    name: 'HYPERSLAB_ANONYMOUS',
    default: 'off',
    unit: 'off, read, write or admin',
    meaning:
      'What a request without credentials may do. It is needed to listen beyond loopback without keys. With admin, everybody who reaches the port may register files, delete arrays and do all else.',
    parse: oneOf('off', ...SCOPES),
  }),
  allowedHosts: setting({
    name: 'HYPERSLAB_ALLOWED_HOSTS',
    default: '',
    unit: 'names, comma-separated',
    meaning:
      'Names beside localhost that a `Host` header may hold. The header is checked on open loopback, where everybody may administer, and wherever this is set.',
    parse: hostNames,
  }),
  jwks: setting({
    name: 'HYPERSLAB_JWKS',
    default: '',
    unit: 'URL or file',
    meaning:
      'Public keys (JWK Set) that JWT bearer tokens are checked against: a file, an `https://` URL, or `http://` on loopback.',
    parse: jwksPlace,
  }),
  jwtIssuer: setting({
    name: 'HYPERSLAB_JWT_ISSUER',
    default: '',
    unit: 'text',
    meaning: 'The `iss` that tokens must have.',
    parse: textOrNone,
  }),
  jwtAudience: setting({
    name: 'HYPERSLAB_JWT_AUDIENCE',
    default: '',
    unit: 'text',
    meaning: 'The `aud` that tokens must have. It is needed with HYPERSLAB_JWKS.',
    parse: textOrNone,
  }),
  jwtScopeClaim: setting({
    name: 'HYPERSLAB_JWT_SCOPE_CLAIM',
    default: 'scope',
    unit: 'claim',
    meaning:
      'The claim that holds `read`, `write` or `admin`, or these after `hyperslab:`, as text with spaces or as a list.',
    parse: text => text,
  }),
  jwtDatasetsClaim: setting({
    name: 'HYPERSLAB_JWT_DATASETS_CLAIM',
    default: 'datasets',
    unit: 'claim',
    meaning: 'The claim that holds dataset patterns as a list. A token without it reaches every dataset.',
    parse: text => text,
  }),
  corsOrigins: setting({
    name: 'HYPERSLAB_CORS_ORIGINS',
    default: '',
    unit: 'origins, comma-separated, or *',
    meaning: 'Pages of these origins may call the service from a browser.',
    parse: origins,
  }),
  rateLimit: setting({
    name: 'HYPERSLAB_RATE_LIMIT',
    default: '0',
    unit: 'requests a minute',
    meaning: 'The requests a minute of each key or token, or of each address where there is none. 0 is no limit.',
    parse: integer(0, 10_000_000),
  }),
  trustProxy: setting({
    name: 'HYPERSLAB_TRUST_PROXY',
    default: 'off',
    unit: 'off, or addresses',
    meaning:
      'Proxies whose `X-Forwarded-For` and `X-Forwarded-Prefix` are believed: `loopback`, addresses or CIDR ranges, comma-separated.',
    parse: trustedProxies,
  }),
  prefix: setting({
    name: 'HYPERSLAB_PREFIX',
    default: '',
    unit: 'path',
    meaning:
      'Path under which the service is served as well, such as `/arrays`, for a proxy that leaves it on the path. A proxy that takes it off needs no setting.',
    parse: pathPrefix,
  }),
  tlsCert: setting({
    name: 'HYPERSLAB_TLS_CERT',
    default: '',
    unit: 'PEM file',
    meaning: 'The certificate chain. With it and HYPERSLAB_TLS_KEY the service speaks HTTPS.',
    parse: fileOrNone,
  }),
  tlsKey: setting({
    name: 'HYPERSLAB_TLS_KEY',
    default: '',
    unit: 'PEM file',
    meaning: 'The private key of the certificate.',
    parse: fileOrNone,
  }),
} as const;

export type AccessSettings = ValuesOf<typeof ACCESS_SETTINGS>;

/** Faults that no row shows by itself, one line each. */
export function accessFaults({ jwks, jwtAudience, tlsCert, tlsKey }: Partial<AccessSettings>): string[] {
  const faults: string[] = [];
  if (jwks !== undefined && jwtAudience === undefined) {
    faults.push(
      'HYPERSLAB_JWT_AUDIENCE is not set: with HYPERSLAB_JWKS alone, tokens for other services would be taken. Set it to the aud of the tokens for this one',
    );
  }
  if ((tlsCert === undefined) !== (tlsKey === undefined)) {
    faults.push('HYPERSLAB_TLS_CERT and HYPERSLAB_TLS_KEY go together: set both or neither');
  } else if (tlsCert !== undefined && tlsKey !== undefined) {
    try {
      createSecureContext(readTls(tlsCert, tlsKey));
    } catch {
      faults.push(
        'HYPERSLAB_TLS_CERT and HYPERSLAB_TLS_KEY are not a PEM certificate and its key: give the chain, and the key that it was made for, without a passphrase',
      );
    }
  }
  return faults;
}

export function readTls(cert: string, key: string): { cert: Buffer; key: Buffer } {
  return { cert: fs.readFileSync(cert), key: fs.readFileSync(key) };
}

function pathPrefix(text: string): string | undefined {
  const path = text.replace(/\/$/, '');
  if (path === '') return undefined;
  if (!/^(?:\/[A-Za-z0-9._~-]+)+$/.test(path)) throw new Error('expected a path such as /arrays');
  return path;
}

function fileOrNone(text: string): string | undefined {
  if (text === '') return undefined;
  if (!fs.statSync(text, { throwIfNoEntry: false })?.isFile()) throw new Error('expected a file that is there');
  fs.accessSync(text, fs.constants.R_OK);
  return text;
}

function jwksPlace(text: string): URL | string | undefined {
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return fileOrNone(text);
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const name = url?.hostname.replaceAll(/[[\]]/g, '') ?? '';
  const isSafe =
    url?.protocol === 'https:' || (url?.protocol === 'http:' && (name === 'localhost' || isLoopback(name)));
  if (!url || !isSafe) throw new Error('expected a file, an https:// URL, or an http:// URL on loopback');
  return url;
}

function hostNames(text: string): string[] {
  return list(text).map(name => {
    const known = hostNameOf(name);
    if (known === undefined || !/^([a-z0-9._-]+|\[.*\])$/i.test(name))
      throw new Error('expected host names without ports, such as data.example.org');
    return known;
  });
}

function origins(text: string): '*' | string[] {
  if (text === '*') return '*';
  return list(text).map(origin => {
    if (!URL.canParse(origin) || new URL(origin).origin !== origin) {
      throw new Error('expected * or origins such as https://app.example.org, without a path');
    }
    return origin;
  });
}

/** Addresses only: a number of hops would believe whoever connects directly. */
function trustedProxies(text: string): false | string[] {
  if (text === 'off') return false;
  return list(text).map(each => {
    const [address = '', bits] = each.split('/');
    const family = isIP(address);
    const isRange = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 6 ? 128 : 32));
    if (!['loopback', 'linklocal', 'uniquelocal'].includes(each) && !(family !== 0 && isRange)) {
      throw new Error('expected off, loopback, or addresses such as 10.0.0.0/8');
    }
    return each;
  });
}
