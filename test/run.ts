/**
 * `npm test`: types, lint, tidy, unit tests on Node and Bun, system tests with Poise on Bun and on Node, pairs of nodes on both, and the packages. Runs every stage even
 * when one fails; the last line is `N passed, N failed`. Arguments name the stages to run (`npm test -- lint tidy`).
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, globSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fetchOutsidePackages } from './harness/outside-packages.ts';

const home = join(dirname(fileURLToPath(import.meta.url)), '..');
const bin = (name: string): string => join(home, 'node_modules/.bin', name);
const node = bin('node');
const systemConcurrency = 2;
/** A stage that takes longer hangs; it is ended and counts as failed. */
const stageMinutesMax = 25;
/** Longest time of one test, where it sets none itself. */
const testMsMax = 120_000;

/** What the system tests call, and the Debian package of each: a program on the PATH, or a file (a pattern) where Debian puts it. */
const neededPrograms: Readonly<Record<string, string>> = {
  haproxy: 'haproxy', keepalived: 'keepalived', tcpdump: 'tcpdump', nginx: 'nginx', curl: 'curl', openssl: 'openssl', socat: 'socat', ip: 'iproute2', killall: 'psmisc',
  swaks: 'swaks', '/usr/lib/*/perl5/*/Net/SSLeay.pm': 'libnet-ssleay-perl', '/etc/gss/mech.d/mech.ntlmssp.conf': 'gss-ntlmssp',
  '/usr/lib/python3/dist-packages/impacket': 'python3-impacket', '/usr/lib/python3/dist-packages/websocket': 'python3-websocket', chromium: 'chromium',
  hatop: 'hatop', haproxy_log_analysis: 'haproxy-log-analysis', promtool: 'prometheus', 'prometheus-haproxy-exporter': 'prometheus-haproxy-exporter',
  '/usr/lib/nagios/plugins/check_haproxy_stats': 'monitoring-plugins-contrib',
  '/usr/share/perl5/LWP/UserAgent.pm': 'libwww-perl', '/usr/lib/python3/dist-packages/urllib3': 'python3-urllib3', '/usr/lib/python3/dist-packages/yaml': 'python3-yaml',
};

interface Result { readonly passed: number; readonly failed: number }
interface Output { readonly code: number; readonly text: string }

const environment = { ...process.env, PATH: `${process.env['PATH'] ?? ''}${delimiter}/usr/sbin${delimiter}/sbin` };

