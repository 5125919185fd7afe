/**
 * Whether what was seen of a pair's story from outside is what it has to be: adverts and announcements as tcpdump saw them, who answered, how
 * many pings and requests were lost, which letters came. Times of frames are the kernel's, so that a busy machine moves them little.
 * Used by test/system/pair/moves.test.ts.
 */
import assert from 'node:assert/strict';
import type { Advert, Claim } from './capture.ts';
import type { Host } from './stage.ts';
import { pingsPerSecond, requestsPerSecond, type Fault, type Step, type Story } from './story.ts';
import type { RequestRecord } from './world.ts';

/** What a busy machine may add to a timer, and to what programs do. */
const [timerSlackMs, slackMs] = [700, 1500];
/** A keepalived that yields says nothing: on a busy machine the network may go on sending to it for a while. */
const yieldsLateMs = 3000;
/** Timers are not early by more than this. */
const earlyMs = 30;
/** Time of a hung balancer until its node gives the address up. */
const hungMs = 3000;
/** Requests that may be lost where none should be: on a busy machine one may be under way for long. */
const [underWayMax, underWayMs] = [2, 250];
const priorityOfSecond = 100;
/** Characters of what a node printed that are shown when a story broke. */
const saidLast = 2000;

const dead: readonly Fault[] = ['power-off (kill -9)', 'link down', 'partition and heal'];

function skewMs({ flavour }: Story): number {
  return (256 - priorityOfSecond) / 256 * (flavour.name.startsWith('version 2') ? 1000 : flavour.advertInterval * 1000);
}

function inside<T extends { readonly atMs: number }>(list: readonly T[], fromMs: number, toMs: number): T[] {
  return list.filter((one) => one.atMs >= fromMs && one.atMs < toMs);
}

function between(what: string, value: number, least: number, most: number): void {
  assert(value >= least && value <= most, `${what}: ${Math.round(value)}, not ${Math.round(least)} to ${Math.round(most)}`);
}

/** What was lost, in words. Throws when something was not as it has to be. */
export function judge(story: Story, fault: Fault): string {
  const step = story.steps.get(fault);
  const last = [...story.steps.keys()].at(-1);
  if (step === undefined) throw new Error(`the story ended before it, at ${last ?? 'its beginning'}: ${story.broke?.message ?? ''}`);
  if (story.broke !== undefined && last === fault) throw new Error(`${story.broke.message}\n${[story.first, story.second].map((host) => `${host.name} said last:\n${host.printed.slice(-saidLast)}`).join('\n')}`);
  const { taker } = step;
  const takenMs = (taker === undefined ? undefined : story.capture.first(taker, step.atMs))?.atMs ?? step.atMs;
  for (const advert of inside(story.capture.adverts, step.atMs, step.endMs)) checkAdvert(story, advert);
  assert.deepEqual(story.capture.strange, [], 'tcpdump reads every advert and finds its checksum right');
  if (taker !== undefined) {
    checkTakeOver(story, fault, step, taker, takenMs);
    checkAnnounced(story, taker, takenMs);
  }
  if (fault === 'partition and heal') checkSplit(story, step, takenMs);
  checkOneMaster(story, step, fault === 'partition and heal' ? step.healedMs : takenMs);
  return fault === 'start' ? '' : checkClient(story, fault, step, takenMs);
}

// ---- on the wire

function checkAdvert(story: Story, advert: Advert): void {
  const { flavour } = story;
  const other = story.otherThan(advert.host);
  const unicast = flavour.name.includes('unicast');
  const group = flavour.address.includes(':') ? ['ff02::12', '33:33:00:00:00:12'] : ['224.0.0.18', '01:00:5e:00:00:12'];
  const destination = unicast ? [advert.host === story.first ? '10.77.0.12' : '10.77.0.11', story.hardware.get(other)] : group;
  assert.deepEqual({ timeToLive: advert.timeToLive, version: advert.version, from: advert.hardware, to: [advert.destination, advert.hardwareDestination], password: advert.password, address: advert.addresses.at(-1) }, {
    timeToLive: 255, version: flavour.name.startsWith('version 2') ? 2 : 3, from: story.hardware.get(advert.host), to: destination,
    password: flavour.name.includes('PASS') ? 'lab12345' : '', address: flavour.address,
  }, advert.text);
  assert([0, advert.host === story.first ? 150 : priorityOfSecond].includes(advert.priority), advert.text);
}

