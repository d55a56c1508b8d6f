/**
 * A service that runs somewhere, as the commands talk to it: by HTTP, with a key where one is wanted. What it refuses
 * becomes a sentence. Hazard: where a connection breaks while an answer is awaited, nobody knows what was done.
 */
import type { Command } from 'commander';
import { ToldError } from './told.js';

export interface ServiceOptions {
  readonly url: string;
  readonly token?: string;
}

const DEFAULT_URL = 'http://127.0.0.1:8080';

/** Options of each command that talks to a service. */
export function withService(command: Command): Command {
  const { HYPERSLAB_URL: url, HYPERSLAB_TOKEN: token } = process.env;
  return command
    .option('--url <url>', `the service; HYPERSLAB_URL, else ${DEFAULT_URL}`, url || DEFAULT_URL)
    .option('--token <key>', 'an API key or token; better in HYPERSLAB_TOKEN, where other users cannot see it', token);
}

/** What a service refused, with the code of its problem. */
export class Refused extends ToldError {
  readonly status: number;
  readonly code: string | undefined;
  readonly problem: Readonly<Record<string, unknown>>;

  constructor(status: number, problem: Readonly<Record<string, unknown>>) {
    const { code, detail, title } = problem;
    super(
      `${textOf(detail) ?? textOf(title) ?? `The service answered ${status}.`}${code === undefined ? '' : ` (${status} ${textOf(code)})`}`,
    );
    this.status = status;
    this.code = textOf(code);
    this.problem = problem;
  }
}

/** The connection broke, or there was none: what was sent may have been done, or not. */
export class Unreached extends ToldError {}

export class Service {
  readonly #url: string;
  readonly #headers: Readonly<Record<string, string>>;

  constructor({ url, token }: ServiceOptions) {
    if (!/^https?:\/\/[^/]/.test(url)) throw new ToldError(`--url is ${url}; it begins with http:// or https://.`);
    this.#url = url.replace(/\/+$/, '');
    this.#headers = token === undefined || token === '' ? {} : { authorization: `Bearer ${token}` };
  }

  /** An answer that is a success. @throws Refused, Unreached */
  async fetch(where: string, init: RequestInit & { duplex?: 'half' } = {}): Promise<Response> {
    const headers = { ...this.#headers, ...(init.headers as Record<string, string> | undefined) };
    const response = await fetch(`${this.#url}${where}`, { ...init, headers }).catch((error: unknown) => {
      throw new Unreached(
        `${this.#url} cannot be reached${causeOf(error)}. Is the service running? Say where with --url.`,
      );
    });
    if (response.ok) return response;
    const problem = (await response.json().catch(() => ({}))) as Readonly<Record<string, unknown>>;
    throw new Refused(response.status, problem);
  }

  async json<T>(where: string, init?: RequestInit & { duplex?: 'half' }): Promise<T> {
    return (await (await this.fetch(where, init)).json()) as T;
  }
}

/** `/v1/datasets/{name}…` with the parameters that are given. */
export function pathOf(name: string, rest = '', query: Readonly<Record<string, string | undefined>> = {}): string {
  const given = Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const text = new URLSearchParams(given).toString();
  return `/v1/datasets/${encodeURIComponent(name)}${rest}${text === '' ? '' : `?${text}`}`;
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function causeOf(error: unknown): string {
  const { cause } = error as { cause?: { code?: unknown } };
  return typeof cause?.code === 'string' ? ` (${cause.code})` : '';
}
