/** Grids cut boxes so that each element is in one piece, whatever is kept, cut, reversed or out of phase. */
import t from 'tap';
import { boxAt, cellsOf, gridOf, memoryOrder, packedBox, type Box } from '../../src/scan/box.js';
import type { View } from '../../src/layout/view.js';
import { caseCount } from '../helpers/cases.js';
import { seededRandom } from '../helpers/random.js';

const ROUNDS = caseCount(300, 1500);

/** Position, cell and index of each element of a box, in the order of its axes: nested loops, nothing else. */
function elementsOf({ axes, offset, cell, index }: Box): string[] {
  const [first, ...rest] = axes;
  if (!first) return [`${offset} ${cell} ${index}`];
  return Array.from({ length: first.length }, (_, i) =>
    elementsOf({
      axes: rest,
      offset: offset + i * first.stride,
      cell: cell + i * first.cellStep,
      index: index + i * first.indexStep,
    }),
  ).flat();
}

/** A slice of a C- or F-order array with steps, some of them negative. */
function randomView(random: ReturnType<typeof seededRandom>): View {
  const shape = Array.from({ length: random.integer(0, 5) }, () => random.integer(1, 6));
  const steps = shape.map(() => random.pick([1, 1, 1, 2, 3]));
  const order = random.pick([shape.map((_, i) => i), shape.map((_, i) => i).toReversed()]);
  const strides = shape.map(() => 0);
  let size = 4;
  for (const axis of order) {
    strides[axis] = size * steps[axis]!;
    size *= shape[axis]! * steps[axis]!;
  }
  let offset = random.integer(0, 3) * 4;
  for (const [axis, length] of shape.entries()) {
    if (random.next() > 0.7) {
      offset += strides[axis]! * (length - 1);
      strides[axis] = -strides[axis]!;
    }
  }
  return { shape, strides, offset };
}

t.test('the pieces of any grid are its elements, each once, and their cells are consecutive', t => {
  const random = seededRandom(20);
  const faults: unknown[] = [];
  let cut = 0;
  for (let pass = 0; pass < ROUNDS; pass++) {
    const view = randomView(random);
    const kept = view.shape.map(() => random.next() < 0.5);
    const { box } = memoryOrder(view, axis => kept[axis]!, true);
    const bounds = {
      cellsMax: random.pick([1, 3, 10, Number.POSITIVE_INFINITY]),
      reachMax: random.pick([4, 40, 400, Number.POSITIVE_INFINITY]),
      ...random.pick([{}, { phase: 0 }, { phase: 1 }, { phase: random.integer(0, 1000) }]),
    };
    const elementsMax = random.pick([1, 2, 7, 30, 1000]);
    const grid = gridOf(box.axes, elementsMax, bounds);
    const pieces = Array.from({ length: grid.boxes }, (_, number) => boxAt(box, grid, number));
    if (pieces.length > 1) cut++;
    const all = pieces.flatMap(elementsOf);
    const isWhole = all.toSorted().join() === elementsOf(box).toSorted().join();
    const isBounded = pieces.every(piece => {
      const elements = piece.axes.reduce((product, { length }) => product * length, 1);
      const reach = piece.axes.reduce((sum, { length, stride }) => sum + (length - 1) * stride, 0);
      const cells = new Set(elementsOf(piece).map(text => text.split(' ')[1]!));
      const numbers = [...cells].map(Number);
      const isRange = Math.max(...numbers) - Math.min(...numbers) === cells.size - 1;
      const isStart = Math.min(...numbers) === piece.cell && cells.size === cellsOf(piece);
      const fits =
        cells.size <= Math.max(1, bounds.cellsMax) &&
        elements > 0 &&
        elements <= elementsMax &&
        reach <= bounds.reachMax;
      const packed = elementsOf(packedBox(piece)).map(text => text.split(' ').slice(1).join());
      const same = elementsOf(piece).map(text => text.split(' ').slice(1).join());
      return isRange && isStart && fits && packed.join(' ') === same.join(' ');
    });
    if (!isWhole || !isBounded) faults.push({ pass, view, kept, elementsMax, bounds, isWhole, isBounded });
  }
  t.strictSame(faults.slice(0, 3), []);
  t.ok(cut > ROUNDS / 3, `${cut} of ${ROUNDS} were cut`);
  t.end();
});

t.test(
  'the box of a view has its elements, cells by the order of the answer, and indexes by that of the selection',
  t => {
    const random = seededRandom(21);
    const faults: unknown[] = [];
    for (let pass = 0; pass < ROUNDS; pass++) {
      const view = randomView(random);
      const kept = view.shape.map(() => random.next() < 0.5);
      const { box, cellOrder } = memoryOrder(view, axis => kept[axis]!, true);
      const expected: string[] = [];
      const walk = (axis: number, offset: number, cell: number, index: number): void => {
        if (axis === view.shape.length) {
          expected.push(`${offset} ${cell} ${index}`);
          return;
        }
        const length = view.shape[axis]!;
        for (let i = 0; i < length; i++) {
          const next = offset + i * view.strides[axis]!;
          if (kept[axis]) walk(axis + 1, next, cell * length + i, index);
          else walk(axis + 1, next, cell, index * length + i);
        }
      };
      walk(0, view.offset, 0, 0);
      const positionOf = (cell: number): number =>
        cellOrder.axes.reduceRight(
          ({ rest, position }, { length, step }) => ({
            rest: Math.floor(rest / length),
            position: position + (rest % length) * step,
          }),
          { rest: cell, position: cellOrder.start },
        ).position;
      const found = elementsOf(box).map(text => {
        const [offset, cell, index] = text.split(' ').map(Number) as [number, number, number];
        return `${offset} ${positionOf(cell)} ${index}`;
      });
      if (found.toSorted().join() !== expected.toSorted().join()) faults.push({ pass, view, kept });
    }
    t.strictSame(faults.slice(0, 3), []);
    t.end();
  },
);
