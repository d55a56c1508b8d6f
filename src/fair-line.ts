/**
 * A line in which clients take turns: the first to come goes first among those of one client, and nobody waits behind all
 * that somebody else has put in line. Every step costs the same however many wait.
 * Hazard: who is taken out and put back must have had no turn, so a turn counts when the next thing happens.
 */

/** Whose work it is. Work that belongs to nobody is that of one client without a bound. */
export interface Client {
  readonly id: string;
  /** What it may fill of each line, from 0 to 1. */
  readonly share: number;
}

/** What one client may have of so many: a share from 0 to 1, rounded up, so that it is not nothing. */
export function shareOf(share: number, all: number): number {
  return Math.ceil(all * share);
}

type Id = string | undefined;

/** What waits of one client. */
interface Own<T> {
  readonly urgent: T[];
  readonly others: T[];
}

export class FairLine<T> {
  /** The client whose turn is next comes first. None is empty, but the one that was taken from last. */
  readonly #clients = new Map<Id, Own<T>>();
  /** What was taken out last, until its turn counts. */
  #taken: { readonly item: T; readonly id: Id; readonly from: T[] } | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  countOf(id: string | undefined): number {
    const own = this.#clients.get(id);
    return own ? own.urgent.length + own.others.length : 0;
  }

  /** Whether one more of a client may wait, where so many may in all. */
  hasRoomFor(client: Client | undefined, sizeMax: number): boolean {
    if (this.#size >= sizeMax) return false;
    return client === undefined || this.countOf(client.id) < shareOf(client.share, sizeMax);
  }

  /** @param isUrgent it goes before what the same client has in line */
  push(item: T, client: Client | undefined, isUrgent = false): void {
    this.#countTurn();
    this.#ownOf(client?.id, isUrgent).push(item);
    this.#size++;
  }

  /** What is next. */
  first(): T | undefined {
    this.#countTurn();
    const [own] = this.#clients.values();
    return own && (own.urgent[0] ?? own.others[0]);
  }

  /** Takes out what is next, for good. */
  take(): T | undefined {
    const item = this.shift();
    this.#countTurn();
    return item;
  }

  /**
   * Takes out what is next, or that of the client who has the least under way. It may be put back by `unshift`, and is
   * held on to until then or until anything else happens to the line.
   */
  shift(underWay: (id: string | undefined) => number = () => 0): T | undefined {
    this.#countTurn();
    let own: Own<T> | undefined;
    let [id, least]: [Id, number] = [undefined, Number.POSITIVE_INFINITY];
    // As many are looked at as have something under way, and one more.
    for (const [each, waiting] of this.#clients) {
      const count = underWay(each);
      if (count < least) [own, id, least] = [waiting, each, count];
      if (count <= 0) break;
    }
    if (!own) return undefined;
    const from = own.urgent.length > 0 ? own.urgent : own.others;
    const item = from.shift()!;
    this.#taken = { item, id, from };
    this.#size--;
    return item;
  }

  /** Puts back what was taken out last, or puts something else first in the line of its client. */
  unshift(item: T, client: Client | undefined, isUrgent = false): void {
    if (this.#taken?.item === item) {
      this.#taken.from.unshift(item);
      this.#taken = undefined;
    } else {
      this.#countTurn();
      this.#ownOf(client?.id, isUrgent).unshift(item);
    }
    this.#size++;
  }

  /** False where it does not wait. */
  remove(item: T, client: Client | undefined): boolean {
    this.#countTurn();
    const own = this.#clients.get(client?.id);
    const from = own && [own.urgent, own.others].find(waiting => waiting.includes(item));
    if (!from) return false;
    from.splice(from.indexOf(item), 1);
    this.#size--;
    if (isEmpty(own)) this.#clients.delete(client?.id);
    return true;
  }

  /** Empties the line. */
  takeAll(): T[] {
    const items = this.items();
    this.#clients.clear();
    this.#taken = undefined;
    this.#size = 0;
    return items;
  }

  /** All that waits, client by client. */
  items(): T[] {
    return [...this.#clients.values()].flatMap(({ urgent, others }) => urgent.concat(others));
  }

  #ownOf(id: Id, isUrgent: boolean): T[] {
    let own = this.#clients.get(id);
    if (!own) this.#clients.set(id, (own = { urgent: [], others: [] }));
    return isUrgent ? own.urgent : own.others;
  }

  /** The client that was taken from last goes behind the others. */
  #countTurn(): void {
    if (!this.#taken) return;
    const { id } = this.#taken;
    this.#taken = undefined;
    const own = this.#clients.get(id)!;
    this.#clients.delete(id);
    if (!isEmpty(own)) this.#clients.set(id, own);
  }
}

function isEmpty({ urgent, others }: Own<unknown>): boolean {
  return urgent.length === 0 && others.length === 0;
}
