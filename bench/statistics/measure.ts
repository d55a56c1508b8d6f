/**
 * One case: ours and every contender in turns, so that each of theirs has one of ours right before it; the read limit of
 * the machine beside each round. Before that each runs once untimed, warming up, while its memory is watched.
 */
import { median } from '../table.js';
import type { ContenderName, StatisticsCase } from './cases.js';
import type { Contender } from './contenders.js';
import { peakDuring } from './memory.js';
import type { Ours } from './ours.js';
import type { ReadLimit } from './read-limit.js';
import { isRight, type Reference } from './reference.js';

/** One contender's rounds, each with the one of ours that ran before it (none when ours cannot answer). */
export interface Side {
  readonly name: ContenderName;
  /** Its answer is what it must be. */
  readonly right: boolean;
  readonly ms: readonly number[];
  readonly oursMs: readonly number[];
  /** Bytes beyond idle. */
  readonly memory: number | undefined;
}

export interface Measured {
  readonly each: StatisticsCase;
  readonly ours: OursMeasured | { readonly notYet: string };
  readonly sides: readonly Side[];
}

export interface OursMeasured {
  readonly ms: readonly number[];
  /** Every answer was right. */
  readonly right: boolean;
  readonly memory: number | undefined;
  /** Ours by the read limit, in each round. */
  readonly toLimit: readonly number[];
}

export interface Field {
  readonly ours: Ours;
  readonly contenders: readonly Contender[];
  readonly limit: ReadLimit | undefined;
  readonly reference: Reference;
  /** Anonymous bytes of a process before its first case. */
  readonly idle: ReadonlyMap<number, number | undefined>;
  readonly rounds: number;
}

/** Rounds of those who cannot win: the wrong ones, and those this many times slower than the best other. */
const ROUNDS_OF_WRONG = 1;
const ROUNDS_OF_SLOW = [
  { times: 20, rounds: 1 },
  { times: 4, rounds: 2 },
];
/** Short cases are repeated while memory is watched. */
const WATCHED_MS = 200;

interface Running extends Side {
  readonly contender: Contender;
  right: boolean;
  readonly ms: number[];
  readonly oursMs: number[];
}

interface OursRunning {
  right: boolean;
  readonly ms: number[];
  readonly toLimit: number[];
}

export async function measureCase(each: StatisticsCase, field: Field): Promise<Measured> {
  const running: Running[] = [];
  for (const contender of field.contenders.filter(({ cases }) => cases.has(each.name))) {
    const memory = await watch(field, contender.pid, () => contender.measure(each.name));
    running.push({ name: contender.name, contender, memory, right: false, ms: [], oursMs: [] });
  }
  const memory = await watch(field, field.ours.pid, () => field.ours.measure(each));
  const first = await field.ours.measure(each);
  const ours: OursRunning | undefined = 'notYet' in first ? undefined : { right: true, ms: [], toLimit: [] };
  for (let round = 0; round < field.rounds; round++) await runRound(each, field, running, ours, round);
  return {
    each,
    ours: 'notYet' in first ? first : { ...ours!, memory },
    sides: running,
  };
}

async function runRound(
  each: StatisticsCase,
  field: Field,
  running: readonly Running[],
  ours: OursRunning | undefined,
  round: number,
): Promise<void> {
  const before = ours?.ms.length;
  const best = Math.min(...running.filter(({ right }) => right).map(({ ms }) => ms[0]!));
  for (const side of running) {
    if (round >= roundsOf(side, best)) continue;
    if (ours) side.oursMs.push(await measureOurs(each, field, ours));
    const { ms, value } = await side.contender.measure(each.name, round === 0);
    side.ms.push(ms);
    if (round === 0) side.right = isRight(value, field.reference[each.name], each.rule);
  }
  if (!ours || !field.limit || !each.limitOf) return;
  const limitMs = await field.limit.measure(each.limitOf);
  if (ours.ms.length > before!) ours.toLimit.push(median(ours.ms.slice(before)) / limitMs);
}

async function measureOurs(each: StatisticsCase, { ours, reference }: Field, into: OursRunning): Promise<number> {
  const told = await ours.measure(each);
  if ('notYet' in told) throw new Error(`ours answered ${each.name} before, and now: ${told.notYet}`);
  into.right &&= isRight(told.value, reference[each.name], each.rule);
  into.ms.push(told.ms);
  return told.ms;
}

function roundsOf({ right, ms }: Running, best: number): number {
  if (ms.length === 0) return 1;
  if (!right) return ROUNDS_OF_WRONG;
  return ROUNDS_OF_SLOW.find(({ times }) => ms[0]! > times * best)?.rounds ?? Number.POSITIVE_INFINITY;
}

async function watch({ idle }: Field, pid: number, run: () => Promise<unknown>): Promise<number | undefined> {
  const before = idle.get(pid);
  const peak = await peakDuring(pid, async () => {
    const end = performance.now() + WATCHED_MS;
    do await run();
    while (performance.now() < end);
  });
  return before === undefined || peak === undefined ? undefined : Math.max(0, peak - before);
}
