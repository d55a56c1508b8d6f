/**
 * The client of ours, in a process of its own: one kept connection, a request per line, timed from its first byte to the
 * last of the answer. Answers {status, ms, body?}, the body as base64. Usage: ask-child.js URL
 */
import http from 'node:http';
import { performance } from 'node:perf_hooks';
import { createInterface } from 'node:readline';

export interface Question {
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Text. */
  readonly body?: string;
  readonly bodyBase64?: string;
}

export interface Told {
  readonly status: number;
  readonly ms: number;
  readonly body: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
}

const base = process.argv[2]!;
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(await ask(JSON.parse(line) as Question))}\n`);
}
agent.destroy();

function ask({ method, path, headers, body, bodyBase64 }: Question): Promise<Told> {
  const sent = Buffer.from(bodyBase64 ?? body ?? '', bodyBase64 === undefined ? 'utf8' : 'base64');
  const started = performance.now();
  return new Promise((resolve, reject) => {
    const request = http.request(base + path, { method, agent, headers }, response => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.once('error', reject);
      response.once('end', () => {
        const ms = performance.now() - started;
        const body = Buffer.concat(parts).toString('base64');
        resolve({ status: response.statusCode!, ms, body, headers: response.headers as Told['headers'] });
      });
    });
    request.once('error', reject);
    request.end(sent);
  });
}
