/** Bodies whose form is chosen to cost more than their bytes: small chunks, deep nesting, attrs for every list. */
import net from 'node:net';
import t from 'tap';
import { LIMITS } from '../../src/limits.js';
import { rssAnonBytes } from '../helpers/memory.js';
import { headText } from '../helpers/request-text.js';
import { start } from '../helpers/server.js';
import { startHere } from '../helpers/service-here.js';
import { metricsOf } from '../helpers/slow-server.js';
import { create, eventually, json, KiB, MiB } from '../system/calls.js';

const CHUNKS = 400_000;
/** A kept chunk costs about 400 bytes. */
const GROWTH_BYTES_MAX = 80 * MiB;
const READ_MS = 6000;
const PART = `1\r\n[\r\n`.repeat(10_000);

t.test('hundreds of thousands of chunks are joined as they come', async t => {
  const server = await start(t);
  await create(server, { name: 'a', dtype: 'u1', shape: [4 * MiB] });
  for (const [title, head] of [
    ['a body that is parsed', headText('POST', '/v1/statistics', 'chunked')],
    ['values as JSON', headText('PUT', '/v1/datasets/a/data', 'chunked')],
  ] as const) {
    await metricsOf(server);
    const before = rssAnonBytes(server.pid);
    const socket = net.connect(Number(new URL(server.url).port), '127.0.0.1');
    socket.on('error', () => undefined).resume();
    socket.write(head);
    for (let sent = 0; sent < CHUNKS; sent += 10_000) {
      // oxlint-disable-next-line no-await-in-loop
      await new Promise(resolve => socket.write(PART, resolve));
    }
    const grown = (): number => rssAnonBytes(server.pid) - before;
    // They are read in turns.
    const isKept = await eventually(() => grown() > GROWTH_BYTES_MAX, READ_MS);
    t.notOk(isKept, `${title}: ${Math.round(grown() / KiB)} KiB more`);
    socket.destroy();
  }
});

t.test('nesting is refused before it is parsed', async t => {
  const server = await startHere(t);
  const deep = `${'['.repeat(1000)}${']'.repeat(1000)}`;
  for (const [title, body] of [
    ['a megabyte of brackets', '['.repeat(MiB - 1)],
    ['nested attrs', `{"name":"a","dtype":"u1","shape":[1],"attrs":{"deep":${deep}}}`],
  ] as const) {
    const answer = await server.fetch('/v1/datasets', { ...json('POST', {}), body });
    t.equal(answer.status, 400, title);
    t.match(await answer.json(), { code: 'bad_request', limit: LIMITS.jsonDepthMax, detail: /nested deeper/ }, title);
  }
});

t.test('very many members or objects are refused before they are parsed', async t => {
  const server = await startHere(t);
  const names = Array.from({ length: LIMITS.jsonMembersMax + 1 }, (_, i) => `"k${i}":0`).join();
  for (const [title, body, limit, detail] of [
    ['members', `{"queries":[{${names}}]}`, LIMITS.jsonMembersMax, /An object of the body has more than \d+ members/],
    [
      'objects',
      `{"queries":[${'{},'.repeat(300_000)}{}]}`,
      LIMITS.jsonContainersMax,
      /more than \d+ lists and objects/,
    ],
  ] as const) {
    const answer = await server.fetch('/v1/statistics', { ...json('POST', {}), body });
    t.equal(answer.status, 413, title);
    t.match(await answer.json(), { code: 'too_large', limit, detail }, title);
  }
});

t.test('attrs have a size that a list of a thousand can bear', async t => {
  const server = await startHere(t);
  const body = (length: number): RequestInit =>
    json('POST', { name: `a${length}`, dtype: 'u1', shape: [1], attrs: { text: 'x'.repeat(length) } });
  t.equal((await server.fetch('/v1/datasets', body(LIMITS.attrsBytesMax - 11))).status, 201);
  const answer = await server.fetch('/v1/datasets', body(LIMITS.attrsBytesMax - 10));
  t.equal(answer.status, 413);
  t.match(await answer.json(), { code: 'too_large', limit: LIMITS.attrsBytesMax, asked: LIMITS.attrsBytesMax + 1 });
  const patch = json('PATCH', { attrs: { text: 'x'.repeat(LIMITS.attrsBytesMax) } });
  t.equal((await server.fetch(`/v1/datasets/a${LIMITS.attrsBytesMax - 11}`, patch)).status, 413);
});
