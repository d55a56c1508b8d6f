/** Calls that the system tests share, and files that are mostly holes. */
import fs from 'node:fs';
import http, { type IncomingMessage } from 'node:http';
import type { Service } from '../helpers/server.js';

export const KiB = 1024;
export const MiB = 1024 * KiB;
export const GiB = 1024 * MiB;

export interface DatasetAnswer {
  readonly name: string;
  readonly id: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly order: string;
  readonly offset: number;
  readonly mode: string;
  readonly generation: number;
  readonly external: boolean;
  readonly state: string;
  readonly attrs: Readonly<Record<string, unknown>>;
  readonly dims: readonly string[] | null;
}

export function json(method: string, body: unknown): RequestInit {
  return { method, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}

export function binary(method: string, body: Uint8Array, type = 'application/octet-stream'): RequestInit {
  return { method, headers: { 'content-type': type }, body: body as Uint8Array<ArrayBuffer> };
}

export async function create(server: Service, request: Readonly<Record<string, unknown>>): Promise<DatasetAnswer> {
  const response = await server.fetch('/v1/datasets', json('POST', request));
  if (response.status !== 201) throw new Error(`not created: ${response.status} ${await response.text()}`);
  return (await response.json()) as DatasetAnswer;
}

export async function describe(server: Service, name: string): Promise<DatasetAnswer> {
  return (await (await server.fetch(`/v1/datasets/${name}`)).json()) as DatasetAnswer;
}

/** `"<status> <code>"`, with the reason behind it where the problem has one; `"200"` where there is no problem. */
export async function outcome(answer: Response | Promise<Response>): Promise<string> {
  const response = await answer;
  const body = await response.text();
  if (response.status < 400) return String(response.status);
  const { code, reason } = JSON.parse(body) as { code: string; reason?: string };
  return `${response.status} ${code}${reason === undefined ? '' : ` ${reason}`}`;
}

/** The raw bytes of a slice. @throws when the answer is not a whole 200 */
export async function readRaw(server: Service, name: string, slice = ''): Promise<Buffer> {
  const query = slice === '' ? '' : `&slice=${encodeURIComponent(slice)}`;
  const response = await server.fetch(`/v1/datasets/${name}/data?format=raw${query}`);
  if (response.status !== 200) throw new Error(`not read: ${response.status} ${await response.text()}`);
  return Buffer.from(await response.arrayBuffer());
}

/** Makes a file of zeros that takes no room, with `patches` written into it. */
export function sparseFile(
  target: string,
  bytes: number,
  patches: Iterable<readonly [offset: number, data: Uint8Array]>,
): void {
  const fd = fs.openSync(target, 'w+');
  try {
    fs.ftruncateSync(fd, bytes);
    for (const [offset, data] of patches) fs.writeSync(fd, data, 0, data.byteLength, offset);
  } finally {
    fs.closeSync(fd);
  }
}

/** Starts a GET and resolves with its answer, which nobody reads yet: the caller decides how fast. */
export function get(url: string, headers: http.OutgoingHttpHeaders = {}): Promise<http.IncomingMessage> {
  return new Promise((resolve, reject) => {
    http.get(url, { headers, agent: false }, resolve).on('error', reject);
  });
}

/** Everything that is left of an answer, and whether its end came. */
export async function rest(response: IncomingMessage): Promise<{ bytes: Buffer; whole: boolean }> {
  const parts: Buffer[] = [];
  try {
    for await (const part of response as AsyncIterable<Buffer>) parts.push(part);
  } catch {
    // Cut.
  }
  return { bytes: Buffer.concat(parts), whole: response.complete };
}

export interface Upload {
  readonly request: http.ClientRequest;
  /** Resolves when the socket took the bytes. */
  send(bytes: Uint8Array): Promise<void>;
  /** Ends the body and resolves with the status and text of the answer. */
  finish(): Promise<{ status: number; text: string }>;
}

/** A request whose body is sent piece by piece. */
export function upload(method: string, url: string, headers: http.OutgoingHttpHeaders): Upload {
  const request = http.request(url, { method, headers, agent: false });
  const answered = new Promise<{ status: number; text: string }>((resolve, reject) => {
    request.on('error', reject);
    request.on('response', response => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('end', () => resolve({ status: response.statusCode!, text: Buffer.concat(parts).toString() }));
      response.on('error', reject);
    });
  });
  // Cut on purpose, or awaited by `finish`.
  answered.catch(() => undefined);
  return {
    request,
    async send(bytes) {
      const failure = await new Promise<Error | null | undefined>(resolve => request.write(bytes, resolve));
      if (!failure) return;
      // The service may have answered before it had everything; else `answered` fails as the socket did.
      const { status, text } = await answered;
      throw new Error(`answered early: ${status} ${text}`, { cause: failure });
    },
    finish() {
      request.end();
      return answered;
    },
  };
}

/** Waits until `condition` holds; false after `timeoutMs`. */
export async function eventually(condition: () => boolean | Promise<boolean>, timeoutMs = 10_000): Promise<boolean> {
  for (const end = performance.now() + timeoutMs; performance.now() < end;) {
    if (await condition()) return true;
    await new Promise(resolve => setTimeout(resolve, 10));
  }
  return condition();
}

/** Bytes that are free on the file system of a folder. */
export function freeBytes(folder: string): number {
  const { bavail, bsize } = fs.statfsSync(folder);
  return bavail * bsize;
}

/** The value of a metric without labels. */
export async function metric(server: Service, name: string): Promise<number> {
  const text = await (await server.fetch('/metrics')).text();
  return Number(new RegExp(`^${name} (\\d+)`, 'm').exec(text)?.[1]);
}
