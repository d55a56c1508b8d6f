/** One case, in rounds that alternate between ours and theirs. Answers are compared before their speed is. */
import { isDeepStrictEqual } from 'node:util';
import type { Ask, HttpCase } from './cases.js';
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
