/**
 * `poise init exchange`: what it writes for a few sites stands in golden/, to be read as a whole; after a change that is meant, write the
 * files anew with POISE_GOLDEN=write and read the difference. And what it says to words that make no sense.
 */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readInitWords } from '../../../src/cli/init/arguments.ts';
import { lookAtCertificate } from '../../../src/cli/init/certificate.ts';
import { siteFiles } from '../../../src/cli/init/exchange.ts';
import type { ExchangeSite } from '../../../src/cli/init/site.ts';
import { writeFiles } from '../../../src/cli/init/write-files.ts';
import { makeCertificate } from '../../../src/exchange-sim/certificate.ts';

const golden = fileURLToPath(new URL('./golden/', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'poise-init-'));
after(() => { rmSync(folder, { recursive: true, force: true }); });

const base = {
  servers: 'lab-ex01=10.0.0.21,lab-ex02=10.0.0.22', name: 'mail.example.com', vip: '10.0.0.10/24', cert: '/etc/ssl/mail.pem',
};
type Words = Readonly<Record<string, string>>;

/** `''` as value: a switch. */
function words(options: Words): string[] {
  return Object.entries(options).flatMap(([name, value]) => (value === '' ? [`--${name}`] : [`--${name}`, value]));
}

function site(options: Words): ExchangeSite {
  const order = readInitWords(words({ ...base, ...options }), '/');
  if ('faults' in order) throw new Error(order.faults.join('\n'));
  return order.site;
}

function faults(options: Words): string {
  const order = readInitWords(words(options), '/');
  return 'faults' in order ? order.faults.join('\n') : '';
}

const sets: Readonly<Record<string, Words>> = {
  'l7-mail': { smtp: '', imap: '', pop: '', nodes: 'lb01=10.0.0.11,lb02=10.0.0.12', 'mail-to': 'administrator@example.com', 'mail-server': '10.0.0.9' },
  'tcp': { mode: 'tcp', services: 'mapi', webhook: 'https://chat.example.com/hooks/1', 'router-id': '77' },
  'from-haproxy': { from: 'haproxy', smtp: '', interface: 'ens192' },
  'few-services': { services: 'owa,eas', inside: '10.0.0.0/8,fd00::/8', ca: '/etc/ssl/my ca.pem', vip: '2001:db8::10/64', servers: 'a=2001:db8::21' },
};

