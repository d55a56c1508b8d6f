/**
 * A service behind a path prefix. Links are relative to the URL that was asked, so that they lead to the right place
 * whatever a proxy put in front. A proxy that leaves the prefix on the path needs HYPERSLAB_PREFIX, which is taken off here.
 */
import type { IncomingMessage } from 'node:http';
import { BlockList, isIP } from 'node:net';
import type { FastifyRequest } from 'fastify';
import type { Config } from '../config.js';

const PREFIX = /^(?:\/[A-Za-z0-9._~-]+)+$/;

/**
 * A link to a path of the service, as seen from the URL of a request: `../../jobs/1` from `…/v1/datasets/a/statistics`.
 * A segment of a URL is one of its route's pattern, too.
 */
export function linkTo({ routeOptions }: Pick<FastifyRequest, 'routeOptions'>, target: string): string {
  const folders = routeOptions.url!.split('/').slice(0, -1);
  const segments = target.split('/');
  let shared = 0;
  while (shared < folders.length && folders[shared] === segments[shared]) shared++;
  return '../'.repeat(folders.length - shared) + segments.slice(shared).join('/');
}

/** The path of a request without the prefix; other paths are served as they are. */
export function withoutPrefix(prefix: string): (request: IncomingMessage) => string {
  return ({ url = '/' }) => {
    const rest = url.startsWith(prefix) ? url.slice(prefix.length) : url;
    if (rest === url || !/^(?:$|[/?])/.test(rest)) return url;
    return rest.startsWith('/') ? rest : `/${rest}`;
  };
}

/** The prefix of a request where it is known: from a proxy that is believed, or by the setting. */
export function prefixReader({
  prefix,
  trustProxy,
}: Pick<Config, 'prefix' | 'trustProxy'>): (request: FastifyRequest) => string | undefined {
  const isTrusted = trustProxy ? anyOf(trustProxy) : () => false;
  return ({ headers, raw, originalUrl }) => {
    const told = headers['x-forwarded-prefix'];
    if (typeof told === 'string' && isTrusted(raw.socket.remoteAddress ?? '')) {
      const path = told.trim().replace(/\/$/, '');
      if (PREFIX.test(path)) return path;
    }
    return prefix !== undefined && originalUrl.startsWith(`${prefix}/`) ? prefix : undefined;
  };
}

/** What the names in HYPERSLAB_TRUST_PROXY stand for. */
const NAMED: Readonly<Record<string, readonly string[]>> = {
  loopback: ['127.0.0.0/8', '::1/128'],
  linklocal: ['169.254.0.0/16', 'fe80::/10'],
  uniquelocal: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'],
};

function anyOf(places: readonly string[]): (address: string) => boolean {
  const known = new BlockList();
  for (const place of places.flatMap(each => NAMED[each] ?? [each])) {
    const [address = '', bits] = place.split('/');
    const isV6 = isIP(address) === 6;
    known.addSubnet(address, bits === undefined ? (isV6 ? 128 : 32) : Number(bits), isV6 ? 'ipv6' : 'ipv4');
  }
  return address => isIP(address) !== 0 && known.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
}
