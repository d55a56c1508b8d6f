/**
 * Who is let in: decided at the start from the address to listen on, the keys and the settings, and again whenever the
 * key file changes. Hazard: everything here fails closed. A key file that breaks, or goes away while the service runs,
 * lets nobody in; it never makes an open service.
 */
import fs from 'node:fs/promises';
import path from 'node:path';
import { ConfigError } from '../setting.js';
import { addressesOf, HostNames, isLoopback } from './addresses.js';
import { KeyRing } from './key-ring.js';
import { parseKeys } from './keys.js';
import { anonymous, NOBODY, OPEN, type Principal } from './principal.js';
import { unauthenticated } from './refusals.js';
import { nameOfRank, rankOf } from './scopes.js';
import type { AccessSettings } from './settings.js';
import { keysOfText, keysOfUrl, NO_KEYS } from './provider-keys.js';
import { TokenVerifier } from './tokens.js';
import { WatchedFile, type Content } from './watched-file.js';

export interface AccessOptions extends AccessSettings {
  readonly host: string;
  readonly dataDir: string;
}

/** Told when a watched file changes. */
export interface AccessLog {
  info(values: object, message: string): void;
  error(values: object, message: string): void;
}

export function keysFileOf({ keysFile, dataDir }: Pick<AccessOptions, 'keysFile' | 'dataDir'>): string {
  return keysFile ?? path.join(dataDir, 'keys.json');
}

/** Real paths of the files that hold secrets, or decide who is let in: nobody may register them as arrays. */
export async function secretFiles(options: AccessOptions): Promise<string[]> {
  const { jwks, tlsCert, tlsKey } = options;
  const files = [keysFileOf(options), ...[jwks, tlsCert, tlsKey].filter(file => typeof file === 'string')];
  const found = await Promise.all(files.map(async file => [await inRealFolder(file), await realPathOf(file)]));
  return found.flat();
}

async function inRealFolder(file: string): Promise<string> {
  return path.join(await realPathOf(path.dirname(path.resolve(file))), path.basename(file));
}

function realPathOf(file: string): Promise<string> {
  return fs.realpath(file).catch(() => path.resolve(file));
}

/** Names the scheme alone: what stands behind it may be a secret. */
function notBearer(authorization: string): string {
  const scheme = /^[A-Za-z-]{1,20}(?= )/.exec(authorization)?.[0];
  const came = scheme === undefined || /^bearer$/i.test(scheme) ? 'no "Bearer <key>"' : `of the scheme ${scheme}`;
  return `The Authorization header is ${came}. Send the word Bearer, a blank and a key or token: "Bearer <key>".`;
}

const ADMIN = rankOf(['admin']);

export class Access {
  readonly #hostNames: HostNames;
  /** True where a Host header is checked whoever asks, by setting. */
  readonly #checksHosts: boolean;
  readonly #isLocal: boolean;
  readonly #anonymous: Principal;
  readonly #keysFile: WatchedFile;
  readonly #tokens: TokenVerifier | undefined;
  readonly #jwksFile: WatchedFile | undefined;
  /** Undefined until there has been a key file: from then on keys are asked for. */
  #keys: KeyRing | undefined;
  #isOpen = false;
  /** Told when a file was read again: who was let in may not be any more. */
  onChanged: () => void = () => {};

  private constructor(options: AccessOptions, isLocal: boolean) {
    const { anonymous: scope, allowedHosts, jwks } = options;
    this.#anonymous = scope === 'off' ? NOBODY : anonymous(scope);
    this.#keysFile = new WatchedFile(keysFileOf(options));
    this.#jwksFile = typeof jwks === 'string' ? new WatchedFile(jwks) : undefined;
    this.#tokens =
      jwks === undefined
        ? undefined
        : new TokenVerifier(typeof jwks === 'string' ? NO_KEYS : keysOfUrl(jwks), {
            issuer: options.jwtIssuer,
            audience: options.jwtAudience!,
            scopeClaim: options.jwtScopeClaim,
            datasetsClaim: options.jwtDatasetsClaim,
          });
    this.#isLocal = isLocal;
    this.#checksHosts = allowedHosts.length > 0;
    this.#hostNames = new HostNames(allowedHosts);
  }

  /** Reads keys and decides. @throws ConfigError when the service must not start like this */
  static async prepare(options: AccessOptions): Promise<Access> {
    const addresses = await addressesOf(options.host).catch((error: Error) => {
      throw new ConfigError(`HYPERSLAB_HOST=${options.host} is not allowed: ${error.message}`);
    });
    const isLocal = addresses.every(isLoopback);
    const access = new Access(options, isLocal);
    await access.#loadAtStart(options.keysFile !== undefined);
    const isControlled = access.#keys !== undefined || access.#tokens !== undefined;
    if (!isControlled && options.anonymous === 'off') {
      if (!isLocal) failOpenToAll(options.host);
      access.#isOpen = true;
    }
    return access;
  }

