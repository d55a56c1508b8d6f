/** Products as mantissas from 1 to 2 and exponents by themselves. */
import type { Cells } from './cell-fields.js';
import { blocksOf, type Elements } from './elements.js';

const LANES = 4;
/** Elements whose mantissas are multiplied before their products are brought below 2 again. */
const PRODUCT_BLOCK = 512 * LANES;

interface Product {
  readonly value: number;
  /** The product is value * 2 ** exponent. */
  readonly exponent: number;
}

const bits = new DataView(new ArrayBuffer(8));
const DENORMAL_EXPONENT = 54;

/** From 1 to 2, with its sign; zeros, infinities and NaN as they are. */
function near(value: number): Product {
  const isSmall = Math.abs(value) < 2 ** -1022;
  bits.setFloat64(0, isSmall ? value * 2 ** DENORMAL_EXPONENT : value);
  const high = bits.getUint32(0);
  const biased = (high >>> 20) & 0x7ff;
  if (biased === 0 || biased === 0x7ff) return { value, exponent: 0 };
  bits.setUint32(0, (high & 0x800f_ffff) | 0x3ff0_0000);
  return { value: bits.getFloat64(0), exponent: biased - 1023 - (isSmall ? DENORMAL_EXPONENT : 0) };
}

/** Multiplies a cell by the elements of a run. */
export function multiplyRun(cells: Cells, cell: number, elements: Elements, omit: boolean): void {
  for (const block of blocksOf(elements, PRODUCT_BLOCK)) multiplyCell(cells, cell, productOf(block, omit));
}

function productOf(elements: Elements, omit: boolean): Product {
  const lanes = new Float64Array(LANES).fill(1);
  const body = elements.length - (elements.length % LANES);
  let exponent = 0;
  const take = (factor: number): number => {
    const found = near(factor);
    exponent += found.exponent;
    return found.value;
  };
  const factorAt = (i: number): number => {
    const value = elements.value(i);
    return take(omit && Number.isNaN(value) ? 1 : value);
  };
  for (let i = 0; i < body; i++) lanes[i % LANES]! *= factorAt(i);
  const [a, b, c, d] = Array.from(lanes, take) as [number, number, number, number];
  let value = a * b * (c * d);
  for (let i = body; i < elements.length; i++) value *= factorAt(i);
  return { value, exponent };
}

export function multiplyCell(cells: Cells, cell: number, product: Product): void {
  const factor = near(product.value);
  const all = near(cells.get(cell, 'prod') * factor.value);
  cells.set(cell, 'prod', all.value);
  cells.add(cell, 'prodExponent', product.exponent + factor.exponent + all.exponent);
}
