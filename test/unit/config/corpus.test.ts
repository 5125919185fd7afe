/**
 * Golden files: each corpus/*.cfg gives the problems and the short form of the Model that its .golden file holds. After a change
 * that is meant, write them anew with POISE_GOLDEN=write and read the difference.
 */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { addressText } from '../../../src/config/address.ts';
import { diskFiles, memoryFiles } from '../../../src/config/files.ts';
import type { ConfigFiles } from '../../../src/config/files.ts';
import { loadConfiguration } from '../../../src/config/load.ts';
import type { Loaded } from '../../../src/config/load.ts';
import type { Condition, Rule } from '../../../src/model/expression.ts';
import type { Model, Proxy, Server } from '../../../src/model/model.ts';
import { accounts } from './loading.ts';

const folder = fileURLToPath(new URL('./corpus/', import.meta.url));
const disk = diskFiles(folder);

/** The corpus from disk; users, groups and hosts from the test, whatever the machine has. */
const files: ConfigFiles = {
  ...disk,
  read: (path) => (Object.hasOwn(accounts, path) ? new TextEncoder().encode(accounts[path as keyof typeof accounts]) : disk.read(path)),
};

const conditionText = (condition: Condition | null): string => (condition === null ? '' : ` ${condition.unless ? 'unless' : 'if'} ${condition.anyOf.map((all) => all.map((term) => (term.negate ? '!' : '') + term.acls.join('|')).join(' ')).join(' or ')}`);

function rules(name: string, list: readonly Rule[]): string[] {
  return list.map((rule) => `  ${name} ${rule.action.kind}${'name' in rule.action ? ` ${rule.action.name}` : ''}${conditionText(rule.condition)}`);
}

/** Settings of an object that differ from zero, one word each. */
function set(object: object, ...skip: string[]): string {
  return Object.entries(object).filter(([key, value]) => !skip.includes(key) && value !== null && value !== false && value !== 0 && value !== '' && !(Array.isArray(value) && value.length === 0))
    .map(([key, value]) => `${key}=${typeof value === 'object' ? JSON.stringify(value) : String(value)}`).join(' ');
}

function serverLines(server: Server): string[] {
  const { tls, check } = server;
  return [
    `  server ${server.name} #${server.sid} ${addressText(server.address)} ${set(server, 'index', 'sid', 'name', 'proxy', 'place', 'address', 'tls', 'check', 'resolvePrefer', 'onError', 'errorLimit', 'poolPurgeDelayMs', 'observe', 'onMarkedUp', 'initState')}`,
    ...(tls === null ? [] : [`    tls ${set(tls, 'caPem', 'crlPem', 'sni')}${tls.caPem === '' ? '' : ' caPem'}${tls.sni === null ? '' : ` sni=${tls.sni.text}`}`]),
    ...(check === null ? [] : [`    check ${set(check, 'tlsOptions')}`]),
    ...(check === null || check.tlsOptions === null ? [] : [`    check tls ${set(check.tlsOptions, 'caPem', 'crlPem', 'sni')}${check.tlsOptions.caPem === '' ? '' : ' caPem'}`]),
  ];
}

function proxyLines(model: Model, proxy: Proxy): string[] {
  const target = model.proxies[proxy.defaultBackend]?.name ?? '-';
  return [
    `${proxy.kind} ${proxy.name} #${proxy.iid} mode=${proxy.mode} ${proxy.connectionMode} default=${target} log=${proxy.logStyle}/${proxy.logTargets.length}`,
    `  timeouts ${set(proxy.timeouts)}`,
    `  switches ${set(proxy.switches, 'httpRestrictReqHdrNames')}`,
    ...proxy.binds.map((index) => model.binds[index]).filter((bind) => bind !== undefined).flatMap((bind) => [
      `  bind ${bind.text} #${bind.luid} ${set(bind, 'index', 'luid', 'proxy', 'address', 'text', 'place', 'tls', 'uid', 'gid')}`,
      ...(bind.tls === null ? [] : [`    tls ${set(bind.tls, 'caPem', 'crlPem')}${bind.tls.caPem === '' ? '' : ' caPem'}`]),
    ]),
    ...rules('connection', proxy.tcpRequestConnection), ...rules('content', proxy.tcpRequestContent), ...rules('request', proxy.httpRequest), ...rules('redirect', proxy.redirects),
    ...rules('response', proxy.httpResponse),
    ...proxy.useBackend.map((rule) => `  use_backend ${rule.dynamic === null ? model.proxies[rule.target]?.name ?? '?' : 'dynamic'}${conditionText(rule.condition)}`),
    ...proxy.useServer.map((rule) => `  use-server ${model.servers[rule.target]?.name ?? '?'}${conditionText(rule.condition)}`),
    ...(proxy.isBackend ? [`  balance ${set(proxy.balance)} hash ${set(proxy.hashType)} check ${proxy.check.kind}${'steps' in proxy.check ? ` ${proxy.check.steps.map((step) => step.kind).join(',')}` : ''}`] : []),
    ...(proxy.stickTable === null ? [] : [`  table ${set(proxy.stickTable)}`]),
    ...proxy.stickRules.map((rule) => `  stick ${rule.kind} ${rule.expr.text} table=${rule.table}`),
    ...(proxy.cookie === null ? [] : [`  cookie ${set(proxy.cookie)}`]),
    ...(proxy.errors.length === 0 ? [] : [`  errors ${proxy.errors.map((answer) => `${answer.status}:${answer.body.kind}`).join(' ')}`]),
    ...(proxy.stats === null ? [] : [`  stats ${set(proxy.stats, 'admin')} admin=${proxy.stats.admin.length}`]),
    ...proxy.servers.map((index) => model.servers[index]).filter((server) => server !== undefined).flatMap(serverLines),
  ];
}