  /** True where everybody may do everything. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** What a Host header may hold, or undefined where anything may: a page of another site cannot send a key. */
  get hostNames(): HostNames | undefined {
    const needsNoKey = this.#isOpen || this.#anonymous !== NOBODY;
    // Whoever lets everybody administer must not let pages of other sites do so, wherever it listens.
    const isCheckedAnyway = this.#checksHosts || this.#anonymous.rank === ADMIN;
    return isCheckedAnyway || (this.#isLocal && needsNoKey) ? this.#hostNames : undefined;
  }

  /** True for a name that was given by setting. */
  listsHost(name: string): boolean {
    return this.#hostNames.lists(name);
  }

  /** For the log. */
  get summary(): string {
    const doors = [
      this.#isOpen ? 'open' : '',
      this.#keys ? `${this.#keys.size} keys` : '',
      this.#tokens ? 'tokens' : '',
      this.#anonymous === NOBODY ? '' : `anonymous ${nameOfRank(this.#anonymous.rank)}`,
    ];
    return doors.filter(Boolean).join(', ');
  }

  /**
   * Who sends this Authorization header. NOBODY has sent none; what has been sent must hold.
   * @throws unauthenticated, keys_unavailable
   */
  identify(authorization: string | undefined): Principal | Promise<Principal> {
    if (this.#isOpen) return OPEN;
    if (authorization === undefined) return this.#anonymous;
    const token = /^bearer +([A-Za-z0-9\-._~+/]+=*) *$/i.exec(authorization)?.[1];
    if (token === undefined) {
      throw unauthenticated('invalid_token', notBearer(authorization));
    }
    if (token.startsWith('hs_') || !this.#tokens) return (this.#keys ?? NO_RING).verify(token);
    return this.#tokens.verify(token);
  }

  /** Asked again when the sockets are open, since a name may have been resolved anew. @throws ConfigError */
  checkListening(addresses: readonly string[]): void {
    if (this.#isOpen && !addresses.every(isLoopback)) failOpenToAll(addresses.join(', '));
  }

  /** Follows changes of the files from now on. */
  watch(log: AccessLog): void {
    this.#keysFile.watch(content => this.#keysChanged(content, log));
    this.#jwksFile?.watch(content => this.#jwksChanged(content, log));
  }

  /** Looks at the files at once. */
  async lookAgain(): Promise<void> {
    await Promise.all([this.#keysFile.lookAgain(), this.#jwksFile?.lookAgain()]);
  }

  close(): void {
    this.#keysFile.close();
    this.#jwksFile?.close();
  }

  async #loadAtStart(mustExist: boolean): Promise<void> {
    const keys = await this.#keysFile.read();
    const fault = this.#takeKeys(keys);
    if (fault !== undefined) {
      throw new ConfigError(
        `The key file ${this.#keysFile.path} is refused: ${fault}. Mend it, or move it away and make new keys with "hyperslab keys add".`,
      );
    }
    if (mustExist && !this.#keys) {
      throw new ConfigError(
        `HYPERSLAB_KEYS_FILE=${this.#keysFile.path} is not there. Make the first key with "hyperslab keys add".`,
      );
    }
    if (!this.#jwksFile) return;
    const jwks = this.#takeJwks(await this.#jwksFile.read());
    if (jwks !== undefined) {
      throw new ConfigError(
        `HYPERSLAB_JWKS=${this.#jwksFile.path} is refused: ${jwks}. It should hold {"keys": […]} as the identity provider publishes it.`,
      );
    }
  }

  #keysChanged(content: Content, log: AccessLog): void {
    // A file that goes away leaves a service that knew keys without any, not open.
    const fault =
      this.#takeKeys(content) ?? ('text' in content && content.text === undefined ? 'it is gone' : undefined);
    const { path: file } = this.#keysFile;
    if (fault !== undefined) {
      this.#keys = NO_RING;
      log.error({ file, fault }, 'the key file cannot be used: no key holds until it is mended');
    } else log.info({ file, keys: this.#keys?.size }, 'the key file was read again');
    this.#isOpen = false;
    this.onChanged();
  }

  #jwksChanged(content: Content, log: AccessLog): void {
    const fault = this.#takeJwks(content);
    const { path: file } = this.#jwksFile!;
    if (fault !== undefined) {
      this.#tokens!.replaceKeys(NO_KEYS);
      log.error({ file, fault }, 'the JWK Set cannot be used: no token holds until it is mended');
    } else log.info({ file }, 'the JWK Set was read again');
    this.onChanged();
  }

  /** Takes the keys of a file; returns what is wrong with it. */
  #takeKeys(content: Content): string | undefined {
    if ('error' in content) return content.error.message;
    if (content.text === undefined) return undefined;
    try {
      this.#keys = new KeyRing(parseKeys(content.text));
      return undefined;
    } catch (error) {
      return (error as Error).message;
    }
  }

  #takeJwks(content: Content): string | undefined {
    if ('error' in content) return content.error.message;
    if (content.text === undefined) return 'it is gone';
    try {
      this.#tokens!.replaceKeys(keysOfText(content.text));
      return undefined;
    } catch {
      return 'it is not a JWK Set';
    }
  }
}

const NO_RING = new KeyRing([]);

function failOpenToAll(host: string): never {
  throw new ConfigError(
    `HYPERSLAB_HOST=${host} can be reached from other machines, and there are no keys. Make one with "hyperslab keys ` +
      'add --name <name> --scope admin", set HYPERSLAB_JWKS, or let everybody in with HYPERSLAB_ANONYMOUS=read, write or admin.',
  );
}
