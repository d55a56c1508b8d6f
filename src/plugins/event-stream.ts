/**
 * Server-sent events (the EventSource of the HTML standard). Each event tells the whole state, so one that a slow
 * client has no room for is left out: a stream holds one socket buffer and two events.
 * Hazard: proxies close streams that are quiet; a comment goes out now and then.
 */
import type { FastifyReply } from 'fastify';
import type { ServerResponse } from 'node:http';
import { LIMITS } from '../limits.js';
import { checkIdentity } from './compression.js';

export interface EventStreamBounds {
  readonly gapMs: number;
  readonly heartbeatMs: number;
}

const BOUNDS: EventStreamBounds = { gapMs: LIMITS.eventGapMs, heartbeatMs: LIMITS.heartbeatMs };

/** The id of the last event. An EventSource that comes back with it is told not to come again. */
export const LAST_EVENT_ID = 'end';

/** Headers of an event stream; the connection ends with it. */
export const EVENT_HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store',
  // nginx would gather events otherwise.
  'x-accel-buffering': 'no',
  connection: 'close',
} as const;

export interface EventSource {
  /** The present state as one line of JSON. */
  readonly state: () => string;
  readonly hasEnded: () => boolean;
  /** Calls back when the state changes. Returns what stops that. */
  readonly watch: (onChange: () => void) => () => void;
}

/** Takes the reply over and sends a `progress` event now and when the state changes, and an `end` event at the end. */
export function streamEvents(reply: FastifyReply, source: EventSource, bounds: EventStreamBounds = BOUNDS): void {
  const { raw } = reply;
  // Events are told one by one; a coding would keep them back.
  checkIdentity(reply.headers(EVENT_HEADERS));
  reply.hijack();
  if (raw.destroyed) return;
  raw.writeHead(200, reply.getHeaders() as Record<string, string>);
  new EventStream(raw, source, bounds).start();
}

class EventStream {
  readonly #raw: ServerResponse;
  readonly #source: EventSource;
  readonly #bounds: EventStreamBounds;
  #sentMs = Number.NEGATIVE_INFINITY;
  #unwatch = (): void => {};
  #beat: NodeJS.Timeout | undefined;
  /** The next event, where it has to wait. */
  #next: NodeJS.Timeout | undefined;

  constructor(raw: ServerResponse, source: EventSource, bounds: EventStreamBounds) {
    this.#raw = raw;
    this.#source = source;
    this.#bounds = bounds;
  }

  start(): void {
    const { heartbeatMs } = this.#bounds;
    this.#raw.once('close', () => this.#stop());
    this.#unwatch = this.#source.watch(() => this.#changed());
    this.#beat = setInterval(() => {
      if (!this.#raw.writableNeedDrain) this.#raw.write(': still here\n\n');
    }, heartbeatMs);
    this.#changed();
  }

  #changed(): void {
    if (this.#source.hasEnded()) {
      this.#stop();
      this.#raw.end(`event: end\nid: ${LAST_EVENT_ID}\ndata: ${this.#source.state()}\n\n`);
    } else if (!this.#next) {
      const waitMs = this.#sentMs + this.#bounds.gapMs - performance.now();
      if (waitMs <= 0 && !this.#raw.writableNeedDrain) this.#tell();
      else this.#next = setTimeout(() => this.#later(), Math.max(waitMs, 1));
    }
  }

  #later(): void {
    this.#next = undefined;
    if (this.#raw.writableNeedDrain) this.#next = setTimeout(() => this.#later(), this.#bounds.gapMs);
    else this.#tell();
  }

  #tell(): void {
    this.#sentMs = performance.now();
    this.#raw.write(`event: progress\ndata: ${this.#source.state()}\n\n`);
  }

  #stop(): void {
    this.#unwatch();
    clearInterval(this.#beat);
    clearTimeout(this.#next);
  }
}
