/** What was measured, as markdown: ours against the best other and the aims; every entry in milliseconds; memory. */
import { median, rounded } from '../table.js';
import type { ContenderName } from './cases.js';
import type { Measured, OursMeasured, Side } from './measure.js';

const MEMORY_AIM_MB = 100;
const MB = 1e6;
/** Written for this bench and this machine; who is next says how far ours is from what one finds ready-made. */
const TUNED: ContenderName = 'numba, tuned';

export function tables(measured: readonly Measured[], names: readonly ContenderName[]): string {
  return [
    `| case | ours | best correct other | ours / other | aim | without ${TUNED} | ours / read limit | aim | memory | |`,
    '|---|---|---|---|---|---|---|---|---|---|',
    ...measured.map(each => `| ${aimsRow(each).join(' | ')} |`),
    '',
    'All entries, milliseconds (median):',
    '',
    ...entriesTable(measured, names, ({ ms }) => milliseconds(ms), sideMilliseconds),
    '',
    'Anonymous memory beyond idle, MB, at most:',
    '',
    ...entriesTable(measured, names, megabytes, megabytes),
  ].join('\n');
}

/** A line of progress. */
export function inShort(measured: Measured): string {
  const best = bestOther(measured);
  const ours = 'notYet' in measured.ours ? 'not yet' : `${milliseconds(measured.ours.ms)} ms`;
  return `${measured.each.title}: ${ours}; ${best ? `${best.name} ${milliseconds(best.ms)} ms` : 'nobody else'}`;
}

function aimsRow(measured: Measured): string[] {
  const { each, ours } = measured;
  const best = bestOther(measured);
  const other = best ? `${best.name}, ${milliseconds(best.ms)} ms` : '–';
  const aims = [`≤ ${each.aim}`, each.limitAim === undefined ? '–' : `≤ ${each.limitAim}`] as const;
  if ('notYet' in ours) return [each.title, 'not yet', other, '–', aims[0], '–', '–', aims[1], '–', ''];
  const ratio = best && ratioTo(best);
  const next = bestOther({ ...measured, sides: measured.sides.filter(({ name }) => name !== TUNED) });
  const toLimit = ours.toLimit.length > 0 ? median(ours.toLimit) : undefined;
  return [
    each.title,
    `${milliseconds(ours.ms)} ms`,
    other,
    ratio === undefined ? '–' : `**${ratio.toFixed(2)}**`,
    aims[0],
    next && next !== best ? `${ratioTo(next).toFixed(2)} (${next.name})` : '–',
    toLimit === undefined ? '–' : toLimit.toFixed(2),
    aims[1],
    `${megabytes(ours)} MB`,
    verdict(each, ours, ratio, toLimit),
  ];
}

function ratioTo({ ms, oursMs }: Side): number {
  return median(oursMs.map((mine, round) => mine / ms[round]!));
}

/** The fastest whose answer is right, of those that this case is compared with. */
export function bestOther({ each, sides }: Measured): Side | undefined {
  return sides
    .filter(({ name, right, ms }) => right && ms.length > 0 && (each.others ?? [name]).includes(name))
    .toSorted((a, b) => median(a.ms) - median(b.ms))[0];
}

function verdict(
  { aim, limitAim = Number.POSITIVE_INFINITY }: Measured['each'],
  { right, memory = 0 }: OursMeasured,
  ratio = 0,
  toLimit = 0,
): string {
  const missed = [
    ...(right ? [] : ['**the answer**']),
    ...(ratio > aim ? ['other'] : []),
    ...(toLimit > limitAim ? ['read limit'] : []),
    ...(memory >= MEMORY_AIM_MB * MB ? ['memory'] : []),
  ];
  return missed.length === 0 ? 'met' : `missed: ${missed.join(', ')}`;
}

function entriesTable(
  measured: readonly Measured[],
  names: readonly ContenderName[],
  ofOurs: (ours: OursMeasured) => string,
  ofSide: (side: Side) => string,
): string[] {
  return [
    `| case | ours | ${names.join(' | ')} |`,
    `|---|---|${names.map(() => '---|').join('')}`,
    ...measured.map(({ each, ours, sides }) => {
      const cells = names.map(name => {
        const side = sides.find(side => side.name === name);
        return side ? ofSide(side) : '–';
      });
      return `| ${each.title} | ${'notYet' in ours ? '–' : ofOurs(ours)} | ${cells.join(' | ')} |`;
    }),
  ];
}

function sideMilliseconds({ ms, right }: Side): string {
  return right ? milliseconds(ms) : `${milliseconds(ms)}, wrong`;
}

function milliseconds(ms: readonly number[]): string {
  return ms.length === 0 ? '–' : rounded(median(ms));
}

function megabytes({ memory }: { readonly memory: number | undefined }): string {
  return memory === undefined ? '–' : (memory / MB).toFixed(memory < 10 * MB ? 1 : 0);
}
