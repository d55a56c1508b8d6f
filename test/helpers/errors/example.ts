/** An example of an error: a call, the service that it is asked of, and how docs/errors.md shows it. */

/** Services that differ in their settings, and in what happens to them meanwhile. */
export type SceneName = 'open' | 'busy' | 'keyed' | 'tokens' | 'limited' | 'stalling' | 'broken';

export interface Example {
  readonly method: string;
  /** As it is shown: not percent-encoded. */
  readonly path: string;
  /** A blank one is left out, which is shown. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  /** Words for a body that is no text. */
  readonly words?: string;
  /** The open service unless it says another. */
  readonly scene?: SceneName;
}

type More = Partial<Omit<Example, 'method' | 'path' | 'body'>>;

export const get = (path: string, headers?: Example['headers'], more: More = {}): Example => ({
  method: 'GET',
  path,
  ...(headers && { headers }),
  ...more,
});

const JSON_TYPE = 'application/json';

const sends =
  (method: string) =>
  (path: string, body: unknown, headers?: Example['headers'], more: More = {}): Example => ({
    method,
    path,
    headers: { 'Content-Type': JSON_TYPE, ...headers },
    body: typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body),
    ...more,
  });

/** Text is sent as it stands, and all else as JSON. */
export const post = sends('POST');
export const put = sends('PUT');
export const patch = sends('PATCH');

export const RAW = { 'Content-Type': 'application/octet-stream' };
export const CSV = { 'Content-Type': 'text/csv' };
export const NPY = { 'Content-Type': 'application/x-npy' };

export const remove = (path: string, more: More = {}): Example => ({ method: 'DELETE', path, ...more });

/** A call on one line: the request, its headers unless they say that the body is JSON, and the body. */
export function shownCall({ method, path, headers = {}, body, words }: Example): string {
  const told = Object.entries(headers).filter(([, value]) => value !== JSON_TYPE);
  const fields = told.map(([name, value]) => (value === '' ? `no \`${name}\`` : `\`${name}: ${shortened(value)}\``));
  const sent = body === undefined || body.length === 0 ? [] : [words ?? `\`${shortened(String(body))}\``];
  const parts = [...fields, ...sent];
  return `\`${method} ${shortened(path)}\`${parts.length > 0 ? ` with ${parts.join(' and ')}` : ''}`;
}

/** Long texts are shown by both ends. */
function shortened(text: string): string {
  return text.length <= 160 ? text : `${text.slice(0, 60)}…${text.slice(-20)}`;
}

/** The path of a request, percent-encoded where that is needed. */
export function encoded(path: string): string {
  return encodeURI(path).replaceAll('%25', '%');
}

/** What differs from run to run: ids, users, and seconds that were counted. */
export function steady(detail: string): string {
  return detail
    .replaceAll(/\b[0-9a-f]{24}\b/g, '0123456789abcdef01234567')
    .replaceAll(/\bin \d+ s\b/g, 'in 30 s')
    .replaceAll(/\buser \d+/g, 'user 1000');
}

/** Text as Markdown that shows it letter by letter. */
export function markdown(text: string): string {
  return text
    .replaceAll(/[\\`*<]/g, String.raw`\$&`)
    .replaceAll('](', String.raw`]\(`)
    .replaceAll(/(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])/g, String.raw`\_`);
}
