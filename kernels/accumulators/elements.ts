/**
 * Any accumulator, over elements one at a time: what a new statistic has for free. `S` is what is kept of a cell: a struct
 * of float64 with a method `add<T>(value: T, index: f64)`, whose fields stand in the order of its TypeScript neighbour; or
 * with `addPair<T>(first: T, second: T)`, where an element is two numbers side by side.
 */
import {
  AXES,
  AXIS_BYTES,
  CELLS,
  FROM,
  INDEX,
  INDEX_STEP,
  LENGTH,
  OMIT,
  ROW_IDS,
  ROW_INDEX_STEP,
  ROW_STEP,
  ROWS,
  STATE_BYTES,
  STATE_STEP,
  STATES,
  STEP,
} from '../../src/kernels/element-spec';
import { forType, Kernel, Yes } from '../types';

class Elements<S, P> extends Kernel {
  run<T>(spec: usize): usize {
    addOf<S, T, P>(spec);
    return 0;
  }
}

/** Adds what a spec (src/kernels/element-spec.ts) tells of to the states of cells. */
export function addElements<S>(spec: usize): void {
  forType<Elements<S, void>>(spec);
}

/** The same of elements that are pairs: steps are those from pair to pair. */
export function addPairs<S>(spec: usize): void {
  forType<Elements<S, Yes>>(spec);
}

function addOf<S, T, P>(spec: usize): void {
  const from = load<u32>(spec + FROM);
  const states = load<u32>(spec + STATES);
  const index = load<f64>(spec + INDEX);
  if (load<u32>(spec + CELLS)) addRows<S, T, P>(spec, from, states, index);
  else addAxis<S, T, P>(spec, 0, from, states, index);
}

/** The elements along one of the three axes and those inside it. */
function addAxis<S, T, P>(spec: usize, number: usize, from: usize, state: usize, index: f64): void {
  const omits = load<u32>(spec + OMIT) != 0;
  const axis = spec + AXES + number * AXIS_BYTES;
  const step = load<i32>(axis + STEP);
  const stateStep = load<i32>(axis + STATE_STEP);
  const indexStep = load<f64>(axis + INDEX_STEP);
  for (let left = load<u32>(axis + LENGTH); left > 0; left--) {
    if (number < 2) addAxis<S, T, P>(spec, number + 1, from, state, index);
    else addElement<S, T, P>(from, state, index, omits);
    from += step;
    state += stateStep;
    index += indexStep;
  }
}

/** A value of each row, to the cell that the row belongs to. */
function addRows<S, T, P>(spec: usize, from: usize, states: usize, index: f64): void {
  const omits = load<u32>(spec + OMIT) != 0;
  const step = load<i32>(spec + ROW_STEP);
  const cells: usize = load<u32>(spec + CELLS);
  const ids: usize = load<u32>(spec + ROW_IDS);
  const stateBytes: usize = load<u32>(spec + STATE_BYTES);
  const indexStep = load<f64>(spec + ROW_INDEX_STEP);
  const count: usize = load<u32>(spec + ROWS);
  for (let i: usize = 0; i < count; i++) {
    const row = ids ? load<u32>(ids + i * 4) : u32(i);
    const state = states + usize(load<u32>(cells + i * 4)) * stateBytes;
    addElement<S, T, P>(from + row * step, state, index + indexStep * f64(row), omits);
  }
}

function addElement<S, T, P>(from: usize, state: usize, index: f64, omits: bool): void {
  const value = load<T>(from);
  if (omits && value != value) return;
  if (isVoid<P>()) changetype<S>(state).add<T>(value, index);
  else {
    const second = load<T>(from + sizeof<T>());
    if (omits && second != second) return;
    changetype<S>(state).addPair<T>(value, second);
  }
}
