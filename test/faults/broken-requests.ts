/** Builds without what bounds one request: what its texts and its writes cost, who it is from, and what HTTP it is. */
import type { BrokenBuild } from './broken-builds.js';

export const BROKEN_REQUESTS: readonly BrokenBuild[] = [
  {
    name: 'element-by-element',
    breaks: 'a strided write makes a call for each element',
    fails: 'layout/scatter',
    part: 'a contiguous target',
    changes: [
      {
        file: 'layout/scatter.js',
        text: 'if (!file.alter || costs[stretchAxis] === stretchBytes)',
        replacement: 'if (true)',
      },
    ],
  },
  {
    name: 'any-cost',
    breaks: 'a commit may cost the disk whatever it likes',
    fails: 'http/costly-writes',
    changes: [{ file: 'dataset/write.js', text: 'if (beside <= LIMITS.commitCostBytesMax)', replacement: 'if (true)' }],
  },
  {
    name: 'replay-of-any-length',
    breaks: 'a journal is emptied by its bytes alone, whatever they cost a recovery',
    fails: 'file/commit',
    part: 'fills that are a few bytes',
    changes: [{ file: 'file/commit.js', text: 'journal.replayBytes > LIMITS.replayBytesMax ||', replacement: '' }],
  },
  {
    name: 'blanks-in-squares',
    breaks: 'blanks of a slice are dropped by a pattern for both ends',
    fails: 'event-loop',
    part: 'no step',
    env: { HYPERSLAB_TEST_CALLS: 'long texts in each' },
    changes: [
      {
        file: 'selection.js',
        text: "const parts = text.split(',').map(trimSpaces);",
        replacement: "const parts = text.split(',').map(part => part.replace(/^ +| +$/g, ''));",
      },
    ],
  },
  {
    name: 'blanks-of-a-range',
    breaks: 'blanks of start and stop are dropped by a pattern for both ends',
    fails: 'event-loop',
    part: 'no step',
    env: { HYPERSLAB_TEST_CALLS: 'long texts in each' },
    changes: [
      {
        file: 'selection.js',
        text: 'const digits = trimSpaces(text);',
        replacement: "const digits = text.replace(/^ +| +$/g, '');",
      },
    ],
  },
  {
    name: 'lists-in-one-step',
    breaks: 'a page of datasets is written in one step',
    fails: 'event-loop',
    part: 'no step',
    env: { HYPERSLAB_TEST_CALLS: 'a page of 1,000|with attrs' },
    changes: [
      {
        file: '../routes/dataset-list.js',
        text: 'if (isFull || i % ENTRIES_PER_TURN === ENTRIES_PER_TURN - 1)',
        replacement: 'if (false)',
      },
    ],
  },
  {
    name: 'depth-after-parsing',
    breaks: 'brackets are counted when a body has been parsed',
    fails: 'http/hostile-bodies',
    part: 'nesting',
    changes: [
      { file: 'plugins/validation.js', text: 'await runTurns(checkShape(text));', replacement: '' },
      {
        file: 'plugins/validation.js',
        text: 'const { exactMembers = [] } = config;',
        replacement: `await runTurns(checkShape(text));
    const { exactMembers = [] } = config;`,
      },
    ],
  },
  {
    name: 'attrs-of-any-size',
    breaks: 'attrs may have any size',
    fails: 'http/hostile-bodies',
    part: 'attrs have a size',
    changes: [{ file: 'registry/request.js', text: 'if (bytes > LIMITS.attrsBytesMax)', replacement: 'if (false)' }],
  },
  {
    name: 'owners-in-100-characters',
    breaks: 'owners of jobs are compared by the beginnings of their names',
    fails: 'http/tokens',
    part: 'a job belongs',
    changes: [
      {
        file: 'access/tokens.js',
        text: 'JSON.stringify([iss ?? null, kind, name])',
        replacement: 'JSON.stringify([shortText(iss), kind, shortText(name)])',
      },
    ],
  },
  {
    name: 'owners-joined',
    breaks: 'owners of jobs are issuer and subject, joined by a colon',
    fails: 'http/tokens',
    part: 'a job belongs',
    changes: [
      { file: 'access/tokens.js', text: 'JSON.stringify([iss ?? null, kind, name])', replacement: '`${iss}:${name}`' },
    ],
  },
  {
    name: 'nobody-owns',
    breaks: 'tokens that name nobody own jobs, all the same ones',
    fails: 'http/tokens',
    part: 'a job belongs',
    changes: [{ file: 'access/tokens.js', text: 'kind === undefined ? undefined :', replacement: '' }],
  },
  {
    name: 'keys-away-with-their-provider',
    breaks: 'keys that were fetched are dropped when the provider does not answer',
    fails: 'http/tokens',
    part: 'keys that were fetched',
    changes: [
      {
        file: 'access/provider-keys.js',
        text: 'this.#failedMs = performance.now();',
        replacement: `this.#failedMs = performance.now();
            this.#known = undefined;`,
      },
    ],
  },
  {
    name: 'keys-for-each-token',
    breaks: 'each token asks the provider for keys, also while it fails',
    fails: 'http/tokens',
    part: 'the keys of a URL',
    changes: [
      { file: 'access/provider-keys.js', text: 'performance.now() - this.#failedMs > RETRY_MS', replacement: 'true' },
    ],
  },
  {
    name: 'keys-for-strangers',
    breaks: 'each token of a key that is not known asks for keys anew',
    fails: 'http/tokens',
    part: 'a provider that does not answer',
    changes: [{ file: 'access/provider-keys.js', text: '|| ageMs < COOLDOWN_MS', replacement: '' }],
  },
  {
    name: 'no-blank-before-q',
    breaks: 'a blank before q hides the weight of a media type',
    fails: 'http/accept',
    part: 'Accept weighs',
    changes: [{ file: 'plugins/negotiate.js', text: '(?!\\s*q\\s*=)', replacement: '(?!q=)' }],
  },
  {
    name: 'codings-in-lower-case',
    breaks: 'Content-Encoding is compared with its case',
    fails: 'http/accept',
    part: 'media types and codings',
    changes: [{ file: 'plugins/validation.js', text: 'encoding.trim().toLowerCase()', replacement: 'encoding.trim()' }],
  },
  {
    name: 'types-in-lower-case',
    breaks: 'Content-Type is compared with its case',
    fails: 'http/accept',
    part: 'media types and codings',
    changes: [{ file: 'plugins/negotiate.js', text: '.trim().toLowerCase()', replacement: '.trim()' }],
  },
  {
    name: 'any-number-of-hosts',
    breaks: 'two Host headers are one',
    fails: 'http/unread',
    part: 'what cannot be read',
    changes: [{ file: 'plugins/unread.js', text: "!host.includes(',')", replacement: 'true' }],
  },
  {
    name: 'refused-in-other-words',
    breaks: 'what the parser refuses is answered as the framework does it',
    fails: 'http/unread',
    part: 'what cannot be read',
    changes: [
      { file: 'app.js', text: 'clientErrorHandler: clientErrorHandler(headers, headSeconds),', replacement: '' },
    ],
  },
  {
    name: 'codings-of-any-name',
    breaks: 'Transfer-Encoding is not looked at',
    fails: 'http/unread',
    part: 'what cannot be read',
    changes: [
      {
        file: 'plugins/unread.js',
        text: "(coding === undefined || coding.toLowerCase() === 'chunked')",
        replacement: 'true',
      },
    ],
  },
  {
    name: 'two-answers-in-one',
    breaks: 'a refusal is written into an answer that is under way',
    fails: 'http/unread',
    part: 'an answer that is under way',
    changes: [{ file: 'plugins/unread.js', text: ' || hasBegun(socket)', replacement: '' }],
  },
  {
    name: 'sizes-beyond-2-to-the-53',
    breaks: 'a file may have more bytes than can be addressed',
    fails: 'http/file-content',
    part: 'shapes at the edge',
    changes: [
      {
        file: 'registry/array-files.js',
        text: 'if (offset <= LIMITS.arrayBytesMax - nbytes)',
        replacement: 'if (true)',
      },
    ],
  },
  {
    name: 'readiness-for-strangers',
    breaks: 'readiness tells everybody everything',
    fails: 'http/access',
    part: 'health, the API document',
    changes: [{ file: '../routes/operations.js', text: "principal.rank >= rankNeeded('read') && ", replacement: '' }],
  },
];
