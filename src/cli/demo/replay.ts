/**
 * `poise demo --once`: plays the article through, step by step, and says of each observation whether it was made. Used by demo.ts.
 */
import { sendAll } from './client.ts';
import type { Answer } from './client.ts';
import { mailSection, showHabits, strictServers } from './habits.ts';
import { everyService, oddSpellings } from './services.ts';
import type { ServiceRequest } from './services.ts';
import { printAnswers } from './show.ts';
import { allChecked, pause, readStatistics, until, waitMs } from './statistics.ts';
import type { Statistics } from './statistics.ts';
import type { Surroundings } from './surroundings.ts';

const services = ['autodiscover', 'mapi', 'rpc', 'owa', 'eas', 'ecp', 'ews', 'oab'] as const;
const catchAll = 'be_ex2013';
const rounds = 4;

/** The article's first repair: a second line of the same name. */
const secondLines = ['    acl autodiscover url_beg /autodiscover', '    acl eas url_beg /Microsoft-Server-ActiveSync'] as const;

function withSecondLines(text: string): string {
  return text.replace('    acl mapi url_beg', `${secondLines.join('\n')}\n    acl mapi url_beg`);
}

/** The article's second repair: all eight as regular expressions without regard to case. */
function withExpressions(text: string): string {
  const folders: Readonly<Record<string, string>> = { eas: 'microsoft-server-activesync' };
  const lines = services.map((service) => `    acl ${service} url_reg (?i)\\/${folders[service] ?? service}`);
  const kept = text.split('\n').filter((line) => !line.startsWith('    acl '));
  return kept.join('\n').replace('    use_backend be_ex2013_autodiscover', `${lines.join('\n')}\n    use_backend be_ex2013_autodiscover`);
}

function serversOf(answers: readonly Answer[], backend: string): string {
  return [...new Set(answers.filter((answer) => answer.request.backend === backend).map((answer) => answer.server))].sort().join(' ');
}

const both = 'LAB-EX01 LAB-EX02';

function isDown(statistics: Statistics, backend: string, server: string): boolean {
  return statistics.row(backend, server).status.startsWith('DOWN');
}

export class Replay {
  private readonly site: Surroundings;
  private allSeen = true;

  constructor(site: Surroundings) {
    this.site = site;
  }

  /** True when everything was observed. */
  async run(): Promise<boolean> {
    if (!(await this.caseMistake())) return false;
    if (!(await this.repairs())) return false;
    await this.serviceFailure();
    await this.habits();
    return this.allSeen;
  }

  private step(title: string): void {
    console.log(`\n${title}`);
  }

  private seen(what: string, observed: boolean, instead = ''): void {
    if (!observed) this.allSeen = false;
    console.log(`  ${observed ? '✓' : '✗'} ${what}${observed || instead === '' ? '' : ` (instead: ${instead})`}`);
  }

  private async startWith(file: string, servers = 18): Promise<boolean> {
    await this.site.stopBalancer();
    this.site.log.length = 0;
    const failure = await this.site.startBalancer(file);
    if (failure !== '') {
      this.seen('the balancer starts', false, failure);
      return false;
    }
    this.seen(`all ${servers} servers in ${servers / 2} backends are UP after their first check`, await until(allChecked(servers)));
    return true;
  }

  private async traffic(requests: readonly ServiceRequest[], times: number): Promise<Answer[]> {
    const answers = await sendAll(this.site.target, requests, times);
    this.allAnswered(answers);
    return answers;
  }

  private allAnswered(answers: readonly Answer[]): void {
    const bad = answers.filter((answer) => answer.status !== 200);
    const first = bad[0];
    this.seen(`${answers.length} requests, every one answered with 200`, bad.length === 0, `${bad.length} were not, first ${first?.request.target ?? ''}: ${first?.failure === '' ? first.status : first?.failure ?? ''}`);
  }

  private backendCounts(statistics: Statistics, requests: readonly ServiceRequest[], times: number): void {
    for (const service of services) {
      const name = `be_ex2013_${service}`;
      const expected = requests.filter((request) => request.backend === name).length * times;
      const counted = statistics.backend(name);
      this.seen(`${name} counted ${expected} requests`, counted === expected, `${counted}`);
    }
  }

  private async caseMistake(): Promise<boolean> {
    this.step('1. The configuration of part 5, as it is. Outlook, browsers and phones send their requests.');
    if (!(await this.startWith(this.site.writeConfiguration('exchange-l7.cfg')))) return false;
    const answers = await this.traffic(everyService, rounds);
    await this.site.logged((line) => line.includes(' fe_ex2013~ '), answers.length);
    printAnswers(answers, this.site.log);
    const statistics = await readStatistics();
    for (const service of ['autodiscover', 'eas']) {
      const counted = statistics.backend(`be_ex2013_${service}`);
      this.seen(`be_ex2013_${service} shows no traffic, although the clients were served`, counted === 0, `${counted} requests`);
    }
    const caught = statistics.backend(catchAll);
    this.seen(`the catch-all ${catchAll} got those ${2 * rounds} requests instead`, caught === 2 * rounds, `${caught}`);
    const logged = await this.site.logged((line) => line.includes('fe_ex2013~ be_ex2013/lab-ex'), 2 * rounds);
    this.seen(`grep 'fe_ex2013~ be_ex2013/lab-ex' finds ${2 * rounds} lines in the log`, logged.length === 2 * rounds, `${logged.length}`);
    const spelled = logged.filter((line) => line.includes('/autodiscover/') || line.includes('/Microsoft-Server-ActiveSync')).length;
    this.seen('and they show how the clients spell the paths', spelled === 2 * rounds, `${spelled} of ${logged.length}`);
    return true;
  }

