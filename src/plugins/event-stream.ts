/**
 * Server-sent events (the EventSource of the HTML standard). Each event tells the whole state, so one that a slow
 * client has no room for is left out: a stream holds one socket buffer and two events.
 * Hazard: proxies close streams that are quiet; a comment goes out now and then.
 */
import type { FastifyReply } from 'fastify';
import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { LIMITS } from '../limits.js';
import { checkIdentity } from './compression.js';

export interface EventStreamBounds {
  readonly gapMs: number;
  readonly heartbeatMs: number;
}

const BOUNDS: EventStreamBounds = { gapMs: LIMITS.eventGapMs, heartbeatMs: LIMITS.heartbeatMs };

/** The id of the last event. An EventSource that comes back with it is told not to come again. */
export const LAST_EVENT_ID = 'end';

/** Of every answer that comes bit by bit: nobody on its way may gather, code or keep it. */
export const STREAM_HEADERS = {
  'cache-control': 'no-store, no-transform',
  // nginx would gather what it passes on otherwise.
  'x-accel-buffering': 'no',
} as const;

/** Headers of an event stream; the connection ends with it. */
const EVENT_HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  ...STREAM_HEADERS,
  connection: 'close',
} as const;

/** What HEAD is told of a stream: its length is not known. @throws not_acceptable */
export function sendEventHead(reply: FastifyReply): FastifyReply {
  checkIdentity(reply.headers(EVENT_HEADERS));
  // Fastify would tell the length of anything but a stream.
  return reply.send(Readable.from([]));
}

/** One event as it is sent. */
export function eventText(event: string, data: string, id?: string | number): string {
  return `${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${data}\n\n`;
}

interface ConnectionOptions {
  /** Called once, when nothing can be sent any more. */
  readonly onClose: () => void;
  /** Called with each comment. */
  readonly onBeat?: () => void;
  readonly heartbeatMs?: number;
}

/** The connection of a stream: it is kept open by comments, and ends with the client or by `end`. */
export class EventConnection {
  readonly #raw: ServerResponse;
  readonly #beat: NodeJS.Timeout;

  /** Takes the reply over, whose client is still there, and sends its head. */
  constructor(reply: FastifyReply, { onClose, onBeat, heartbeatMs = LIMITS.heartbeatMs }: ConnectionOptions) {
    const { raw } = reply;
    // Events are told one by one; a coding would keep them back.
    checkIdentity(reply.headers(EVENT_HEADERS));
    reply.hijack();
    this.#raw = raw;
    this.#beat = setInterval(() => {
      if (!this.isFull) raw.write(': still here\n\n');
      onBeat?.();
    }, heartbeatMs);
    const close = (): void => {
      clearInterval(this.#beat);
      onClose();
    };
    raw.once('close', close);
    raw.writeHead(200, reply.getHeaders() as Record<string, string>);
    raw.flushHeaders();
  }

  /** The client has not taken what was sent: what comes now is left out. */
  get isFull(): boolean {
    return this.#raw.writableNeedDrain;
  }

  send(text: string): void {
    if (!this.#raw.destroyed && !this.#raw.writableEnded) this.#raw.write(text);
  }

  end(text = ''): void {
    clearInterval(this.#beat);
    if (!this.#raw.writableEnded) this.#raw.end(text);
  }
}

export interface EventSource {
  /** The present state as one line of JSON. */
  readonly state: () => string;
  readonly hasEnded: () => boolean;
  /** Calls back when the state changes. Returns what stops that. */
  readonly watch: (onChange: () => void) => () => void;
}

/** Takes the reply over and sends a `progress` event now and when the state changes, and an `end` event at the end. */
export function streamEvents(reply: FastifyReply, source: EventSource, bounds: EventStreamBounds = BOUNDS): void {
  if (reply.raw.destroyed) void reply.hijack();
  else new EventStream(reply, source, bounds).start();
}

class EventStream {
  readonly #connection: EventConnection;
  readonly #source: EventSource;
  readonly #gapMs: number;
  #sentMs = Number.NEGATIVE_INFINITY;
  #unwatch = (): void => {};
  /** The next event, where it has to wait. */
  #next: NodeJS.Timeout | undefined;

  constructor(reply: FastifyReply, source: EventSource, { gapMs, heartbeatMs }: EventStreamBounds) {
    this.#source = source;
    this.#gapMs = gapMs;
    this.#connection = new EventConnection(reply, { onClose: () => this.#stop(), heartbeatMs });
  }

  start(): void {
    this.#unwatch = this.#source.watch(() => this.#changed());
    this.#changed();
  }

  #changed(): void {
    if (this.#source.hasEnded()) {
      this.#stop();
      this.#connection.end(eventText('end', this.#source.state(), LAST_EVENT_ID));
    } else if (!this.#next) {
      const waitMs = this.#sentMs + this.#gapMs - performance.now();
      if (waitMs <= 0 && !this.#connection.isFull) this.#tell();
      else this.#next = setTimeout(() => this.#later(), Math.max(waitMs, 1));
    }
  }

  #later(): void {
    this.#next = undefined;
    if (this.#connection.isFull) this.#next = setTimeout(() => this.#later(), this.#gapMs);
    else this.#tell();
  }

  #tell(): void {
    this.#sentMs = performance.now();
    this.#connection.send(eventText('progress', this.#source.state()));
  }

  #stop(): void {
    this.#unwatch();
    clearTimeout(this.#next);
  }
}
