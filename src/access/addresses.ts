/** Which addresses only this machine reaches, and which Host headers name them. */
import { lookup } from 'node:dns/promises';
import { isIP, isIPv6 } from 'node:net';

/** True for 127.0.0.0/8 and ::1, in every spelling that a socket may report. */
export function isLoopback(address: string): boolean {
  return /^(::ffff:)?127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/i.test(address) || /^(0{0,4}:){2,7}0{0,3}1$/.test(address);
}

/**
 * What one client may choose its addresses from: the /64 of an IPv6 address, such as "2001:db8:0:1::/64", and an IPv4
 * address itself, however it is written.
 */
export function networkOf(address: string): string {
  const mapped = /^::ffff:(\d{1,3}(?:\.\d{1,3}){3})$/i.exec(address)?.[1];
  if (mapped !== undefined || !isIPv6(address)) return mapped ?? address;
  const [before = '', after] = address.split('%', 1)[0]!.split('::');
  const [left, right] = [before, after ?? ''].map(part => part.split(':').filter(group => group !== ''));
  const zeros = Array.from({ length: 8 - left!.length - right!.length }, () => '0');
  const groups = [...left!, ...zeros, ...right!].slice(0, 4);
  return `${groups.map(group => Number.parseInt(group, 16).toString(16)).join(':')}::/64`;
}

/** The addresses that a name to listen on stands for. Throws a sentence where it stands for none. */
export async function addressesOf(host: string): Promise<string[]> {
  if (isIP(host) !== 0) return [host];
  const found = await lookup(host, { all: true }).catch(() => []);
  if (found.length === 0) throw new Error('expected an address, or a name that this machine can resolve');
  return found.map(({ address }) => address);
}

/** The name in a Host header or in the authority of an Origin, in lower case, without a port; undefined for nonsense. */
export function hostNameOf(authority: string): string | undefined {
  const match = /^(\[[0-9a-f:.]+\]|[^:/@[\]\s]+)(?::\d{0,5})?$/i.exec(authority);
  return match?.[1]!.toLowerCase().replace(/\.$/, '');
}

/**
 * Holds Host headers to names of this machine. A page that points its own name at 127.0.0.1 (DNS rebinding) is of the
 * same origin as the service for a browser, but cannot choose another Host than its own name.
 */
export class HostNames {
  readonly #more: readonly string[];
  /** The header that was found good last: clients repeat it with every request. */
  #known = '';

  /** `more` are names without ports. */
  constructor(more: readonly string[]) {
    this.#more = more;
  }

  allows(header: string | undefined): boolean {
    if (header === undefined) return false;
    if (header === this.#known) return true;
    const name = hostNameOf(header);
    if (name === undefined || !(isOwnName(name) || this.#more.includes(name))) return false;
    this.#known = header;
    return true;
  }

  /** True for names that were given by setting. */
  lists(name: string): boolean {
    return this.#more.includes(name);
  }
}

function isOwnName(name: string): boolean {
  return name === 'localhost' || name === '[::1]' || (isIP(name) === 4 && name.startsWith('127.'));
}
