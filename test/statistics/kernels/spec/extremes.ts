/** Least and most of elements in the order in which lanes are compared, which decides between zeros of both signs. */
import type { Cells } from './cell-fields.js';
import type { Elements } from './elements.js';

export interface Extremes {
  readonly seen: number;
  readonly least: number | bigint;
  readonly most: number | bigint;
}

/**
 * Elements of whole vectors go to lane i modulo `lanes`; then `fold` lanes are compared with those `lanes - fold` further
 * up, lanes with each other from the first on, and last what is behind the last whole round.
 */
export function extremesOf(elements: Elements, lanes: number, isFolded: boolean): Extremes {
  const { length } = elements;
  const body = length - (length % lanes);
  const least = pick(elements, body, lanes, isFolded, (a, b) => b < a);
  const most = pick(elements, body, lanes, isFolded, (a, b) => b > a);
  let seen = 0;
  for (let i = 0; i < length; i++) if (!Number.isNaN(elements.value(i))) seen++;
  return { seen, least, most };
}

function pick(
  elements: Elements,
  body: number,
  lanes: number,
  isFolded: boolean,
  isBetter: (a: number | bigint, b: number | bigint) => boolean,
): number | bigint {
  const worst = isBetter(0, 1) ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  const best = Array.from<number | bigint>({ length: lanes }).fill(worst);
  for (let i = 0; i < body; i++) {
    const value = elements.exact(i);
    if (isBetter(best[i % lanes]!, value)) best[i % lanes] = value;
  }
  const half = lanes / 2;
  if (isFolded) for (let i = 0; i < half; i++) if (isBetter(best[i]!, best[half + i]!)) best[i] = best[half + i]!;
  let found = best[0]!;
  for (const value of best.slice(1, isFolded ? half : lanes)) if (isBetter(found, value)) found = value;
  for (let i = body; i < elements.length; i++) {
    const value = elements.exact(i);
    if (isBetter(found, value)) found = value;
  }
  return found;
}

/** Keeps what is less, or more, than a cell's so far. */
export function keepExtremes(cells: Cells, cell: number, elements: Elements, { seen, least, most }: Extremes): void {
  cells.add(cell, 'seen', seen);
  if (seen > 0) keepValues(cells, cell, elements, least, most);
}

export function keepValues(
  cells: Cells,
  cell: number,
  { isWide, isSigned }: Elements,
  least: number | bigint,
  most: number | bigint,
): void {
  if (isWide) {
    if (least < cells.integer(cell, 'min', isSigned)) cells.setInteger(cell, 'min', least as bigint);
    if (most > cells.integer(cell, 'max', isSigned)) cells.setInteger(cell, 'max', most as bigint);
  } else {
    if (Number(least) < cells.get(cell, 'min')) cells.set(cell, 'min', Number(least));
    if (Number(most) > cells.get(cell, 'max')) cells.set(cell, 'max', Number(most));
  }
}

/** A cell's extremes so far, as exact as elements are. */
export function keptExtreme(
  cells: Cells,
  cell: number,
  { isWide, isSigned }: Elements,
  field: 'min' | 'max',
): number | bigint {
  return isWide ? cells.integer(cell, field, isSigned) : cells.get(cell, field);
}
