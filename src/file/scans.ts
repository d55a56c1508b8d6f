/**
 * Work in other threads that looks at the mapped bytes of a file and holds no lock. Before the file is cut off, it has to
 * be over: a page that is not there any more is a signal to who touches it. None of it waits for a client.
 */
export class Scans {
  #underWay = 0;
  #waiting: (() => void)[] = [];

  async during<T>(work: () => Promise<T>): Promise<T> {
    this.#underWay++;
    try {
      return await work();
    } finally {
      if (--this.#underWay === 0) {
        for (const wake of this.#waiting) wake();
        this.#waiting = [];
      }
    }
  }

  /** When all of it has ended. The caller sees to it that nothing new begins. */
  async drained(): Promise<void> {
    if (this.#underWay === 0) return;
    await new Promise<void>(resolve => this.#waiting.push(resolve));
  }
}
