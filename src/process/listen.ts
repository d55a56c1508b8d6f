/** Opening the port, and what stands in the way of it. */
import type { App } from '../../routes/app-type.js';
import type { Access } from '../access/access.js';
import type { Config } from '../config.js';
import { systemErrorCode } from '../errors.js';
import { ConfigError } from '../setting.js';

type Place = Pick<Config, 'host' | 'port'>;

const noRight = ({ port }: Place): string =>
  `Port ${port} may not be opened by user ${process.getuid?.()}: ports below 1024 need a right. Choose another one with HYPERSLAB_PORT or --port, or give the right.`;

const FAULTS: Readonly<Record<string, (place: Place) => string>> = {
  EADDRINUSE: ({ host, port }) =>
    `Port ${port} on ${host} is taken. Stop the program that has it, or choose another one with HYPERSLAB_PORT or --port; 0 picks a free one.`,
  EACCES: noRight,
  EPERM: noRight,
  EADDRNOTAVAIL: ({ host }) =>
    `HYPERSLAB_HOST=${host} is no address of this machine. Use 127.0.0.1, 0.0.0.0 for all of its addresses, or one that it has.`,
  EAFNOSUPPORT: ({ host }) =>
    `HYPERSLAB_HOST=${host} is of a kind of address that this machine does not have. Use 127.0.0.1 or another IPv4 address.`,
};

/** Listens, and returns the URL. @throws ConfigError */
export async function listen(app: App, access: Access, { host, port }: Place): Promise<string> {
  let url: string;
  try {
    url = await app.listen({ host, port });
  } catch (error) {
    const code = systemErrorCode(error);
    if (!code?.startsWith('E')) throw error;
    const sentence =
      FAULTS[code]?.({ host, port }) ??
      `Port ${port} on ${host} cannot be opened (${code}). Choose others with HYPERSLAB_PORT and HYPERSLAB_HOST.`;
    throw new ConfigError(sentence, { cause: error });
  }
  access.checkListening(app.addresses().flatMap(each => (typeof each === 'string' ? [] : [each.address])));
  return url;
}
