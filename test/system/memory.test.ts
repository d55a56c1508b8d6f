/**
 * What the service holds in memory of its own (RssAnon) while gigabytes pass through it. Pages of mapped files are the
 * kernel's to take back and do not count.
 */
import fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { createGunzip } from 'node:zlib';
import t from 'tap';
import { caseCount } from '../helpers/cases.js';
import { rssAnonBytes } from '../helpers/memory.js';
import { startServer, type TestServer } from '../helpers/server.js';
import { create, freeBytes, get, GiB, json, MiB, upload } from './calls.js';

const SAMPLE_MS = 50;
/** 4 GB of float32 in full. */
const ROWS = caseCount(250_000, 1_000_000);
const COLUMNS = 1000;
const PIECE_BYTES = 4 * MiB;
/** Of tables, which are encoded as they are sent; a cell is four bytes, as a float32 and as `0.0` with its comma. 4 GB in full. */
const TABLE_ROWS = caseCount(50_000, 1_000_000);
const TABLES = [
  ['csv', undefined],
  ['csv', 'gzip'],
  ['arrow', undefined],
] as const;
const UPLOAD_PIECES = caseCount(100, 250);

/** Runs `work` and returns the largest RssAnon seen meanwhile. */
async function peakWhile(server: TestServer, work: () => Promise<void>): Promise<number> {
  let peak = rssAnonBytes(server.pid);
  const timer = setInterval(() => (peak = Math.max(peak, rssAnonBytes(server.pid))), SAMPLE_MS);
  try {
    await work();
  } finally {
    clearInterval(timer);
  }
  return Math.max(peak, rssAnonBytes(server.pid));
}

function inMiB(bytes: number): string {
  return `${Math.round(bytes / MiB)} MiB`;
}

const server = await startServer();
t.teardown(() => endAndRemove(server));

/** Killed: a graceful stop would sync a gigabyte that is deleted next. */
async function endAndRemove(ended: TestServer): Promise<void> {
  await ended.stop('SIGKILL');
  fs.rmSync(ended.dataDir, { recursive: true });
}

const noProc =
  fs.existsSync(`/proc/${server.pid}/status`) && rssAnonBytes(server.pid) > 0 ? false : 'no RssAnon in /proc';
const noRoom = freeBytes(server.dataDir) < 4 * GiB ? 'less than 4 GiB are free in the temporary folder' : false;

t.test(`${ROWS / 250_000} GB of float32`, { skip: noProc }, async t => {
  const array = { name: 'wide', dtype: '<f4', shape: [ROWS, COLUMNS], sparse: true };
  t.equal((await create(server, array)).state, 'ready');
  for (const [slice, value] of [
    ['0', 1],
    ['200000:200010', 0.5],
    ['-1', 2],
  ] as const) {
    const written = await server.fetch(`/v1/datasets/wide/data?slice=${slice}`, json('PUT', value));
    t.equal(written.status, 200);
    await written.text();
  }

  await t.test('their mean takes less than 300 MB', async t => {
    let answer: { count: number; results: { mean: number } } | undefined;
    const peak = await peakWhile(server, async () => {
      const response = await server.fetch('/v1/datasets/wide/statistics?ops=mean');
      answer = (await response.json()) as typeof answer;
    });
    t.equal(answer?.count, ROWS * COLUMNS);
    t.equal(answer?.results.mean, (COLUMNS * (1 + 10 * 0.5 + 2)) / (ROWS * COLUMNS));
    t.ok(peak < 300e6, `RssAnon reached ${inMiB(peak)}`);
  });

  await t.test('their download takes less than 200 MB', async t => {
    let bytes = 0;
    const peak = await peakWhile(server, async () => {
      const response = await get(`${server.url}/v1/datasets/wide/data?format=raw`);
      for await (const part of response as AsyncIterable<Buffer>) bytes += part.byteLength;
    });
    t.equal(bytes, 4 * ROWS * COLUMNS);
    t.ok(peak < 200e6, `RssAnon reached ${inMiB(peak)}`);
  });

  for (const [format, coding] of TABLES) {
    const title = coding ? `${format}, ${coding}` : format;
    await t.test(`${TABLE_ROWS / 250_000} GB of them as ${title} takes less than 200 MB`, async t => {
      let bytes = 0;
      const peak = await peakWhile(server, async () => {
        const headers = { 'accept-encoding': coding ?? 'identity' };
        const slice = `:${TABLE_ROWS}`;
        const response = await get(`${server.url}/v1/datasets/wide/data.${format}?slice=${slice}`, headers);
        t.equal(response.headers['content-encoding'], coding);
        const plain = coding ? response.pipe(createGunzip()) : response;
        for await (const part of plain as AsyncIterable<Buffer>) bytes += part.byteLength;
      });
      t.ok(bytes >= 4 * TABLE_ROWS * COLUMNS, `${bytes} bytes`);
      t.ok(peak < 200e6, `RssAnon reached ${inMiB(peak)}`);
    });
  }

  await t.test('ten clients that stop reading take less than 200 MB', async t => {
    const peak = await peakWhile(server, async () => {
      const url = `${server.url}/v1/datasets/wide/data?format=raw`;
      const answers = await Promise.all(Array.from({ length: 10 }, () => get(url)));
      for (const answer of answers) {
        answer.once('data', () => answer.pause());
        answer.on('error', () => undefined);
      }
      await sleep(3000);
      for (const answer of answers) answer.destroy();
    });
    t.ok(peak < 200e6, `RssAnon reached ${inMiB(peak)}`);
  });
});

const NODE = Number.parseInt(process.versions.node, 10);

t.test(
  `an upload of ${inMiB(UPLOAD_PIECES * PIECE_BYTES)} with durability none takes less than 200 MB, or 250 on newer Nodes`,
  { skip: noProc || noRoom },
  async t => {
    const server = await startServer();
    t.teardown(() => endAndRemove(server));
    const bytes = UPLOAD_PIECES * PIECE_BYTES;
    await create(server, { name: 'target', dtype: '<u4', shape: [bytes / 4], sparse: true });
    const piece = Buffer.alloc(PIECE_BYTES);
    const peak = await peakWhile(server, async () => {
      const sent = upload('PUT', `${server.url}/v1/datasets/target/data?durability=none`, {
        'content-type': 'application/octet-stream',
        'content-length': bytes,
      });
      for (let done = 0; done < UPLOAD_PIECES; done++) {
        piece.fill(1 + done * 0.5);
        await sent.send(piece);
      }
      const { status, text } = await sent.finish();
      t.equal(status, 200, text);
    });
    // Newer Nodes let more garbage of sockets gather before they collect it.
    t.ok(peak < (NODE < 22 ? 200e6 : 250e6), `RssAnon reached ${inMiB(peak)}`);
    const last = await server.fetch('/v1/datasets/target/rows/-1');
    const byte = Buffer.alloc(1).fill(1 + (UPLOAD_PIECES - 1) * 0.5)[0]!;
    t.equal(((await last.json()) as { data: number }).data, byte * 0x01010101);
  },
);
