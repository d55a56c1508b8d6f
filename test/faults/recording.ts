/**
 * A run of the service on a disk that logs what it is told, and power cuts made again at any point of that log: the
 * service is started on what each would have left.
 */
import path from 'node:path';
import type { Random } from '../helpers/random.js';
import { startServer, type TestServer } from '../helpers/server.js';
import { eventually } from '../system/calls.js';
import { Cuts } from './disk/cuts.js';
import { copyImage, ForgetfulDisk, isWhole, mountImage, type DiskRoom } from './disk/forgetful-disk.js';

/** Of all writers in one of three stretches. A slow machine takes its time. */
const RECORDED_ACKS = 120;
const ACKS_MS_MAX = 30_000;

/** What knows what must be there. */
export interface Judge {
  readonly faults: string[];
  readonly acks: number;
  readonly blocks: readonly { readonly acks: number }[];
  /** After a start, with no writers: everything is compared. */
  check(server: TestServer, when: string): Promise<void>;
}

/** What is written while a disk notes what it is told. */
export interface Work<J extends Judge> {
  /** Makes the arrays, and the judge of what is done to them; `position` is how far the log of the disk is. */
  begin(server: TestServer, position: () => number): Promise<J & { at(cut: number): J }>;
  /** Starts all clients; each ends when the server does. */
  run(server: TestServer, judge: J): Promise<void>[];
  /** A dataset that is flushed in the middle of it. */
  readonly flushed: string;
  /** Writing works again, under a generation that is new. */
  writeOnce(server: TestServer, judge: J): Promise<void>;
  /** Settings of the service. */
  readonly env?: Readonly<Record<string, string>>;
}

interface Stretch {
  readonly from: number;
  readonly to: number;
}

export interface Recording<J extends Judge> {
  readonly work: Work<J>;
  readonly oracle: J & { at(cut: number): J };
  readonly cuts: Cuts;
  /** Positions of the log from the first write to the clean stop. */
  readonly whole: Stretch;
  /** From a kill of the service to the end of the recovery behind it. */
  readonly recovery: Stretch;
}

/** Writes, a flush, a kill, a recovery, more writes, a clean stop. */
export async function record<J extends Judge>(room: DiskRoom, name: string, work: Work<J>): Promise<Recording<J>> {
  const image = room.format(`${name}.img`);
  const flushed = room.path(`${name}.flushed.img`);
  const log = room.path(`${name}.log`);
  copyImage(image, flushed);
  const disk = await ForgetfulDisk.start(room, image, { log });
  let server = await startOn(disk.folder, work.env);
  try {
    const position = (): number => disk.position();
    const oracle = await work.begin(server, position);
    const from = position();
    let clients = work.run(server, oracle);
    await someAcks(oracle);
    await moreAcks(oracle);
    await server.fetch(`/v1/datasets/${work.flushed}/flush`, { method: 'POST' });
    await moreAcks(oracle);
    await server.stop('SIGKILL');
    await Promise.all(clients);
    const killed = position();
    server = await startOn(disk.folder, work.env);
    await oracle.check(server, 'after the kill');
    const recovery = { from: killed, to: position() };
    clients = work.run(server, oracle);
    await moreAcks(oracle);
    await server.stop();
    await Promise.all(clients);
    return { work, oracle, whole: { from, to: position() }, recovery, cuts: new Cuts(log, flushed) };
  } finally {
    await server.stop('SIGKILL');
    await disk.cut();
  }
}

/** Points of a recording, ascending: most of them anywhere, every fourth in the recovery, which is short. */
export function pointsOf(
  { whole, recovery }: Pick<Recording<Judge>, 'whole' | 'recovery'>,
  count: number,
  random: Random,
): number[] {
  return Array.from({ length: count }, (_, i) => (i % 4 === 3 ? recovery : whole))
    .map(({ from, to }) => random.integer(from, to))
    .sort((a, b) => a - b);
}

/** Starts the service on what a cut has left. Returns everything that is wrong with it. Points must ascend. */
export async function replay<J extends Judge>(
  room: DiskRoom,
  { work, cuts, oracle: recorded }: Recording<J>,
  cut: number,
  random: Random,
) {
  const image = room.path('replayed.img');
  const oracle = recorded.at(cut);
  cuts.make(cut, random, image);
  const disk = mountImage(image, room.path('replayed'));
  let server: TestServer | undefined;
  let readyMs: number | undefined;
  try {
    const started = performance.now();
    server = await startOn(disk.folder, work.env);
    readyMs = performance.now() - started;
    await oracle.check(server, `cut ${cut}`);
    await work.writeOnce(server, oracle);
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

/** Starts the service on the folder of a disk. @throws when it is not ready */
export async function startOn(folder: string, env: Readonly<Record<string, string>> = {}): Promise<TestServer> {
  const server = await startServer({ dataDir: path.join(folder, 'service'), env });
  const response = await server.fetch('/readyz');
  if (response.status === 200) return server;
  await server.stop('SIGKILL');
  throw new Error(`not ready: ${response.status} ${await response.text()}`);
}

/** Every writer was answered since now: the load is on. */
export async function someAcks(oracle: Judge): Promise<void> {
  const before = oracle.blocks.map(({ acks }) => acks);
  await eventually(() => oracle.blocks.every(({ acks }, i) => acks > before[i]!), ACKS_MS_MAX);
}

async function moreAcks(oracle: Judge): Promise<void> {
  const enough = oracle.acks + RECORDED_ACKS;
  await eventually(() => oracle.acks >= enough, ACKS_MS_MAX);
}
