/**
 * The same writes with no service between: each writer does a positional write and an fdatasync, again and again.
 * Prints what it counted. Usage: pwrite-loop.js FILE WRITERS SECONDS
 */
import fs from 'node:fs/promises';
import { performance } from 'node:perf_hooks';
import { BLOCK_BYTES, rowsOf } from './blocks.js';

const [fileName, writers, seconds] = process.argv.slice(2) as [string, string, string];
const file = await fs.open(fileName, 'r+');
const block = Buffer.alloc(BLOCK_BYTES, 1);
const started = performance.now();
const end = started + Number(seconds) * 1000;
let acks = 0;

await Promise.all(Array.from({ length: Number(writers) }, (_, writer) => write(writer)));
process.stdout.write(JSON.stringify({ acks, seconds: (performance.now() - started) / 1000 }));
await file.close();

async function write(writer: number): Promise<void> {
  for (const row of rowsOf(writer)) {
    if (performance.now() >= end) return;
    await file.write(block, 0, BLOCK_BYTES, row * BLOCK_BYTES);
    await file.datasync();
    acks++;
  }
}
