/** Builds without what bounds a client: its connections, what is held for its requests, and its share of what there is. */
import type { BrokenBuild } from './broken-builds.js';

export const BROKEN_CONNECTIONS: readonly BrokenBuild[] = [
  {
    name: 'memory-until-its-answer-ends',
    breaks: 'memory of a request is given back when its answer ends, not when its connection does',
    fails: 'http/cut-connections',
    part: 'what a request holds',
    changes: [
      {
        file: 'plugins/hold.js',
        text: "raw.once('close', () => release());",
        replacement: "raw.once('finish', () => release());",
      },
    ],
  },
  {
    name: 'cells-until-their-answer-ends',
    breaks: 'memory of a statistic is given back when its answer ends, not when its connection does',
    fails: 'http/cut-connections',
    part: 'what a request holds',
    changes: [
      {
        file: 'plugins/hold.js',
        text: "raw.once('close', () => memory.release());",
        replacement: "raw.once('finish', () => memory.release());",
      },
    ],
  },
  {
    name: 'reads-go-on',
    breaks: 'a stream that is cut goes on to save old bytes for its reader',
    fails: 'http/cut-connections',
    part: 'what a request holds',
    changes: [{ file: 'plugins/stream.js', text: 'pieces.close();', replacement: '' }],
  },
  {
    name: 'work-for-nobody',
    breaks: 'work goes on when its client has hung up',
    fails: 'http/gone-clients',
    part: 'a client that hangs up leaves the line for memory',
    changes: [{ file: 'plugins/client-gone.js', text: 'if (!raw.writableFinished)', replacement: 'if (false)' }],
  },
  {
    name: 'paused-behind-a-request',
    breaks: 'a connection on which many requests wait is not read, and its end not seen',
    fails: 'http/cut-connections',
    part: 'what a request holds',
    changes: [
      {
        file: 'plugins/pipelines.js',
        text: 'this.#move(socket, 1);',
        replacement: `this.#move(socket, 1);
        if (this.#of(socket) > 16)
            process.nextTick(() => socket.pause());`,
      },
    ],
  },
  {
    name: 'early-requests-without-bound',
    breaks: 'nobody counts the requests that wait in all',
    fails: 'http/early-requests',
    changes: [
      {
        file: 'plugins/pipelines.js',
        text: 'if (this.#of(socket) > LIMITS.pipelinedMax && this.#total > LIMITS.pipelinedTotalMax)',
        replacement: 'if (false)',
      },
    ],
  },
  {
    name: 'bodies-before-credentials',
    breaks: 'memory for a body is taken before it is known who sends it',
    fails: 'http/before-credentials',
    changes: [
      {
        file: 'plugins/hold.js',
        text: "app.addHook('onRoute', route => {",
        replacement: `app.addHook('onRequest', (request, reply, done) => {
        const { principal } = request;
        request.principal ??= { kind: 'nobody' };
        const bytes = Number(request.headers['content-length'] ?? 0);
        holdUntilSent(budget, reply, bytes).then(() => ((request.principal = principal), done()), done);
    });
    app.addHook('onRoute', route => {`,
      },
    ],
  },
  {
    name: 'told-and-kept',
    breaks: 'a client that is told 408 keeps its connection for as long as it likes',
    fails: 'http/connections',
    part: 'a client that is told 408',
    changes: [
      {
        file: 'plugins/unread.js',
        text: 'setTimeout(() => socket.destroy(), LIMITS.drainMsMax).unref();',
        replacement: '',
      },
    ],
  },
  {
    name: 'silence-for-ever',
    breaks: 'a connection may say nothing for as long as it likes',
    fails: 'http/connections',
    part: 'a client that is told 408',
    changes: [
      {
        file: 'plugins/http-server.js',
        text: 'headersTimeout: 1000 * headSeconds,',
        replacement: 'headersTimeout: 0,',
      },
    ],
  },
  {
    name: 'no-room-is-made',
    breaks: 'no idle connection is closed for a new one',
    fails: 'http/connections',
    part: 'silent, half',
    changes: [{ file: 'plugins/connections.js', text: 'if (!oldest)', replacement: 'if (true)' }],
  },
  {
    name: 'no-share-of-connections',
    breaks: 'one address may have all connections',
    fails: 'http/connections',
    part: 'an address whose',
    changes: [{ file: 'plugins/connections.js', text: 'if (peer.count >= perAddressMax)', replacement: 'if (false)' }],
  },
  {
    name: 'no-share-by-default',
    breaks: 'unless it is set, one address may have all connections',
    fails: 'http/connections',
    part: 'unless it is set',
    changes: [{ file: 'app.js', text: 'Math.ceil((connectionsMax * 7) / 8)', replacement: 'connectionsMax' }],
  },
  {
    name: 'no-spares',
    breaks: 'no connection is spared for health checks',
    fails: 'http/connections',
    part: 'health is told',
    changes: [
      {
        file: 'plugins/connections.js',
        text: 'this.#spares.count < this.#sparesMax || closeOldest(this.#spares)',
        replacement: 'false',
      },
    ],
  },
  {
    name: 'spares-for-all',
    breaks: 'spare connections are for any request',
    fails: 'http/connections',
    part: 'health is told',
    changes: [{ file: 'plugins/connections.js', text: 'if (routeOptions.config.onSpares)', replacement: 'if (true)' }],
  },
  {
    name: 'a-million-addresses',
    breaks: 'each address of an IPv6 network is a client of its own',
    fails: 'access/addresses',
    changes: [
      { file: 'access/addresses.js', text: 'if (mapped !== undefined || !isIPv6(address))', replacement: 'if (true)' },
    ],
  },
  {
    name: 'chunks-kept',
    breaks: 'each chunk of a body is kept until its end',
    fails: 'http/hostile-bodies',
    part: 'hundreds of',
    changes: [
      {
        file: 'transfer/body.js',
        text: 'room.set(part, total);',
        replacement: `room.set(part, total);
            (this.kept ??= []).push(part);`,
      },
      { file: 'transfer/body.js', text: 'performance.now() - this.#turnedMs > TURN_MS', replacement: 'false' },
    ],
  },
  {
    name: 'no-share-of-memory',
    breaks: 'one client may hold all memory',
    fails: 'http/client-shares',
    changes: [{ file: 'budget.js', text: 'shareOf(this.#share, this.limitBytes)', replacement: 'this.limitBytes' }],
  },
  {
    name: 'memory-first-come',
    breaks: 'who waits for memory is served in the order of coming, whatever its client holds',
    fails: 'budget',
    part: 'of those who wait',
    changes: [
      {
        file: 'budget.js',
        text: 'ready.toSorted((a, b) => a.account.usedBytes - b.account.usedBytes)',
        replacement: 'ready',
      },
    ],
  },
  {
    name: 'no-share-of-the-line',
    breaks: 'one client may have all places in the line for memory',
    fails: 'budget',
    part: 'a client has a share',
    changes: [
      {
        file: 'budget.js',
        text: 'client === undefined ? this.#waitersMax : shareOf(this.#share, this.#waitersMax)',
        replacement: 'this.#waitersMax',
      },
    ],
  },
  {
    name: 'lines-first-come',
    breaks: 'clients with much in line do not take turns with others',
    fails: 'fair-line',
    part: 'clients take turns',
    changes: [
      {
        file: 'fair-line.js',
        text: `this.#clients.delete(id);
        if (!isEmpty(own))
            this.#clients.set(id, own);`,
        replacement: `if (isEmpty(own))
            this.#clients.delete(id);`,
      },
    ],
  },
  {
    name: 'crowds-go-first',
    breaks: 'a crowd of small questions of one client goes before those of others',
    fails: 'http/shares',
    part: 'a crowd of small',
    changes: [
      {
        file: 'fair-line.js',
        text: `this.#clients.delete(id);
        if (!isEmpty(own))
            this.#clients.set(id, own);`,
        replacement: `if (isEmpty(own))
            this.#clients.delete(id);`,
      },
      { file: 'jobs/lanes.js', text: 'shift(id => this.#withWorkers(id))', replacement: 'shift()' },
    ],
  },
  {
    name: 'never-asks-what-was-saved',
    breaks: 'a worker takes every chunk for read before anything was written',
    fails: 'jobs/statistics',
    part: 'whatever is written meanwhile',
    changes: [{ file: 'jobs/scan-task.js', text: 'clean === chunks.length && isUntouched()', replacement: 'true' }],
  },
  {
    name: 'no-share-of-lines',
    breaks: 'one client may fill every line',
    fails: 'fair-line',
    part: 'a client has room',
    changes: [
      {
        file: 'fair-line.js',
        text: 'this.countOf(client.id) < shareOf(client.share, sizeMax)',
        replacement: 'true',
      },
    ],
  },
  {
    name: 'no-bound-of-open-files',
    breaks: 'idle files stay open, however many there are',
    fails: 'system/descriptors',
    changes: [
      {
        file: 'file/open-files.js',
        text: 'while (this.#held >= this.#filesMax && performance.now() < deadline)',
        replacement: 'while (false)',
      },
    ],
  },
  {
    name: 'no-reserve-of-descriptors',
    breaks: 'files and connections may have all descriptors',
    fails: 'file/descriptors',
    changes: [
      {
        file: 'file/descriptors.js',
        text: 'limit - PROCESS_DESCRIPTORS - WORKER_DESCRIPTORS * workers - PASSING_DESCRIPTORS',
        replacement: 'limit',
      },
    ],
  },
  {
    name: 'given-up-for-want-of-descriptors',
    breaks: 'a manifest that no descriptor is left for is bad',
    fails: 'system/descriptors',
    changes: [
      { file: 'registry/manifests.js', text: 'if (isShortage(error))\n                throw error;', replacement: '' },
    ],
  },
  {
    name: 'descriptors-once',
    breaks: 'what finds no descriptor is not tried again',
    fails: 'file/descriptors',
    changes: [
      {
        file: 'file/descriptors.js',
        text: 'if (!isShortage(error) || attempt === ATTEMPTS)',
        replacement: 'if (true)',
      },
    ],
  },
];
