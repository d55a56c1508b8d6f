/** What a person at a terminal reads: log lines, help, and the word that was meant. */
import t from 'tap';
import { SETTINGS } from '../src/config.js';
import { readFlags, UsageError } from '../src/process/flags.js';
import { serveUsage, settingsTable, usage } from '../src/process/help.js';
import { nearest } from '../src/near.js';
import { lineForPeople } from '../src/process/terminal-log.js';
import { flagOf } from '../src/setting.js';

t.test('every setting has a flag of its own, which is read back as that setting', async t => {
  const names = Object.values(SETTINGS).map(({ name }) => name);
  t.equal(new Set(names.map(flagOf)).size, names.length);
  for (const name of names) {
    t.strictSame(readFlags([flagOf(name), 'x']).settings, { [name]: 'x' });
    t.strictSame(readFlags([`${flagOf(name)}=x`]).settings, { [name]: 'x' });
    t.ok(settingsTable().includes(`${flagOf(name)}  (${name},`), name);
  }
});

t.test('what is no flag is refused with the near one', async t => {
  for (const [args, says] of [
    [['--prot', '1'], /no flag --prot\. Did you mean --port\?/],
    [['--datadir=x'], /Did you mean --data-dir\?/],
    [['--loglevel', 'x'], /Did you mean --log-level\?/],
    [['--nothing-like-it'], /^There is no flag --nothing-like-it\. "hyperslab --help" lists them\.$/],
    [['-p', '1'], /no flag -p\./],
    [['--port'], /--port needs a value/],
  ] as const) {
    t.throws(() => readFlags(args), { name: 'UsageError', message: says }, args.join(' '));
  }
  t.throws(() => readFlags(['--prot']), UsageError);
  t.strictSame(readFlags(['--port', '1', '--port=2']).settings, { HYPERSLAB_PORT: '2' }, 'the last one counts');
});

t.test('the near word is one that may be meant', async t => {
  for (const [typed, words, wanted] of [
    ['serv', ['serve', 'keys'], 'serve'],
    ['kyes', ['serve', 'keys'], 'keys'],
    ['start', ['serve', 'keys'], undefined],
    ['x', ['serve', 'keys'], undefined],
    ['HYPERSLAB_PROT', ['HYPERSLAB_PORT', 'HYPERSLAB_HOST'], 'HYPERSLAB_PORT'],
  ] as const) {
    t.equal(nearest(typed, words), wanted, typed);
  }
});

t.test('help has examples, common flags with their defaults, and says where all of them are', async t => {
  for (const text of [usage(), serveUsage()]) {
    t.match(text, /Examples:/);
    t.match(text, /--port [^-]*Default: 8080/);
    t.ok(
      text.split('\n').every(line => line.length <= 80),
      'it fits a terminal',
    );
    t.match(text, /"hyperslab\s+settings" lists all/);
    t.notMatch(text, '`');
  }
});

t.test('a log line is one line for people, without anything that a terminal obeys', async t => {
  const line = (values: object): string =>
    lineForPeople(JSON.stringify({ level: 30, time: 0, pid: 1, hostname: 'h', msg: 'request', ...values }));
  t.match(
    line({ status: 404, route: '/v1/datasets/:name' }),
    /^\d\d:\d\d:\d\d info  request status=404 route=\/v1\/datasets\/:name$/,
  );
  const nasty = line({
    dataset: 'a\u001b[2Jb\nc\u009bd',
    err: { message: 'x\ny', stack: 'Error: x\n    at f (a.js:1)\n    at g' },
  });
  // oxlint-disable-next-line no-control-regex
  t.notMatch(nasty, /[\u0000-\u001f\u007f-\u009f]/);
  t.match(nasty, /error="x\\ny" at="f \(a\.js:1\)"$/);
});
