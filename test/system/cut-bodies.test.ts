/** Connections that end in the middle of a body: nothing is changed, and nothing is left behind. */
import fs from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { constantOf, npyOf } from '../helpers/bytes.js';
import { start } from '../helpers/server.js';
import { binary, create, describe, eventually, metric, MiB, outcome, readRaw, upload } from './calls.js';

const server = await start(t);

function filesOf(folder: string): string[] {
  return fs.readdirSync(folder).sort();
}

t.test('a body that is cut changes nothing', async t => {
  await create(server, { name: 'whole', dtype: '|u1', shape: [MiB], fill: 7 });
  const before = await describe(server, 'whole');
  const url = `${server.url}/v1/datasets/whole/data`;
  const data = Buffer.alloc(MiB, 9);
  const bodies = [
    ['application/octet-stream', data],
    ['application/x-npy', npyOf('|u1', [MiB], data)],
    ['application/json', Buffer.from(JSON.stringify(Array.from(data)))],
  ] as const;
  for (const [type, body] of bodies) {
    for (const chunked of [false, true]) {
      const sent = upload('PUT', url, { 'content-type': type, ...(!chunked && { 'content-length': body.byteLength }) });
      await sent.send(body.subarray(0, body.byteLength - 1000));
      t.ok(await eventually(async () => (await metric(server, 'hyperslab_held_bytes')) > 0), `${type} is on its way`);
      sent.request.destroy();
      t.ok(
        await eventually(async () => (await metric(server, 'hyperslab_held_bytes')) === 0),
        'its memory is free again',
      );
      t.equal(constantOf(await readRaw(server, 'whole')), 7, `${type} cut${chunked ? ', chunked' : ''}`);
    }
  }
  t.equal((await describe(server, 'whole')).generation, before.generation, 'no generation was made');
  const written = await server.fetch('/v1/datasets/whole/data', binary('PUT', data));
  t.equal(await outcome(written), '200', 'a whole body is still taken');
});

t.test('an import that is cut leaves neither a dataset nor a file', async t => {
  const arrays = path.join(server.dataDir, 'arrays');
  const before = filesOf(arrays);
  const body = npyOf('<f8', [MiB], Buffer.alloc(8 * MiB, 1));
  for (const [cut, chunked] of [
    [5 * MiB, false],
    [5 * MiB, true],
    [20, false],
    [body.byteLength - 1, true],
  ] as const) {
    const sent = upload('PUT', `${server.url}/v1/datasets/imported`, {
      'content-type': 'application/x-npy',
      ...(!chunked && { 'content-length': body.byteLength }),
    });
    await sent.send(body.subarray(0, cut));
    if (cut > 1000) {
      t.ok(await eventually(() => filesOf(arrays).length > before.length), 'its temporary file is there');
      t.notOk(filesOf(arrays).includes('imported.npy'), 'under another name');
    }
    sent.request.destroy();
    t.ok(await eventually(() => filesOf(arrays).length === before.length), `cut after ${cut} bytes`);
    t.strictSame(filesOf(arrays), before);
    t.equal(await outcome(server.fetch('/v1/datasets/imported')), '404 unknown_dataset');
    // The name is held until everything is cleared away, and answers 503 busy meanwhile.
    const forget = (): Promise<string> => outcome(server.fetch('/v1/datasets/imported', { method: 'DELETE' }));
    t.ok(await eventually(async () => (await forget()) === '404 unknown_dataset'), 'the name is let go');
  }
  const whole = await server.fetch('/v1/datasets/imported', binary('PUT', body, 'application/x-npy'));
  t.equal(await outcome(whole), '201', 'the name is free');
});
