/** Work of which only so much may be under way, by its weight: the rest waits in the order of asking. */
export class Weighed {
  readonly #all: number;
  #free: number;
  readonly #waiting: { readonly weight: number; readonly enter: () => void }[] = [];

  constructor(all: number) {
    this.#all = all;
    this.#free = all;
  }

  /** What weighs more than all of it runs alone. */
  async run<T>(weight: number, work: () => Promise<T>): Promise<T> {
    const taken = Math.min(weight, this.#all);
    if (this.#waiting.length === 0 && this.#free >= taken) this.#free -= taken;
    else await new Promise<void>(enter => this.#waiting.push({ weight: taken, enter }));
    try {
      return await work();
    } finally {
      this.#free += taken;
      for (let next = this.#waiting[0]; next && next.weight <= this.#free; next = this.#waiting[0]) {
        this.#waiting.shift();
        this.#free -= next.weight;
        next.enter();
      }
    }
  }
}
