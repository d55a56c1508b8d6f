/** The least and the most of elements, and where they are. */
import { WANTS_MAX, WANTS_MIN, WANTS_NAN } from '../../../../src/kernels/constants.js';
import type { Cells } from './cell-fields.js';
import type { Elements } from './elements.js';

export function addExtremes(cells: Cells, cell: number, elements: Elements): void {
  for (let i = 0; i < elements.length; i++) {
    if (Number.isNaN(elements.value(i))) continue;
    cells.add(cell, 'seen', 1);
    keepValue(cells, cell, elements, elements.exact(i));
  }
}

/** With the lowest index of each that `wants` names; the first element has `index`. */
export function addPositions(
  cells: Cells,
  cell: number,
  elements: Elements,
  { index, indexStep, wants }: { readonly index: number; readonly indexStep: number; readonly wants: number },
): void {
  const keep = (field: 'argmin' | 'argmax' | 'nanIndex', at: number, isBetter: boolean): void => {
    if (isBetter || at < cells.get(cell, field)) cells.set(cell, field, at);
  };
  for (let i = 0; i < elements.length; i++) {
    const at = index + i * indexStep;
    const value = elements.exact(i);
    if (Number.isNaN(elements.value(i))) {
      if (wants & WANTS_NAN) keep('nanIndex', at, false);
      continue;
    }
    cells.add(cell, 'seen', 1);
    const [min, max] = [kept(cells, cell, elements, 'min'), kept(cells, cell, elements, 'max')];
    if (wants & WANTS_MIN && value <= min) keep('argmin', at, value < min);
    if (wants & WANTS_MAX && value >= max) keep('argmax', at, value > max);
    keepValue(cells, cell, elements, value);
  }
}

function keepValue(cells: Cells, cell: number, elements: Elements, value: number | bigint): void {
  const set = (field: 'min' | 'max'): void =>
    elements.isWide ? cells.setInteger(cell, field, value as bigint) : cells.set(cell, field, Number(value));
  if (value < kept(cells, cell, elements, 'min')) set('min');
  if (value > kept(cells, cell, elements, 'max')) set('max');
}

/** An extreme so far, as exact as elements are. */
function kept(cells: Cells, cell: number, { isWide, isSigned }: Elements, field: 'min' | 'max'): number | bigint {
  return isWide ? cells.integer(cell, field, isSigned) : cells.get(cell, field);
}