function checkTakeOver(story: Story, fault: Fault, step: Step, taker: Host, takenMs: number): void {
  const { capture, flavour } = story;
  const old = story.otherThan(taker);
  const goodbyes = inside(capture.adverts, step.atMs, step.endMs).filter((one) => one.host === old && one.priority === 0);
  const advertMs = flavour.advertInterval * 1000;
  if (dead.includes(fault)) {
    // What a machine without power sends reaches nobody.
    if (fault !== 'power-off (kill -9)') assert.deepEqual(goodbyes.map((one) => one.text), [], 'it cannot say goodbye');
    const downMs = 3 * advertMs + skewMs(story);
    const heard = capture.adverts.filter((one) => one.host === old && one.atMs < step.atMs).at(-1);
    between('ms from the last advert that was heard to the first one of the other node', takenMs - (heard?.atMs ?? 0), downMs - earlyMs, downMs + advertMs + timerSlackMs);
    between('ms from the fault to it', takenMs - step.atMs, 0, downMs + timerSlackMs);
  } else if (fault === 'graceful stop' || fault === 'SIGSTOP of the balancer') {
    assert.equal(goodbyes.length, 1, 'it says goodbye with priority 0, once');
    const goodbyeMs = goodbyes[0]?.atMs ?? 0;
    between('ms until it says goodbye', goodbyeMs - step.atMs, 0, fault === 'graceful stop' ? slackMs : hungMs + timerSlackMs);
    between('ms from priority 0 to the first advert of the other node', takenMs - goodbyeMs, skewMs(story) - earlyMs, skewMs(story) + timerSlackMs);
    assert.deepEqual(inside(capture.adverts, goodbyeMs + 1, step.endMs).filter((one) => one.host === old).map((one) => one.text), [], 'no advert after the goodbye');
  }
}

function checkAnnounced(story: Story, taker: Host, takenMs: number): void {
  const own = inside(story.capture.claims, takenMs - earlyMs, takenMs + timerSlackMs).filter((one) => one.kind === 'announcement' && one.address === story.flavour.address && one.host === taker);
  assert(own.length > 0, `${taker.name} announces the address when it takes it`);
  for (const claim of own) assert.equal(claim.claimed, story.hardware.get(taker));
}

/** Both nodes are master while they cannot hear each other, and who stays it tells the network again. */
function checkSplit(story: Story, step: Step, takenMs: number): void {
  const split = inside(story.capture.adverts, takenMs, step.healedMs);
  for (const host of [story.first, story.second]) assert(split.some((one) => one.host === host && one.priority > 0), `${host.name} is master in its half`);
  const again = inside(story.capture.claims, step.healedMs, step.endMs).filter((one) => one.kind === 'announcement' && one.address === story.flavour.address && one.host === story.first);
  assert(again.length > 0, 'the node that stays master announces itself again');
}

function checkOneMaster(story: Story, step: Step, sinceMs: number): void {
  const { capture, flavour } = story;
  const { master } = step;
  const advertMs = flavour.advertInterval * 1000;
  // The node that was master may not have heard of it yet; the one that is hears itself at once.
  const quietMs = step.healedMs > 0 ? sinceMs + advertMs + timerSlackMs : sinceMs + timerSlackMs;
  const adverts = inside(capture.adverts, quietMs, step.endMs);
  assert.deepEqual(adverts.filter((one) => one.host !== master || one.priority === 0).map((one) => one.text), [], `nobody but ${master.name} sends adverts`);
  const own = inside(capture.adverts, sinceMs, step.endMs).filter((one) => one.host === master).map((one) => one.atMs);
  own.forEach((atMs, index) => { between('ms between two adverts', (own[index + 1] ?? Math.min(step.endMs, atMs + 1)) - atMs, 0, advertMs + timerSlackMs); });
  const claims = inside(capture.claims, quietMs, step.endMs).filter((one) => one.address === flavour.address);
  assert.deepEqual(claims.filter((one) => one.host !== master).map(words), [], `nobody but ${master.name} claims the address`);
  const answers = inside(capture.claims, sinceMs, step.endMs).filter((one) => one.kind === 'answer' && one.address === flavour.address && one.host === master);
  if (step.taker !== undefined) assert(answers.length > 0, `${master.name} answers whoever asks for the address`);
  for (const answer of answers) assert.equal(answer.claimed, story.hardware.get(master));
}

function words(claim: Claim): string { return `${claim.host.name} ${claim.kind} ${claim.address} is at ${claim.claimed}`; }

// ---- the client

/** How long nobody can have the address. */
function outageMs(story: Story, fault: Fault): number {
  if (dead.includes(fault)) return 3 * story.flavour.advertInterval * 1000 + skewMs(story);
  if (fault === 'graceful stop') return skewMs(story);
  if (fault === 'SIGSTOP of the balancer') return hungMs + skewMs(story);
  return fault.startsWith('fail-back') && story.programOf(story.second) === 'keepalived' ? yieldsLateMs : 0;
}

