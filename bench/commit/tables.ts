/** What was measured, as two tables: ours by itself, and beside the others. */
import { markdown, median, rounded, type Result } from '../table.js';
import { WRITERS_MAX } from './blocks.js';
import type { Measured, Round } from './measure.js';

/** What is asked for at 64 writers; the first on a disk whose flush takes 5 ms. */
const AIMS = { speedup: 20, syncsPerAck: 1 / 8 };

export function tables(measured: readonly Measured[], slowDisk: string, facts: readonly string[]): string {
  return [...oursTable(measured, slowDisk), '', markdown(measured.flatMap(comparisons), facts)].join('\n');
}

function oursTable(measured: readonly Measured[], slowDisk: string): string[] {
  return [
    '| committed writes of 4 kB | acks/s | × one writer | latency, median | latency, p99 | journal syncs per ack | flushes of the disk per ack |',
    '|---|---|---|---|---|---|---|',
    ...measured.map(({ disk, writers, ours }) => {
      const single = measured.find(each => each.disk === disk && each.writers === 1)!.ours;
      const speedup = median(ours.map((each, round) => perSecond(each) / perSecond(single[round]!)));
      const isMost = writers === WRITERS_MAX;
      const cells = [
        `${inWords(writers)}, ${disk}`,
        rounded(median(ours.map(perSecond))),
        `${speedup.toFixed(1)}${isMost && disk === slowDisk ? ` (aim: ≥ ${AIMS.speedup})` : ''}`,
        `${rounded(median(ours.map(({ p50 }) => p50!)))} ms`,
        `${rounded(median(ours.map(({ p99 }) => p99!)))} ms`,
        perAck(ours.map(({ syncsPerAck }) => syncsPerAck)) + (isMost ? ` (aim: ≤ ${AIMS.syncsPerAck})` : ''),
        perAck(ours.map(({ flushesPerAck }) => flushesPerAck)),
      ];
      return `| ${cells.join(' | ')} |`;
    }),
  ];
}

function comparisons({ disk, writers, ours, others }: Measured): Result[] {
  return others.map(({ title, rounds }) => ({
    title: `${inWords(writers)}, ${disk}`,
    contender: title,
    unit: 'acks/s',
    ours: ours.map(perSecond),
    theirs: rounds.map(perSecond),
  }));
}

function perAck(values: readonly (number | undefined)[]): string {
  const known = values.filter(value => value !== undefined);
  return known.length === 0 ? 'not counted' : median(known).toFixed(3);
}

function inWords(writers: number): string {
  return writers === 1 ? 'one writer' : `${writers} writers`;
}

function perSecond({ acks, seconds }: Round): number {
  return acks / seconds;
}
