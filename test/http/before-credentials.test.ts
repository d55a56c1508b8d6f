/** Without credentials nothing of the memory for requests, no body and no disk is taken. */
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import t from 'tap';
import { addKey } from '../helpers/keys.js';
import { headText } from '../helpers/request-text.js';
import { start, temporaryFolder } from '../helpers/server.js';
import { eventually, MiB } from '../system/calls.js';

const OCTETS = 'application/octet-stream';
const HEADS: Readonly<Record<string, string>> = {
  'a body that is parsed': headText('POST', '/v1/statistics', MiB),
  'a body in chunks': headText('POST', '/v1/statistics', 'chunked'),
  'a write': headText('PUT', '/v1/datasets/a/data', 4 * MiB, OCTETS),
  'a bulk load': headText('PUT', '/v1/datasets/a/data?durability=none', 4 * MiB, OCTETS),
  'an import': headText('PUT', '/v1/datasets/b', 4 * MiB, 'application/x-npy'),
};

t.test('who shows no key, or a wrong one, takes no memory and no disk', async t => {
  const dataDir = temporaryFolder();
  const authorization = `Bearer ${await addKey(dataDir, ['admin'])}`;
  const server = await start(t, { dataDir });
  const filesOf = (): string[] =>
    ['arrays', 'catalog', 'journal'].flatMap(room => fs.readdirSync(path.join(dataDir, room)));
  const heldBytes = async (): Promise<number> => {
    const text = await (await server.fetch('/metrics', { headers: { authorization } })).text();
    return Number(/^hyperslab_held_bytes (\d+)$/m.exec(text)![1]);
  };
  const before = filesOf();
  const connections = Object.entries(HEADS).flatMap(([title, head]) =>
    ['', 'authorization: Bearer wrong\r\n'].map(credentials => {
      const connection = { title, told: '', isClosed: false };
      const socket = net.connect(Number(new URL(server.url).port), '127.0.0.1');
      t.teardown(() => socket.destroy());
      socket.on('data', (chunk: Buffer) => (connection.told += chunk.toString('latin1')));
      socket.on('error', () => undefined).on('close', () => (connection.isClosed = true));
      socket.write(head.replace('\r\n\r\n', `\r\n${credentials}\r\n`));
      return connection;
    }),
  );
  let mostHeld = 0;
  await eventually(async () => {
    mostHeld = Math.max(mostHeld, await heldBytes());
    return connections.every(({ isClosed }) => isClosed);
  });
  t.equal(mostHeld, 0, 'bytes that are held for them');
  for (const { title, told } of connections) t.match(told, /^HTTP\/1.1 401 /, title);
  t.strictSame(filesOf(), before, 'no file came');
});