function checkClient(story: Story, fault: Fault, step: Step, takenMs: number): string {
  const { requests, pings } = story.records;
  const calm = requests.filter(([sentMs]) => sentMs >= step.settledMs && sentMs < step.endMs);
  // What was under way when the next fault began is not lost by this one.
  const lostCalm = calm.filter(([sentMs, , node]) => node === '' && sentMs < step.endMs - underWayMs);
  assert(calm.some(([, , node]) => node !== ''), 'requests are answered afterwards');
  between(`requests lost afterwards (${reasons(lostCalm)})`, lostCalm.length, 0, Math.max(underWayMax, calm.length / 20));
  assert.deepEqual([...new Set(calm.map(([, , node]) => node))].filter((node) => node !== ''), [step.master.name], 'one node answers all requests afterwards');

  // Where a network that was split has healed, it may go on sending to the other node until it is told.
  const endMs = step.healedMs > 0 ? step.healedMs : step.settledMs;
  const outage = outageMs(story, fault);
  const most = (perSecond: number): number => (outage + slackMs) / 1000 * perSecond;
  const lost = requests.filter(([sentMs, , node]) => sentMs >= step.atMs && sentMs < endMs && node === '');
  const lostPings = pings.filter(([sentMs, answered]) => sentMs >= step.atMs && sentMs < endMs && !answered).length;
  between(`requests lost (${reasons(lost)})`, lost.length, 0, most(requestsPerSecond));
  between('pings lost', lostPings, dead.includes(fault) ? (takenMs - step.atMs) / 1000 * pingsPerSecond / 4 : 0, most(pingsPerSecond));
  if (fault === 'graceful stop' && story.programOf(story.first) === 'poise') checkPlanned(story, step, lost.map(([sentMs]) => sentMs));
  const pauseMs = longestPause(requests.filter(([, endedMs, node]) => node !== '' && endedMs >= step.atMs && endedMs < endMs).map(([, endedMs]) => endedMs), step.atMs);
  between('ms without an answer', pauseMs, 0, outage + slackMs);
  return `${lostPings} pings and ${lost.length} requests lost, nobody answered for ${Math.round(pauseMs)} ms`;
}

/** A planned switch loses no new connection: only what was under way for long when the address went may be cut. */
function checkPlanned(story: Story, step: Step, lostMs: readonly number[]): void {
  const goodbyeMs = story.capture.adverts.find((one) => one.host === story.first && one.priority === 0 && one.atMs >= step.atMs)?.atMs ?? 0;
  between('requests lost that began after the goodbye', lostMs.filter((sentMs) => sentMs > goodbyeMs).length, 0, underWayMax);
}

function reasons(lost: readonly RequestRecord[]): string {
  return [...new Set(lost.map(([, , , why]) => why))].join(', ');
}

function longestPause(timesMs: readonly number[], fromMs: number): number {
  let [longest, lastMs] = [0, fromMs];
  for (const atMs of timesMs.toSorted((a, b) => a - b)) [longest, lastMs] = [Math.max(longest, atMs - lastMs), atMs];
  return longest;
}

// ---- the mailbox

/** How many letters of each kind a node's mail tells of, those in digests included. */
function told(story: Story, host: Host): Readonly<Record<string, number>> {
  const counts: Record<string, number> = { 'Entering MASTER state': 0, 'Entering BACKUP state': 0, 'Entering FAULT state': 0, 'There were two masters': 0 };
  const mark = `[LAB-${host.name.toUpperCase()}] VRRP Instance VI_1 - `;
  for (const letter of story.letters.filter((one) => one.subject.startsWith(mark))) {
    assert.equal(letter.to, 'admin@lab.local');
    const folded = letter.text.split('\n').filter((line) => line.includes(`Z  ${mark}`));
    for (const line of folded.length > 0 ? folded : [letter.subject]) {
      const kind = line.slice(line.indexOf(mark) + mark.length);
      assert(counts[kind] !== undefined, line);
      counts[kind] = (counts[kind] ?? 0) + 1;
    }
  }
  return counts;
}

export function judgeMail(story: Story): void {
  if (story.broke !== undefined) throw new Error(`the story did not come to its end: ${story.broke.message}`);
  for (const host of [story.first, story.second]) assert.doesNotMatch(host.printed, /had been removed by somebody else|somebody else uses/, 'no false alarm in the log');
  const [first, second] = [told(story, story.first), told(story, story.second)];
  const [firstPoise, secondPoise] = story.programs.map((program) => program === 'poise');
  // Stop, power-off, link down, partition, and the first node's hung balancer; at the start whoever was there first.
  const moves = story.second.printed.split('Entering MASTER STATE').length - 1;
  const allFirst = JSON.stringify(first);
  assert.equal(moves >= (firstPoise === true ? 5 : 4), true, 'the second node was master so many times');
  assert.deepEqual(second, {
    'Entering MASTER state': moves,
    // keepalived writes one when it starts; the standby whose balancer hung was in FAULT.
    'Entering BACKUP state': moves + (secondPoise === true ? 0 : 1) + (firstPoise === true ? 0 : 1),
    'Entering FAULT state': firstPoise === true ? 0 : 1,
    'There were two masters': secondPoise === true ? second['There were two masters'] : 0,
  });
  assert.equal(first['Entering MASTER state'], firstPoise === true ? 5 : 4, allFirst);
  // keepalived cannot mail while its link is down, and does not try again.
  if (firstPoise === true) assert.deepEqual([first['Entering BACKUP state'], first['Entering FAULT state']], [4, 2], allFirst);
  if (firstPoise !== true || secondPoise !== true) return;
  assert.equal(first['There were two masters'], 1);
  assert.equal(second['There were two masters'], 1);
}
