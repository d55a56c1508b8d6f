/** The elements with the lowest and with the highest index. 64-bit integers are kept as such, others as float64. */
import { Is } from '../types';
import { addElements } from './elements';

@unmanaged
class First {
  value: f64;
  index: f64;

  add<T>(value: T, index: f64): void {
    if (index >= this.index) return;
    this.index = index;
    keepValue<T>(changetype<usize>(this), value);
  }
}

@unmanaged
class Last {
  value: f64;
  index: f64;

  add<T>(value: T, index: f64): void {
    if (index <= this.index) return;
    this.index = index;
    keepValue<T>(changetype<usize>(this), value);
  }
}

function keepValue<T>(at: usize, value: T): void {
  if (Is.wide<T>()) store<T>(at, value);
  else store<f64>(at, f64(value));
}

export function addFirst(spec: usize): void {
  addElements<First>(spec);
}

export function addLast(spec: usize): void {
  addElements<Last>(spec);
}
