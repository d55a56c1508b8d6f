/** A service with one root, whose files tests register under names that they do not care for. */
import fs from 'node:fs';
import type { Test } from 'tap';
import { start, temporaryFolder, type TestServer } from './server.js';

type Json = Record<string, unknown>;

export interface Rooted {
  readonly server: TestServer;
  readonly root: string;
  readonly send: (method: string, where: string, body: unknown) => Promise<[number, Json]>;
  readonly create: (body: Json) => Promise<[number, Json]>;
}

export async function serveRoot(t: Test): Promise<Rooted> {
  const root = temporaryFolder();
  t.teardown(() => fs.rmSync(root, { recursive: true, force: true }));
  const server = await start(t, { env: { HYPERSLAB_ROOTS: root } });
  const send = async (method: string, where: string, body: unknown): Promise<[number, Json]> => {
    const answer = await server.fetch(where, {
      method,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    return [answer.status, (await answer.json()) as Json];
  };
  let made = 0;
  return { server, root, send, create: body => send('POST', '/v1/datasets', { name: `d${made++}`, ...body }) };
}