function short(loaded: Loaded): string {
  const told = loaded.problems.map((problem) => `${problem.severity} ${problem.place.file}:${problem.place.line}: [${problem.word}] ${problem.message}${problem.remedy === '' ? '' : ` (${problem.remedy})`}`);
  const { model } = loaded;
  if (model === undefined) return [...told, 'no model', ''].join('\n');
  return [
    ...told, '', `global ${set(model.global, 'environment', 'logTargets', 'statsSockets', 'processVars')} logs=${model.global.logTargets.length} sockets=${model.global.statsSockets.length}`,
    ...model.acls.map((acl, index) => `acl ${index} ${acl.name} ${acl.text}`), ...model.certificates.map((each) => `certificate ${each.path} ${each.names.join(',')} ${each.keyType}`),
    ...model.proxies.flatMap((proxy) => proxyLines(model, proxy)), '',
  ].join('\n').replaceAll(/[ \t]+$/gm, '');
}

function read(name: string): Loaded {
  return loadConfiguration([name], { environment: {}, cpus: 2, files, nowMs: Date.parse('2026-12-01') });
}

for (const name of readdirSync(folder).filter((each) => each.endsWith('.cfg'))) {
  test(`golden: ${name}`, () => {
    const golden = `${folder}${name.replace('.cfg', '.golden')}`;
    const found = short(read(name));
    if (process.env.POISE_GOLDEN === 'write') writeFileSync(golden, found);
    assert.equal(found, readFileSync(golden, 'utf8'));
  });
}

test('where files may be half written, the last line needs its line feed', () => {
  const text = 'global\n maxconn 500';
  const told = (configuration: string, wholeLines: boolean): string[] => loadConfiguration(['/lb.cfg'], { environment: {}, cpus: 2, wholeLines, files: memoryFiles({ ...accounts, '/lb.cfg': configuration }) }).problems
    .filter(({ severity }) => severity === 'error').map(({ place, message }) => `${place.line} ${message}`);
  assert.deepEqual(told(text, true), ['2 the last line has no line feed: the file may not be written to its end']);
  for (const [configuration, wholeLines] of [[text, false], [`${text}\n`, true], ['', true]] as const) assert.deepEqual(told(configuration, wholeLines), []);
});

test('CRLF line ends, a byte order mark and a missing last line feed change nothing', () => {
  const name = 'legacy-14.cfg';
  const text = readFileSync(`${folder}${name}`, 'latin1').trimEnd().replaceAll('\n', '\r\n');
  const changed: ConfigFiles = { ...files, read: (path) => (path === name ? Buffer.from(`\xef\xbb\xbf${text}`, 'latin1') : files.read(path)) };
  const loaded = loadConfiguration([name], { environment: {}, cpus: 2, files: changed, nowMs: 0 });
  assert.equal(short(loaded), short(loadConfiguration([name], { environment: {}, cpus: 2, files, nowMs: 0 })));
  assert.equal(loaded.model?.proxies[2]?.servers.length, 2);
});

test('the Model survives structured clone', () => {
  const { model } = read('current-advanced.cfg');
  assert.equal(JSON.stringify(structuredClone(model)?.proxies.map((proxy) => proxy.timeouts)), JSON.stringify(model?.proxies.map((proxy) => proxy.timeouts)));
  assert.doesNotThrow(() => structuredClone(model));
});