/** Runs a program, shows its output as it comes, and gives it back. */
function run(command: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Output> {
  return new Promise((resolve) => {
    // A group of its own, so that a stage that hangs can be ended with everything it started.
    const child = spawn(command, args, { cwd: home, env: { ...environment, ...env }, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    const end = (): void => { try { process.kill(-(child.pid ?? 0), 'SIGKILL'); } catch { /* it is gone */ } };
    const limit = setTimeout(() => { console.error(`${command} ${args[0] ?? ''}: ended after ${stageMinutesMax} minutes`); end(); }, stageMinutesMax * 60_000);
    process.once('exit', end);
    let text = '';
    const take = (to: NodeJS.WriteStream) => (chunk: Buffer): void => { text += chunk.toString(); to.write(chunk); };
    child.stdout.on('data', take(process.stdout));
    child.stderr.on('data', take(process.stderr));
    child.on('error', (error) => { console.error(`${command}: ${error.message}`); resolve({ code: 127, text }); });
    child.on('close', (code) => {
      clearTimeout(limit);
      process.off('exit', end);
      resolve({ code: code ?? 1, text });
    });
  });
}

async function oneCheck(command: string, args: readonly string[]): Promise<Result> {
  const { code } = await run(command, args);
  return code === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
}

/** Adds up the counts that the pattern's two groups find; a run that failed without a failed test counts as one. */
function counted(output: Output, passed: RegExp, failed: RegExp): Result {
  const sum = (pattern: RegExp): number => [...output.text.matchAll(pattern)].reduce((total, found) => total + Number(found[1]), 0);
  const failures = sum(failed);
  const successes = sum(passed);
  const brokenRun = failures === 0 && (output.code !== 0 || successes === 0);
  return { passed: successes, failed: failures + (brokenRun ? 1 : 0) };
}

/** What could not be run here, and why: each line once, for the end. */
const leftOut = new Set<string>();

async function nodeTests(files: readonly string[], concurrency: number, env: Readonly<Record<string, string>> = {}): Promise<Result> {
  const args = ['--test', `--test-timeout=${testMsMax}`, `--test-concurrency=${concurrency}`, `--test-reporter=${join(home, 'test/harness/reporter.ts')}`, ...files];
  const output = await run(node, args, env);
  const { passed, failed } = counted(output, /^# (\d+) passed, \d+ failed$/gm, /^# \d+ passed, (\d+) failed$/gm);
  const missing = [...output.text.matchAll(/^# (tests .* were left out .*)$/gm)].map(([, line = '']) => line);
  for (const line of missing) leftOut.add(line);
  // A file whose tests were all left out counts as a test that passed.
  return { passed: passed - missing.length, failed };
}

function files(pattern: string): string[] {
  return globSync(pattern, { cwd: home }).sort();
}

const pairTests = 'test/system/pair/*.test.ts';

function systemFiles(): string[] {
  const pair = new Set(files(pairTests));
  return files('test/system/**/*.test.ts').filter((file) => !pair.has(file));
}

const stages: Readonly<Record<string, () => Promise<Result>>> = {
  programs: installPrograms,
  types: () => oneCheck(bin('tsc'), ['--noEmit']),
  lint: () => oneCheck(bin('oxlint'), ['--deny-warnings']),
  tidy: () => nodeTests(files('test/tidy/*.test.ts'), 2),
  'unit-node': () => nodeTests(files('test/unit/**/*.test.ts'), 2),
  'unit-bun': async () => counted(await run(bin('bun'), ['test', '--only-failures', 'test/unit']), /^ *(\d+) pass$/gm, /^ *(\d+) fail$/gm),
  'system-bun': () => nodeTests(systemFiles(), systemConcurrency, { POISE_RUNTIME: 'bun' }),
  'system-node': () => nodeTests(systemFiles(), systemConcurrency, { POISE_RUNTIME: 'node' }),
  // Adverts and detection times are real seconds: these files have the machine to themselves.
  'pair-bun': () => nodeTests(files(pairTests), 1, { POISE_RUNTIME: 'bun' }),
  'pair-node': () => nodeTests(files(pairTests), 1, { POISE_RUNTIME: 'node' }),
  packaging: () => nodeTests(files('test/packaging/*.test.ts'), 1),
};

function isInstalled(program: string): boolean {
  if (program.startsWith('/')) return globSync(program).length > 0;
  return (environment.PATH.split(delimiter)).some((folder) => existsSync(join(folder, program)));
}

/** Gives back when apt-get is done, whether it could or not. */
function aptGet(...args: readonly string[]): void {
  spawnSync('apt-get', ['-qq', ...args], { env: { ...environment, DEBIAN_FRONTEND: 'noninteractive' }, stdio: ['ignore', 'ignore', 'inherit'] });
}

/** The system tests compare with real programs, so a missing one is a failure. Root gets them from Debian. */
async function installPrograms(): Promise<Result> {
  const missing = (): string[] => Object.keys(neededPrograms).filter((program) => !isInstalled(program)).map((program) => neededPrograms[program] ?? program);
  const packages = missing();
  if (packages.length > 0 && process.getuid?.() === 0 && isInstalled('apt-get')) {
    console.log(`installing ${packages.join(' ')}`);
    aptGet('update');
    aptGet('-y', '--no-install-recommends', 'install', ...packages);
    // One that is not to be had keeps apt-get from installing all others.
    for (const name of packages.length > 1 ? missing() : []) aptGet('-y', '--no-install-recommends', 'install', name);
  }
  const left = missing();
  if (left.length > 0) console.error(`tests that need ${left.join(', ')} are going to fail: apt-get install ${left.join(' ')}`);
  const outside = fetchOutsidePackages();
  if (outside.missing.length > 0) console.error(`not to be had, so that tests of them are going to fail: ${outside.missing.join(', ')}`);
  return { passed: Object.keys(neededPrograms).length - left.length + outside.had, failed: left.length + outside.missing.length };
}

/** `system` names both system stages, `unit` both unit stages. */
function chosenStages(words: readonly string[]): string[] {
  const all = Object.keys(stages);
  if (words.length === 0) return all;
  const unknown = words.filter((word) => !all.some((stage) => stage === word || stage.startsWith(`${word}-`)));
  if (unknown.length > 0) {
    console.error(`unknown stage ${unknown.join(', ')}; stages: ${all.join(' ')} unit system`);
    process.exit(2);
  }
  return all.filter((stage) => words.some((word) => stage === word || stage.startsWith(`${word}-`)));
}

async function main(): Promise<void> {
  let passed = 0;
  let failed = 0;
  const summary: string[] = [];
  for (const name of chosenStages(process.argv.slice(2))) {
    console.log(`\n== ${name}`);
    const startedAt = Date.now();
    const result = await (stages[name] as () => Promise<Result>)();
    passed += result.passed;
    failed += result.failed;
    const seconds = ((Date.now() - startedAt) / 1000).toFixed(1);
    summary.push(`${name.padEnd(12)} ${String(result.passed).padStart(5)} passed ${String(result.failed).padStart(4)} failed ${seconds.padStart(7)} s`);
  }
  const notRun = leftOut.size === 0 ? '' : `\nNOT RUN: ${[...leftOut].join('\nNOT RUN: ')}\n`;
  console.log(`\n${summary.join('\n')}\n${notRun}\n${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
}

// Ctrl-C reaches only this process, as the stages have groups of their own.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(1));
await main();
