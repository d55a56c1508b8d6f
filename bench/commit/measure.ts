/** All sides on one disk, in rounds, taking turns. */
import { startOthers, startOurs, type Counted, type Ours, type Side } from './sides.js';

export interface Disk {
  readonly title: string;
  readonly folder: string;
  /** Flushes that arrived at the disk, where they can be counted. */
  readonly flushes?: () => number;
}

/** One round of one side. The last two are known of ours alone. */
export interface Round extends Counted {
  readonly flushesPerAck?: number | undefined;
  readonly syncsPerAck?: number | undefined;
}

export interface Measured {
  readonly disk: string;
  readonly writers: number;
  readonly ours: readonly Round[];
  readonly others: readonly { readonly title: string; readonly rounds: readonly Round[] }[];
}

export interface Effort {
  readonly rounds: number;
  /** Of writing on one side in one round. */
  readonly seconds: number;
  readonly writers: readonly number[];
}

/** @param logs a folder for what the servers say */
export async function measureDisk(disk: Disk, logs: string, { rounds, seconds, writers }: Effort): Promise<Measured[]> {
  const ours = await startOurs(disk.folder, logs);
  const others = await startOthers(disk.folder, logs);
  const sides: Side[] = [ours, ...others];
  const counted = writers.map(count => ({ count, bySide: sides.map((): Round[] => []) }));
  try {
    // The first round warms caches and compilers.
    for (let round = 0; round <= rounds; round++) {
      process.stderr.write(`${disk.title}: round ${round} of ${rounds}\n`);
      for (const { count, bySide } of counted) {
        for (const [i, side] of sides.entries()) {
          const value = await (side === ours ? measureOurs(ours, disk, count, seconds) : side.measure(count, seconds));
          if (round > 0) bySide[i]!.push(value);
        }
      }
    }
  } finally {
    await Promise.all(sides.map(side => side.stop()));
  }
  return counted.map(({ count, bySide: [first, ...rest] }) => ({
    disk: disk.title,
    writers: count,
    ours: first!,
    others: others.map(({ title }, i) => ({ title, rounds: rest[i]! })),
  }));
}

async function measureOurs(ours: Ours, disk: Disk, writers: number, seconds: number): Promise<Round> {
  const counts = async (): Promise<(number | undefined)[]> => [disk.flushes?.(), await ours.syncs()];
  const before = await counts();
  const value = await ours.measure(writers, seconds);
  const after = await counts();
  const [flushesPerAck, syncsPerAck] = after.map((count, i) =>
    count === undefined ? undefined : (count - before[i]!) / value.acks,
  );
  return { ...value, flushesPerAck, syncsPerAck };
}
