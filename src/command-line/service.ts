/**
 * A service that runs somewhere, as the commands talk to it: by HTTP, with a key where one is wanted. What it refuses
 * becomes a sentence. Hazard: where a connection breaks while an answer is awaited, nobody knows what was done.
 */
import type { Command } from 'commander';
import { parseExactJson } from '../formats/index.js';
import { nearest } from '../near.js';
import { INTERRUPTED, checkInterrupted } from './interrupted.js';
import { ToldError } from './told.js';

export interface ServiceOptions {
  readonly url?: string;
  readonly token?: string;
}

const DEFAULT_URL = 'http://127.0.0.1:8080';

/** Options of each command that talks to a service. What the environment says is not shown by --help: it may be secret. */
export function withService(command: Command): Command {
  return command
    .option('--url <url>', `the service; HYPERSLAB_URL, else ${DEFAULT_URL}`)
    .option('--token <key>', 'an API key or token; better in HYPERSLAB_TOKEN, where other users cannot see it');
}

/** How the commands say what a problem says of HTTP. */
const REMEDIES: Readonly<Record<string, string>> = {
  unauthenticated: 'A key is given by HYPERSLAB_TOKEN, or by --token.',
};

type Problem = Readonly<Record<string, unknown>>;

/** What a service refused, with the code of its problem. */
export class Refused extends ToldError {
  readonly status: number;
  readonly code: string | undefined;

  constructor(status: number, problem: Problem, said = sentenceOf(problem)) {
    const code = textOf(problem['code']);
    const remedy = REMEDIES[code ?? ''];
    super(
      [said ?? `The service answered ${status}.`, remedy, `(${status}${code ? ` ${code}` : ''})`]
        .filter(Boolean)
        .join(' '),
    );
    this.status = status;
    this.code = code;
  }
}

/** The connection broke, or there was none: what was sent may have been done, or not. */
export class Unreached extends ToldError {}

export type Init = RequestInit & { duplex?: 'half' };

export class Service {
  readonly url: string;
  readonly #headers: Readonly<Record<string, string>>;

  constructor({ url: asked, token: given }: ServiceOptions) {
    const { HYPERSLAB_URL: usual, HYPERSLAB_TOKEN: secret } = process.env;
    const url = asked ?? (usual || DEFAULT_URL);
    if (!/^https?:\/\/[^/]/.test(url)) {
      throw new ToldError(
        `${asked === undefined ? 'HYPERSLAB_URL' : '--url'} is ${url}; it begins with http:// or https://.`,
      );
    }
    const token = given ?? secret;
    this.url = url.replace(/\/+$/, '');
    this.#headers = token ? { authorization: `Bearer ${token}` } : {};
  }

  /** An answer that is a success. @throws Refused, Unreached */
  async fetch(where: string, init: Init = {}): Promise<Response> {
    const headers = { ...this.#headers, ...(init.headers as Record<string, string> | undefined) };
    let response: Response;
    try {
      response = await fetch(`${this.url}${where}`, { ...init, headers, signal: INTERRUPTED });
    } catch (error) {
      checkInterrupted();
      throw new Unreached(
        `${this.url} cannot be reached${causeOf(error)}. Is the service running? Say where with --url.`,
      );
    }
    if (response.ok) return response;
    const problem = (await response.json().catch(() => ({}))) as Problem;
    const { status } = response;
    throw new Refused(
      status,
      problem,
      problem['code'] === 'unknown_dataset' ? await this.#unknown(problem) : undefined,
    );
  }

  /** The body of an answer as JSON, integers with all their digits. @throws Refused, Unreached */
  async json<T>(where: string, init?: Init): Promise<T> {
    const response = await this.fetch(where, init);
    const text = await response.text().catch((error: unknown) => this.failCut(error));
    try {
      return parseExactJson(text) as T;
    } catch {
      throw new ToldError(`What answers at ${this.url} is no Hyperslab. Say where it is with --url.`);
    }
  }

  /** An answer that ended before its end. @throws Unreached */
  failCut(error: unknown): never {
    checkInterrupted();
    throw new Unreached(`The answer of ${this.url} was cut${causeOf(error)}.`);
  }

  /** Names the dataset that may have been meant. */
  async #unknown(problem: Problem): Promise<string | undefined> {
    const name = textOf(problem['dataset']);
    if (name === undefined) return undefined;
    const query = `/v1/datasets?limit=1000&fields=name`;
    const answer = await fetch(`${this.url}${query}`, { headers: this.#headers, signal: INTERRUPTED }).catch(
      () => undefined,
    );
    const list = (await answer?.json().catch(() => undefined)) as { datasets?: { name: string }[] } | undefined;
    const near = nearest(
      name,
      (list?.datasets ?? []).map(each => each.name),
    );
    return `No dataset is named "${name}".${near === undefined ? '' : ` Did you mean ${near}?`} "hyperslab ls" lists them.`;
  }
}

/** `/v1/datasets/{name}…` with the parameters that are given. */
export function pathOf(name: string, rest = '', query: Readonly<Record<string, string | undefined>> = {}): string {
  const given = Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const text = new URLSearchParams(given).toString();
  return `/v1/datasets/${encodeURIComponent(name)}${rest}${text === '' ? '' : `?${text}`}`;
}

function sentenceOf({ detail, title }: Problem): string | undefined {
  return (textOf(detail) ?? textOf(title))
    ?.replace('Import with ?overwrite=true', 'Say --overwrite')
    .replace(/member="([^"]*)"/, '--member $1');
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function causeOf(error: unknown): string {
  const { cause } = error as { cause?: { code?: unknown } };
  return typeof cause?.code === 'string' ? ` (${cause.code})` : '';
}
