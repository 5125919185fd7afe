/** The examples of docs/management.md, run as they stand there. `…` stands for anything within a line, a line of its own for any lines. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { answering, named } from '../harness/origin.ts';
import { projectFolder } from '../harness/program.ts';
import { Site } from '../harness/site.ts';

const page = readFileSync(join(projectFolder, 'docs/management.md'), 'utf8');
const blocks = [...page.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map((match) => ({ kind: match[1] ?? '', text: match[2] ?? '' }));
const ports = { '8080': 'www', '8404': 'stats', '9001': 'one', '9002': 'two' } as const;

interface Example { readonly command: string; readonly answer: string }

/** `$ command`, then what it prints. */
function examplesOf(text: string): Example[] {
  return text.split(/^\$ /m).slice(1).map((part) => {
    const end = part.indexOf('\n');
    return { command: part.slice(0, end), answer: part.slice(end + 1) };
  });
}

/** The page's paths and addresses → those of this site. */
function here(text: string, site: Site): string {
  const own = text.replaceAll(/\/(?:run|etc)\/poise\//g, `${site.place.folder}/`);
  return Object.entries(ports).reduce((made, [port, name]) => made.replaceAll(`127.0.0.1:${port}`, `${site.place.address}:${site.port(name)}`), own);
}

function pattern(answer: string): RegExp {
  const lines = answer.replace(/\n$/, '').split('\n');
  return new RegExp(`^${lines.map((line) => (line === '…' ? '[^]*' : `${line.split('…').map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('.*')}`)).join('\n').replaceAll('[^]*\n', '[^]*')}\n*$`);
}

function shell(command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn('sh', ['-c', command], { stdio: ['ignore', 'pipe', 'pipe'], timeout: 15_000 });
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => { text += chunk.toString(); });
    child.stderr.on('data', (chunk: Buffer) => { text += chunk.toString(); });
    child.on('error', reject);
    child.on('close', () => resolve(text));
  });
}

let site: Site | null = null;

before(async () => {
  const configuration = blocks.find(({ kind }) => kind === 'haproxy')?.text ?? '';
  const template = Object.entries(ports).reduce((text, [port, name]) => text.replaceAll(`127.0.0.1:${port}`, `{${name}}`), configuration).replaceAll(/\/(?:run|etc)\/poise\//g, '{dir}/')
    // A server's wait is bounded by the test's patience, not by the page's.
    .replaceAll('weight 10 check', 'weight 10 check inter 200ms');
  const prepared = await Site.prepare('poise', { configuration: template, files: { 'hosts.map': '' }, origins: () => ({ one: answering(() => 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'), two: named('two') }) });
  site = prepared;
  await prepared.startOrigins();
  await prepared.startProgram();
});
after(async () => {
  await site?.stop();
});

test('every example of docs/management.md gives what the page says', async (context) => {
  const running = site;
  assert(running !== null);
  const examples = blocks.filter(({ kind }) => kind === 'console').flatMap(({ text }) => examplesOf(text));
  assert.ok(examples.length >= 15, `${examples.length} examples were found`);
  for (const { command, answer } of examples) {
    await context.test(command, async () => {
      const wanted = pattern(here(answer, running));
      assert.match(await shell(here(command, running)), wanted);
    });
  }
});
