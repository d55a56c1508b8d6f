/**
 * A run of the service on a disk that logs what it is told, and power cuts made again at any point of that log: the
 * service is started on what each would have left.
 */
import path from 'node:path';
import type { Random } from '../helpers/random.js';
import { startServer, type TestServer } from '../helpers/server.js';
import { binary, eventually, readRaw } from '../system/calls.js';
import { Cuts } from './disk/cuts.js';
import { copyImage, ForgetfulDisk, isWhole, mountImage, type DiskRoom } from './disk/forgetful-disk.js';
import { hasBatches, makeArrays, runLoad, type Oracle, type WriterPlan } from './load.js';
import { RecordedOracle } from './recorded-oracle.js';

/** Of all writers in one of three stretches. A slow machine takes its time. */
const RECORDED_ACKS = 120;
const ACKS_MS_MAX = 30_000;

interface Stretch {
  readonly from: number;
  readonly to: number;
}

export interface Recording {
  readonly oracle: RecordedOracle;
  readonly cuts: Cuts;
  /** Positions of the log from the first write to the clean stop. */
  readonly whole: Stretch;
  /** From a kill of the service to the end of the recovery behind it. */
  readonly recovery: Stretch;
}

/** Writes, a flush, a kill, a recovery, more writes, a clean stop. */
export async function record(room: DiskRoom, name: string, writers: readonly WriterPlan[]): Promise<Recording> {
  const image = room.format(`${name}.img`);
  const flushed = room.path(`${name}.flushed.img`);
  const log = room.path(`${name}.log`);
  copyImage(image, flushed);
  const disk = await ForgetfulDisk.start(room, image, { log });
  let server = await startOn(disk.folder);
  try {
    await makeArrays(server);
    const position = (): number => disk.position();
    const oracle = new RecordedOracle({ hasBatches: await hasBatches(server), writers, position });
    const from = position();
    let clients = runLoad(server, oracle);
    await someAcks(oracle);
    await moreAcks(oracle);
    await server.fetch('/v1/datasets/main/flush', { method: 'POST' });
    await moreAcks(oracle);
    await server.stop('SIGKILL');
    await Promise.all(clients);
    const killed = position();
    server = await startOn(disk.folder);
    await oracle.check(server, 'after the kill');
    const recovery = { from: killed, to: position() };
    clients = runLoad(server, oracle);
    await moreAcks(oracle);
    await server.stop();
    await Promise.all(clients);
    return { oracle, whole: { from, to: position() }, recovery, cuts: new Cuts(log, flushed) };
  } finally {
    await server.stop('SIGKILL');
    await disk.cut();
  }
}

/** Points of a recording, ascending: most of them anywhere, every fourth in the recovery, which is short. */
export function pointsOf({ whole, recovery }: Recording, count: number, random: Random): number[] {
  return Array.from({ length: count }, (_, i) => (i % 4 === 3 ? recovery : whole))
    .map(({ from, to }) => random.integer(from, to))
    .sort((a, b) => a - b);
}

/** Starts the service on what a cut has left. Returns everything that is wrong with it. Points must ascend. */
export async function replay(room: DiskRoom, { cuts, oracle: recorded }: Recording, cut: number, random: Random) {
  const image = room.path('replayed.img');
  const oracle = recorded.at(cut);
  cuts.make(cut, random, image);
  const disk = mountImage(image, room.path('replayed'));
  let server: TestServer | undefined;
  let readyMs: number | undefined;
  try {
    const started = performance.now();
    server = await startOn(disk.folder);
    readyMs = performance.now() - started;
    await oracle.check(server, `cut ${cut}`);
    await writeOnce(server, oracle);
  } catch (error) {
    oracle.faults.push(String(error));
  } finally {
    await server?.stop('SIGKILL');
    disk.unmount('present');
  }
  // Else the disk, or ext4, was at fault, and the rest says nothing.
  if (!isWhole(image)) oracle.faults.push('e2fsck finds the file system damaged');
  return { faults: oracle.faults, readyMs };
}

/** Writes work again, under a generation that is new. */
async function writeOnce(server: TestServer, oracle: Oracle): Promise<void> {
  const block = oracle.blocks[0]!;
  const { dataset, slices } = block.plan;
  const elements = (await readRaw(server, dataset, slices[0])).byteLength / 4;
  const value = oracle.begin(block);
  const body = Buffer.from(new Uint32Array(elements).fill(value).buffer);
  const response = await server.fetch(`/v1/datasets/${dataset}/data?slice=${slices[0]}`, binary('PUT', body));
  const text = await response.text();
  if (response.status === 200) oracle.ack(block, value, (JSON.parse(text) as { generation: number }).generation);
  else oracle.faults.push(`a write after the cut: ${response.status} ${text}`);
}

/** Starts the service on the folder of a disk. @throws when it is not ready */
export async function startOn(folder: string): Promise<TestServer> {
  const server = await startServer({ dataDir: path.join(folder, 'service') });
  const response = await server.fetch('/readyz');
  if (response.status === 200) return server;
  await server.stop('SIGKILL');
  throw new Error(`not ready: ${response.status} ${await response.text()}`);
}

/** Every writer was answered since now: the load is on. */
export async function someAcks(oracle: Oracle): Promise<void> {
  const before = oracle.blocks.map(({ acks }) => acks);
  await eventually(() => oracle.blocks.every(({ acks }, i) => acks > before[i]!), ACKS_MS_MAX);
}

async function moreAcks(oracle: Oracle): Promise<void> {
  const enough = oracle.acks + RECORDED_ACKS;
  await eventually(() => oracle.acks >= enough, ACKS_MS_MAX);
}
