/** Readers and writers of one array, and of one name, at the same time. */
import { once } from 'node:events';
import fs from 'node:fs';
import type { IncomingMessage } from 'node:http';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { constantOf, npyOf } from '../helpers/bytes.js';
import { caseCount, IS_FULL } from '../helpers/cases.js';
import { start } from '../helpers/server.js';
import { binary, create, describe, get, json, MiB, outcome, rest } from './calls.js';

/** How much of 24 MiB a reader takes before the write. */
const READ_FIRST_MIB = IS_FULL ? [0, 2, 6, 10, 14, 17, 20, 22, 23, 23.5] : [0, 6, 17, 23.5];
const TURNS = caseCount(2, 10);
const REPLACEMENTS = caseCount(16, 40);

const server = await start(t);

t.test('a large answer during a write is whole, and of one generation', async t => {
  const bytes = 24 * MiB;
  await create(server, { name: 'read-slowly', dtype: '|u1', shape: [bytes] });
  const url = `${server.url}/v1/datasets/read-slowly/data?format=raw`;
  for (const [round, readFirst] of READ_FIRST_MIB.entries()) {
    const response = await get(url);
    const first = await take(response, readFirst * MiB);
    const written = await server.fetch('/v1/datasets/read-slowly/data', binary('PUT', Buffer.of(round + 1)));
    t.equal(await outcome(written), '200', 'a slow reader does not hold up the writer');
    const { bytes: others, whole } = await rest(response);
    const all = Buffer.concat([first, others]);
    t.ok(whole, `whole after ${readFirst} MiB`);
    t.equal(constantOf(all), round, 'and of one generation');
  }
});

t.test('the last bytes of an answer from a read-only mapping are not those of a later write', async t => {
  const faults: string[] = [];
  // The file is first open for reading only, when its mapped bytes go to the socket as they are.
  const bytes = 16 * MiB;
  let round = 0;
  /** Writes the file after a reader took some bytes and stopped; true when the reader still gets a whole answer. */
  const isWholeAfter = async (takenBytes: number): Promise<boolean> => {
    const file = path.join(server.dataDir, `server-${round++}.raw`);
    fs.writeFileSync(file, Buffer.alloc(bytes, 1));
    await create(server, { name: 'reader', path: path.basename(file) });
    const response = await get(`${server.url}/v1/datasets/reader/data?format=raw`);
    const first = await take(response, takenBytes);
    await sleep(40);
    await create(server, { name: 'writer', path: path.basename(file), mode: 'r+' });
    t.equal(await outcome(server.fetch('/v1/datasets/writer/data', binary('PUT', Buffer.of(2)))), '200');
    const { bytes: others, whole } = await rest(response);
    const all = Buffer.concat([first, others]);
    if (whole && constantOf(all) === undefined)
      faults.push(`a whole answer changes at byte ${all.indexOf(2)} of ${bytes}`);
    for (const name of ['reader', 'writer']) await server.fetch(`/v1/datasets/${name}`, { method: 'DELETE' });
    fs.rmSync(file);
    return whole;
  };
  // How much the kernel takes off the service's hands is found by halving; then its last piece is the one that waits.
  let [cut, whole] = [0, bytes];
  while (whole - cut > MiB / 4) {
    const middle = (cut + whole) / 2;
    if (await isWholeAfter(middle)) whole = middle;
    else cut = middle;
  }
  for (let more = 0; more < 1.2; more += 0.1) await isWholeAfter(Math.min(bytes, cut + more * MiB));
  t.strictSame(faults.slice(0, 5), [], `${round} slow readers`);
});

/** Reads some bytes and then stops reading. */
async function take(response: IncomingMessage, bytes: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  for (let taken = 0; taken < bytes;) {
    const part = response.read() as Buffer | null;
    if (part) {
      parts.push(part);
      taken += part.byteLength;
    } else await once(response, 'readable');
  }
  return Buffer.concat(parts);
}

