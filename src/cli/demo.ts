/**
 * `poise demo`: a simulated Exchange site behind the balancer with the article's configuration. Called by main.ts. With --once it
 * plays the article through, then shows what Exchange's clients do, and ends, otherwise it keeps running until Ctrl-C. Needs nothing but the checkout.
 */
import { parseArgs } from 'node:util';
import { sendAll } from './demo/client.ts';
import { Replay } from './demo/replay.ts';
import { everyService } from './demo/services.ts';
import { printAnswers } from './demo/show.ts';
import { allChecked, statisticsPage, until } from './demo/statistics.ts';
import { Surroundings } from './demo/surroundings.ts';

/** A light load, so that the statistics page has something to show. */
const roundPeriodMs = 5000;

async function once(site: Surroundings): Promise<number> {
  const allSeen = await new Replay(site).run();
  console.log(allSeen ? '\nEvery step of the article and every habit of the clients was observed.' : '\nNot everything was observed: see the lines marked ✗.');
  return allSeen ? 0 : 1;
}

/** Runs until `stopped` resolves. */
async function keepRunning(site: Surroundings, stopped: Promise<number>): Promise<number> {
  const failure = await site.startBalancer(site.writeConfiguration('exchange-l7.cfg'));
  if (failure !== '') {
    console.error(`demo: ${failure}`);
    return 1;
  }
  await until(allChecked(18));
  const answers = await sendAll(site.target, everyService, 2);
  await site.logged((line) => line.includes(' fe_ex2013~ '), answers.length);
  console.log('Where the requests went (client, request, status, backend, servers):\n');
  printAnswers(answers, site.log);
  const { url, user, password } = statisticsPage;
  console.log(`
Statistics:        ${url}   user ${user}, password ${password}
                   ${url};csv   the same for programs
Services:          https://127.0.0.10:8443/owa/ and the other paths; http://127.0.0.10:8080/ redirects
Take a service away and give it back (Set-ServerComponentState):
  curl -d '{"server":"LAB-EX01","component":"RpcProxy","requester":"Maintenance","state":"Inactive"}' ${site.control}

Light traffic goes on. State changes and warnings of the balancer follow. Ctrl-C ends.
`);
  site.onLogLine = (line) => {
    if (!line.includes('fe_ex2013')) console.log(line);
  };
  const timer = setInterval(() => {
    site.log.length = 0;
    void sendAll(site.target, everyService, 1);
  }, roundPeriodMs);
  const code = await stopped;
  clearInterval(timer);
  return code;
}

export async function demo(words: readonly string[]): Promise<number> {
  let options;
  try {
    options = parseArgs({ args: [...words], options: { once: { type: 'boolean', default: false } } }).values;
  } catch (error) {
    console.error(`poise demo: ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  }
  const site = new Surroundings();
  const stop = Promise.withResolvers<number>();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      site.onDeath = () => {};
      stop.resolve(0);
    });
  }
  site.onDeath = (what) => {
    console.error(`demo: ${what}`);
    stop.resolve(1);
  };
  try {
    const failure = await site.start();
    if (failure !== '') {
      console.error(`demo: ${failure}; stop it or wait, then start the demo again`);
      return 1;
    }
    if (!options.once) return await keepRunning(site, stop.promise);
    return await Promise.race([once(site), stop.promise.then((code) => code || 1)]);
  } finally {
    await site.close();
  }
}
