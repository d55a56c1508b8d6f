import t from 'tap';
import { addressesOf, hostNameOf, HostNames, isLoopback, networkOf } from '../../src/access/addresses.js';

t.test('loopback is 127.0.0.0/8 and ::1, and nothing that looks like it', async t => {
  for (const address of ['127.0.0.1', '127.1.2.3', '127.255.255.254', '::1', '0:0:0:0:0:0:0:1', '::ffff:127.0.0.1']) {
    t.ok(isLoopback(address), address);
  }
  for (const address of [
    '0.0.0.0',
    '::',
    '10.0.0.1',
    '128.0.0.1',
    '1.127.0.1',
    '::2',
    '::ffff:10.0.0.1',
    'fe80::1',
    '2001:db8::1',
    '',
    '127.0.0.1.example.org',
    'localhost',
    '1::1',
    '::1:1',
    '0:0:0:0:0:1:0:1',
  ]) {
    t.notOk(isLoopback(address), address);
  }
});

t.test('the name to listen on is resolved', async t => {
  t.strictSame(await addressesOf('0.0.0.0'), ['0.0.0.0']);
  t.strictSame(await addressesOf('::'), ['::']);
  t.ok((await addressesOf('localhost')).every(isLoopback));
  await t.rejects(addressesOf('no-such-name.invalid'), /resolve/);
});

t.test('a Host header is a name and a port', async t => {
  for (const [header, wanted] of [
    ['localhost', 'localhost'],
    ['LocalHost:80', 'localhost'],
    ['localhost.:80', 'localhost'],
    ['[::1]:8080', '[::1]'],
    ['[::1]', '[::1]'],
    ['a.example:', 'a.example'],
    ['', undefined],
    [':80', undefined],
    ['a@localhost', undefined],
    ['localhost/x', undefined],
    ['localhost:80:80', undefined],
    ['localhost:x', undefined],
    ['[::1', undefined],
    ['::1', undefined],
    ['a b', undefined],
  ] as const) {
    t.equal(hostNameOf(header), wanted, header);
  }
});

t.test('names of this machine are allowed, and those of the setting', async t => {
  const names = new HostNames(['data.example.org']);
  for (const header of [
    'localhost',
    'localhost:8080',
    '127.0.0.1:1',
    '127.9.9.9',
    '[::1]:80',
    'DATA.example.org:443',
    'localhost:8080',
  ]) {
    t.ok(names.allows(header), header);
  }
  for (const header of [
    'evil.example',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    '127.1',
    '127.0.0.256',
    '128.0.0.1',
    '0.0.0.0',
    '10.0.0.1',
    '[::]',
    '[::2]',
    'xdata.example.org',
    'data.example.org.evil',
    '',
    undefined,
  ]) {
    t.notOk(names.allows(header), String(header));
  }
  t.ok(names.lists('data.example.org'));
  t.notOk(names.lists('localhost'), 'was not given by setting');
});

t.test('a client is an IPv4 address, or the /64 of an IPv6 one', async t => {
  for (const [address, network] of [
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['::FFFF:192.0.2.7', '192.0.2.7'],
    ['2001:db8:0:1::9', '2001:db8:0:1::/64'],
    ['2001:0DB8:0000:0001:ffff:1:2:3', '2001:db8:0:1::/64'],
    ['2001:db8:0:2::9', '2001:db8:0:2::/64'],
    ['2001:db8::9', '2001:db8:0:0::/64'],
    ['fe80::1:2:3:4%eth0', 'fe80:0:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['1:2:3:4:5::', '1:2:3:4::/64'],
    ['', ''],
  ] as const) {
    t.equal(networkOf(address), network, address);
  }
});