t.test(
  'eight writers and eight readers of one array: every answer is one write, and that of its generation',
  async t => {
    await create(server, { name: 'contended', dtype: '|u1', shape: [1024, 1024], fill: 0 });
    const valueOf = new Map([[(await describe(server, 'contended')).generation, 0]]);
    const seen: { generation: number; value: number | undefined; call: string }[] = [];
    const progress = { writing: true };
    const writers = Array.from({ length: 8 }, async (_, i) => {
      for (let turn = 0; turn < TURNS; turn++) {
        const value = 1 + i * TURNS + turn;
        const response = await server.fetch('/v1/datasets/contended/data', binary('PUT', Buffer.alloc(MiB, value)));
        const { generation } = (await response.json()) as { generation: number };
        t.notOk(valueOf.has(generation), `generation ${generation} belongs to one write`);
        valueOf.set(generation, value);
      }
    });
    const calls = ['data?format=raw', 'data?format=npy', 'data?format=raw&slice=::-1,::3', 'data?slice=:,5', 'stats'];
    const readers = Array.from({ length: 8 }, async (_, i) => {
      for (let turn = i; progress.writing; turn++) {
        const call = calls[turn % calls.length]!;
        const response = await server.fetch(
          `/v1/datasets/contended/${call === 'stats' ? 'statistics?ops=min,max' : call}`,
        );
        const body = Buffer.from(await response.arrayBuffer());
        if (response.status !== 200) {
          t.match(body.toString(), /busy_writing/, 'only a statistic may give up');
          continue;
        }
        const generation = Number(response.headers.get('x-dataset-generation'));
        seen.push({ generation, value: valueIn(call, body), call });
      }
    });
    await Promise.all(writers);
    progress.writing = false;
    await Promise.all(readers);
    t.equal(valueOf.size, 1 + 8 * TURNS);
    const wrong = seen.filter(({ generation, value }) => value === undefined || valueOf.get(generation) !== value);
    t.strictSame(wrong, [], `${seen.length} answers`);
    for (const call of calls)
      t.ok(
        seen.some(each => each.call === call),
        call,
      );

    function valueIn(call: string, body: Buffer): number | undefined {
      if (call === 'stats') {
        const { results } = JSON.parse(body.toString()) as { results: { min: number; max: number } };
        return results.min === results.max ? results.min : undefined;
      }
      if (call === 'data?slice=:,5') {
        const { data } = JSON.parse(body.toString()) as { data: number[] };
        return constantOf(Buffer.from(data));
      }
      return constantOf(call === 'data?format=npy' ? body.subarray(body.byteLength - MiB) : body);
    }
  },
);

t.test('writes, overwrites and deletions of one name at a time never fail with an internal error', async t => {
  const request = { name: 'churned', dtype: '|u1', shape: [1000], mode: 'w+', overwrite: true };
  await create(server, request);
  const outcomes = await Promise.all(
    Array.from({ length: 90 }, async (_, i) => {
      if (i % 30 === 10) return outcome(server.fetch('/v1/datasets/churned?data=delete', { method: 'DELETE' }));
      if (i % 10 === 5) return outcome(server.fetch('/v1/datasets', json('POST', request)));
      return outcome(server.fetch('/v1/datasets/churned/data', binary('PUT', Buffer.of(i))));
    }),
  );
  t.strictSame(
    outcomes.filter(each => /^500|io_error/.test(each)),
    [],
  );
});

t.test('an array that is overwritten again and again is read and written meanwhile without a wrong answer', async t => {
  const name = 'replaced-often';
  await create(server, { name, dtype: '|u1', shape: [1000] });
  const url = `/v1/datasets/${name}`;
  const progress = { isRunning: true };
  const odd: string[] = [];
  const read = async (): Promise<void> => {
    for (let highest = 0; progress.isRunning;) {
      const response = await server.fetch(`${url}/data?format=raw`);
      const bytes = new Uint8Array(await response.arrayBuffer());
      const generation = Number(response.headers.get('x-dataset-generation'));
      if (response.status === 200) {
        if (generation < highest) odd.push(`generation ${generation} after ${highest}`);
        if (bytes.some(byte => byte !== bytes[0])) odd.push('a mixture');
        highest = generation;
      } else if (response.status !== 409) odd.push(`read: ${response.status}`);
    }
  };
  const write = async (): Promise<void> => {
    for (let value = 0; progress.isRunning; value++) {
      const answer = await outcome(server.fetch(`${url}/data`, binary('PUT', Buffer.alloc(1000, value))));
      if (!/^(200|409|503 busy)/.test(answer)) odd.push(`write: ${answer}`);
    }
  };
  const running = [read(), read(), read(), write(), write()];
  let replaced = 0;
  for (let i = 0; i < REPLACEMENTS; i++) {
    const body = npyOf('|u1', [1000], Buffer.alloc(1000, i));
    const answer = await outcome(server.fetch(`${url}?overwrite=true`, binary('PUT', body, 'application/x-npy')));
    if (answer === '200') replaced++;
    else if (!/^(409|503)/.test(answer)) odd.push(`overwrite: ${answer}`);
  }
  progress.isRunning = false;
  await Promise.all(running);
  t.strictSame([...new Set(odd)], []);
  t.ok(replaced > REPLACEMENTS / 2, `${replaced} times replaced`);
});