  private async repairs(): Promise<boolean> {
    this.step('2. The first repair: a second acl line of the same name for autodiscover and eas. Restart.');
    if (!(await this.startWith(this.site.writeConfiguration('repaired.cfg', withSecondLines)))) return false;
    await this.traffic(everyService, rounds);
    this.backendCounts(await readStatistics(), everyService, rounds);
    const caught = (await readStatistics()).backend(catchAll);
    this.seen(`nothing is left for ${catchAll}`, caught === 0, `${caught}`);

    this.step('   The second repair: all eight as url_reg (?i). Restart, and spellings that nobody listed.');
    if (!(await this.startWith(this.site.writeConfiguration('expressions.cfg', withExpressions)))) return false;
    const requests = [...everyService, ...oddSpellings];
    await this.traffic(requests, rounds);
    const statistics = await readStatistics();
    this.backendCounts(statistics, requests, rounds);
    this.seen(`nothing is left for ${catchAll}`, statistics.backend(catchAll) === 0, `${statistics.backend(catchAll)}`);
    return true;
  }

  /** Sends a round again and again until the statistics show what is awaited: no request may fail meanwhile. */
  private async trafficUntil(what: string, shows: (statistics: Statistics) => boolean): Promise<void> {
    const answers: Answer[] = [];
    const endMs = Date.now() + waitMs;
    let shown = false;
    while (!shown && Date.now() < endMs) {
      answers.push(...(await sendAll(this.site.target, everyService, 1)));
      shown = shows(await readStatistics());
      await pause();
    }
    this.seen(what, shown);
    this.allAnswered(answers);
  }

  private async serviceFailure(): Promise<void> {
    this.step('3. Set-ServerComponentState: RpcProxy on LAB-EX01 and EwsProxy on LAB-EX02 become Inactive. Traffic goes on.');
    await this.site.setComponent('LAB-EX01', 'RpcProxy', 'Inactive');
    await this.site.setComponent('LAB-EX02', 'EwsProxy', 'Inactive');
    await this.trafficUntil('be_ex2013_rpc/lab-ex01 and be_ex2013_ews/lab-ex02 are DOWN',
      (statistics) => isDown(statistics, 'be_ex2013_rpc', 'lab-ex01') && isDown(statistics, 'be_ex2013_ews', 'lab-ex02'));
    const others = (await readStatistics()).servers().filter((row) => row.status === 'UP').length;
    this.seen('the other 16 servers are UP', others === 16, `${others}`);
    const down = await this.site.logged((line) => /Server be_ex2013_(rpc\/lab-ex01|ews\/lab-ex02) is DOWN/.test(line), 2);
    const why = this.site.log.filter((line) => /be_ex2013_(rpc\/lab-ex01|ews\/lab-ex02) failed, reason: Layer7 wrong status, code: 503/.test(line));
    this.seen('the log tells both with their reason', down.length === 2 && why.length >= 2, `${down.length} and ${why.length} lines`);
    const moved = await this.traffic(everyService, rounds);
    this.seen('RPC traffic is served by LAB-EX02 alone', serversOf(moved, 'be_ex2013_rpc') === 'LAB-EX02', serversOf(moved, 'be_ex2013_rpc'));
    this.seen('EWS traffic is served by LAB-EX01 alone', serversOf(moved, 'be_ex2013_ews') === 'LAB-EX01', serversOf(moved, 'be_ex2013_ews'));
    this.seen('every other service is still served by both', services.every((service) => service === 'rpc' || service === 'ews' || serversOf(moved, `be_ex2013_${service}`) === both));

    this.step('4. Both components become Active again.');
    await this.site.setComponent('LAB-EX01', 'RpcProxy', 'Active');
    await this.site.setComponent('LAB-EX02', 'EwsProxy', 'Active');
    await this.trafficUntil('all 18 servers are UP, nothing was done at the balancer', (statistics) => statistics.servers().every((row) => row.status === 'UP'));
    const back = await this.traffic(everyService, rounds);
    this.seen('RPC and EWS traffic is served by both servers', serversOf(back, 'be_ex2013_rpc') === both && serversOf(back, 'be_ex2013_ews') === both,
      `${serversOf(back, 'be_ex2013_rpc')}; ${serversOf(back, 'be_ex2013_ews')}`);
  }

  private async habits(): Promise<void> {
    this.step('5. The habits of clients. The servers now ask who comes and want Extended Protection; a minute passes in half a second.');
    await this.site.stopBalancer();
    const failure = await this.site.replaceSite(strictServers);
    if (failure !== '') this.seen('the simulated site starts', false, failure);
    else if (await this.startWith(this.site.writeConfiguration('habits.cfg', (text) => withExpressions(text) + mailSection), 20)) {
      await showHabits(this.site, (what, observed, instead) => this.seen(what, observed, instead));
    }
  }
}