describe('what is written', () => {
  for (const [name, options] of Object.entries(sets)) {
    it(name, () => {
      const files = siteFiles(site(options));
      const home = join(golden, name);
      if (process.env['POISE_GOLDEN'] === 'write') {
        mkdirSync(home, { recursive: true });
        for (const file of files) writeFileSync(join(home, file.name), file.text);
      }
      assert.deepEqual(readdirSync(home).sort(), files.map((file) => file.name).sort());
      for (const file of files) assert.equal(file.text, readFileSync(join(home, file.name), 'utf8'), file.name);
    });
  }

  it('send-proxy nowhere, and no line that nobody can read', () => {
    for (const options of Object.values(sets)) {
      for (const file of siteFiles(site(options))) {
        assert.doesNotMatch(file.text, /^(?!\s*#).*send-proxy/m);
        assert.doesNotMatch(file.text, /undefined|\[object|\t| $/m);
        for (const line of file.text.split('\n')) if (/^\s*[#!] (?!last-resort)/.test(line)) assert(line.length <= 150, line);
      }
    }
  });
});

it('the interface is the one in the network of the virtual address, or the one that is named', () => {
  const links = [{ name: 'lo', network: '127.0.0.1/8' }, { name: 'ens1', network: '192.0.2.7/24' }, { name: 'ens2', network: '10.0.0.11/24' }, { name: 'ens3', network: 'fd00::5/64' }];
  const device = (options: Words): string => {
    const order = readInitWords(words({ ...base, ...options }), '/', links);
    return 'faults' in order ? order.faults.join('\n') : order.site.device;
  };
  assert.deepEqual([device({}), device({ vip: 'fd00::10/64' }), device({ interface: 'bond0' }), device({ vip: '10.1.0.10/24' })], ['ens2', 'ens3', 'bond0', 'eth0']);
});

describe('words that make no sense', () => {
  it('what is missing is named with an example, all of it at once', () => {
    const told = faults({});
    for (const option of ['--servers', '--name', '--vip', '--cert']) assert.match(told, new RegExp(`${option} is missing; .*${option} [a-z/1]`));
  });

  const wrong: readonly (readonly [Words, RegExp])[] = [
    [{ servers: 'lab-ex01' }, /'lab-ex01' in --servers is not NAME=ADDRESS; .*lab-ex01=10\.0\.0\.21/],
    [{ servers: 'a=10.0.0.21,b=10.0.0.300' }, /'10\.0\.0\.300' of b is not an address; write the numbers/],
    [{ servers: 'a=mail1.example.com' }, /'mail1\.example\.com' of a is not an address/],
    [{ servers: 'a=10.0.0.21,b=10.0.0.21' }, /a and b have the same address 10\.0\.0\.21; one of them was copied/],
    [{ servers: 'a=2001:db8::21,b=2001:db8:0::21' }, /a and b have the same address 2001:db8::21/],
    [{ servers: 'a=10.0.0.21,A=10.0.0.22' }, /two servers are called 'A'/],
    [{ servers: 'a b=10.0.0.21' }, /'a b=10\.0\.0\.21' in --servers is not NAME=ADDRESS/],
    [{ services: 'owa,autodiscovery' }, /there is no service 'autodiscovery' \(--services\); did you mean 'autodiscover'\? there are owa, mapi/],
    [{ services: ',' }, /--services names none; write one of owa, mapi/],
    [{ services: 'calendar' }, /there is no service 'calendar' \(--services\); there are owa, mapi/],
    [{ name: 'https://mail.example.com/owa' }, /'https:\/\/mail\.example\.com\/owa' in --name is not a host name; .*without https/],
    [{ name: '10.0.0.10' }, /'10\.0\.0\.10' in --name is not a host name/],
    [{ name: 'mail' }, /'mail' in --name is not a host name/],
    [{ vip: '10.0.0.10' }, /'10\.0\.0\.10' in --vip has no usable prefix length; .*10\.0\.0\.10\/24/],
    [{ vip: '10.0.0.10/33' }, /no usable prefix length; .*1 to 32/],
    [{ vip: '10.0.0.10/24/3' }, /'10\.0\.0\.10\/24\/3' in --vip has no usable prefix length/],
    [{ vip: '10.0.0.0/24' }, /'10\.0\.0\.0\/24' in --vip is the address of a network/],
    [{ vip: '10.0.3.255/22' }, /in --vip is the address of a network, of everybody in it/],
    [{ vip: '0.0.0.0/1' }, /in --vip is the address .*of nobody/],
    [{ vip: 'ff02::12/64' }, /in --vip is the address/],
    [{ vip: 'x/24' }, /'x' in --vip is not an address/],
    [{ vip: '10.0.0.22/24' }, /--vip 10\.0\.0\.22 is also the address of lab-ex02; .*free/],
    [{ mode: 'l4' }, /'l4' is nothing --mode knows; write --mode l7 or --mode tcp/],
    [{ from: 'nginx' }, /'nginx' is nothing --from knows/],
    [{ from: 'haproxy', webhook: 'https://x.example/' }, /--webhook belongs into poise\.cfg/],
    [{ webhook: 'chat' }, /'chat' in --webhook is no address/],
    [{ inside: '10.0.0.0/40' }, /'10\.0\.0\.0\/40' in --inside is not a network/],
    [{ inside: '10.0.0.0/8', mode: 'tcp' }, /--inside has no meaning with --mode tcp/],
    [{ nodes: 'lb01' }, /--nodes names 1 node; a pair has two/],
    [{ nodes: 'lb01,lb01' }, /two nodes are called 'lb01'/],
    [{ nodes: 'lb01=10.0.0.21,lb02=10.0.0.12' }, /lb01 and lab-ex01 have the same address 10\.0\.0\.21/],
    [{ interface: 'eth 0' }, /'eth 0' in --interface is no name of an interface/], [{ interface: 'lo' }, /would be on 'lo', where no other node hears of it; write --interface/],
    [{ 'router-id': '256' }, /'256' in --router-id is not a number from 1 to 255/],
    [{ 'mail-to': 'admin' }, /'admin' is no mail address/],
    [{ 'mail-to': 'a@example.com' }, /--mail-to needs --mail-server; .*not one behind this balancer/],
    [{ 'mail-server': '10.0.0.9' }, /nobody is named who gets the mail; add --mail-to/],
    [{ 'mail-to': 'a@example.com', 'mail-server': '10.0.0.9:0' }, /no usable port/],
    [{ serverz: 'x' }, /there is no option '--serverz'; did you mean '--servers'\?/],
    [{ balance: 'x' }, /there is no option '--balance'; take it out/],
  ];
  it('words that belong to no option, and options without their word', () => {
    const told = (...more: readonly string[]): string => {
      const order = readInitWords([...words(base), ...more], '/');
      return 'faults' in order ? order.faults.join('\n') : '';
    };
    assert.match(told('lab-ex03=10.0.0.23'), /^'lab-ex03=10\.0\.0\.23' belongs to no option; write lists without blanks \(.*\), or take it out$/);
    assert.match(told('--out'), /^--out has no value; write one behind it$/);
    assert.match(told('--out', '--force'), /^--out has no value; write one behind it$/);
    assert.match(told('--smtp=25'), /^--smtp stands alone; take the value away$/);
  });

  it('virtual addresses that machines can have', () => {
    for (const vip of ['10.0.1.0/23', '10.0.0.0/31', '10.0.0.255/32', '10.0.0.255/16', '127.0.0.10/8', 'fd00::/64']) assert.equal(faults({ ...base, vip }), '', vip);
  });

  for (const [options, told] of wrong) it(Object.entries(options).flat().join(' '), () => { assert.match(faults({ ...base, ...options }), told); });
});

describe('the certificate', () => {
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const made = (names: readonly string[], validFrom = new Date(Date.now() - 60_000)): { certPem: string; keyPem: string } =>
    makeCertificate({ commonName: names[0] ?? '', names, validFrom, validDays: 30 });
  const look = (cert: string, more: Words = {}): { errors: readonly string[]; warnings: readonly string[] } => lookAtCertificate(site({ cert, ...more }), Date.now());

  it('that fits is taken without a word, also with its key beside it, by a wildcard and under any file name', () => {
    const { certPem, keyPem } = made(['mail.example.com', '*.example.com']);
    assert.deepEqual(look(file('it\'s the $one.pem', certPem + keyPem)), { errors: [], warnings: [] });
    file('apart.pem.key', keyPem);
    assert.deepEqual(look(file('apart.pem', certPem), { name: 'mail.example.com,autodiscover.example.com' }), { errors: [], warnings: [] });
  });

  it('that cannot be read, has no key, or is none is an error with the remedy', () => {
    assert.match(look(join(folder, 'gone.pem')).errors.join(), /'.*gone\.pem' \(--cert\) is not there; name the PEM file with the certificate of the Exchange servers/);
    assert.match(look(folder).errors.join(), /\(--cert\) is a folder; name the PEM file/);
    assert.match(look(file('bare.pem', made(['mail.example.com']).certPem)).errors.join(), /no private key in '.*bare\.pem', and no '.*bare\.pem\.key' beside it; append the key/);
    assert.match(look(file('text.pem', 'hello')).errors.join(), /there is no certificate in/);
    assert.match(look(file('mixed.pem', made(['mail.example.com']).certPem + made(['mail.example.com']).keyPem)).errors.join(), /does not belong to the certificate/);
    const good = made(['mail.example.com']);
    assert.match(look(file('good.pem', good.certPem + good.keyPem), { ca: join(folder, 'no-ca.pem') }).errors.join(), /no-ca\.pem/);
  });

  it('that names others or is over is a warning', () => {
    const other = made(['mail.example.org']);
    assert.match(look(file('other.pem', other.certPem + other.keyPem)).warnings.join(), /other\.pem' does not name mail\.example\.com, only mail\.example\.org; browsers and Outlook will warn/);
    const old = made(['mail.example.com'], new Date(Date.now() - 40 * 86_400_000));
    const { errors, warnings } = look(file('old.pem', old.certPem + old.keyPem));
    assert.deepEqual(errors, []);
    assert.match(warnings.join(), /expired/);
  });
});

describe('files', () => {
  const two = [{ name: 'haproxy.cfg', text: 'new\n' }, { name: 'poise.cfg', text: 'new\n' }];

  it('that are there stay as they are, and nothing else is written either', () => {
    const home = mkdtempSync(join(folder, 'there-'));
    writeFileSync(join(home, 'poise.cfg'), 'mine\n');
    assert.match(writeFiles(home, two, false), /has poise\.cfg already; name another folder with --out, or overwrite with --force/);
    assert.deepEqual(readdirSync(home), ['poise.cfg']);
    assert.equal(readFileSync(join(home, 'poise.cfg'), 'utf8'), 'mine\n');
    assert.equal(writeFiles(home, two, true), '');
    assert.deepEqual(readdirSync(home).sort(), ['haproxy.cfg', 'poise.cfg']);
    assert.equal(readFileSync(join(home, 'poise.cfg'), 'utf8'), 'new\n');
  });

  it('come all together or not at all', () => {
    const home = mkdtempSync(join(folder, 'half-'));
    mkdirSync(join(home, 'poise.cfg'));
    assert.match(writeFiles(home, two, true), /poise\.cfg is a folder/);
    assert.deepEqual(readdirSync(home), ['poise.cfg']);
    assert.match(writeFiles(home, [two[0] ?? { name: '', text: '' }, { name: 'no/such/folder', text: '' }], false), /cannot write to .*: ENOENT; choose a folder that you may write to/);
    assert.deepEqual(readdirSync(home), ['poise.cfg'], 'the first file is gone again');
    writeFileSync(join(folder, 'no-folder'), '');
    assert.match(writeFiles(join(folder, 'no-folder'), two, false), /cannot write to/);
  });

  it('go into a folder that is made for them', () => {
    assert.equal(writeFiles(join(folder, 'a/b'), two, false), '');
    assert.deepEqual(readdirSync(join(folder, 'a/b')).sort(), ['haproxy.cfg', 'poise.cfg']);
  });
});
