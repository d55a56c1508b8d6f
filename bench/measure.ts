/** One case, in rounds that alternate between ours and theirs. Answers are compared before their speed is. */
import { once } from 'node:events';
import http from 'node:http';
import { performance } from 'node:perf_hooks';
import { text } from 'node:stream/consumers';
import { isDeepStrictEqual } from 'node:util';
import type { Ask, HttpCase, StatisticsCase } from './cases.js';
import type { Numpy } from './contenders.js';
import { load } from './load.js';
import type { Server } from './servers.js';
import type { Result } from './table.js';

/** Rounds that count; before them one warms caches and compilers. */
export interface Effort {
  readonly rounds: number;
  /** Of load on one side in one round. */
  readonly seconds: number;
}

export async function measureHttp(
  each: HttpCase,
  ours: Server,
  theirs: Server,
  { rounds, seconds }: Effort,
): Promise<Result> {
  const sides = [
    { url: ours.url + each.ours.path, ask: each.ours, perSecond: [] as number[] },
    { url: theirs.url + each.theirs.path, ask: each.theirs, perSecond: [] as number[] },
  ] as const;
  const [mine, other] = await Promise.all(sides.map(({ url, ask }) => elements(url, ask)));
  if (!isDeepStrictEqual(mine, other)) throw new Error(`${each.name}: the answers differ`);
  for (let round = 0; round <= rounds; round++) {
    for (const { url, ask, perSecond } of sides) {
      const value = await load(url, ask, each.connections, round === 0 ? 1 : seconds);
      if (round > 0) perSecond.push(value);
    }
  }
  const { title, contender, aim } = each;
  return { title, contender, unit: 'requests/s', ours: sides[0].perSecond, theirs: sides[1].perSecond, aim };
}

/** The bytes of an answer; of JSON its numbers, whatever is around them. */
async function elements(url: string, { headers }: Ask): Promise<unknown> {
  const response = await fetch(url, { ...(headers && { headers }) });
  if (!response.ok) throw new Error(`${url}: ${await response.text()}`);
  if (!response.headers.get('content-type')!.startsWith('application/json')) {
    return Buffer.from(await response.arrayBuffer());
  }
  const body = (await response.json()) as unknown[] | { data: unknown };
  return Array.isArray(body) ? body : body.data;
}

export async function measureStatistics(
  each: StatisticsCase,
  ours: Server,
  numpy: Numpy,
  { rounds }: Effort,
): Promise<Result> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  const [mine, other]: [number[], number[]] = [[], []];
  for (let round = 0; round <= rounds; round++) {
    const started = performance.now();
    const body = await get(ours.url + each.ours.path, each.ours, agent);
    const ms = performance.now() - started;
    const theirs = await numpy.measure(each.theirs);
    const value = (JSON.parse(body) as { results: Record<string, number | number[]> }).results[each.operation]!;
    if (!nearlyEqual(value, theirs.value)) throw new Error(`${each.name}: the results differ`);
    if (round === 0) continue;
    mine.push(ms);
    other.push(theirs.ms);
  }
  agent.destroy();
  return { title: each.title, contender: each.contender, unit: 'ms', ours: mine, theirs: other };
}

/** Sums of 250 million float64 in another order differ in their last digits. */
function nearlyEqual(a: number | number[], b: number | number[]): boolean {
  const [left, right] = [[a].flat(), [b].flat()];
  return (
    left.length === right.length && left.every((value, i) => Math.abs(value - right[i]!) <= 1e-9 * Math.abs(value))
  );
}

async function get(url: string, { headers }: Ask, agent: http.Agent): Promise<string> {
  const [response] = (await once(http.get(url, { agent, headers }), 'response')) as [http.IncomingMessage];
  const body = await text(response);
  if (response.statusCode !== 200) throw new Error(`${url}: ${body}`);
  return body;
}
