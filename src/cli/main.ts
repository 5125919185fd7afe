/**
 * Entry of the program `poise`: tells subcommands from HAProxy's own command line. Started by bin/poise, and by the master and
 * the launcher of a daemon for their children. Everything it does stands in the files beside it.
 */
import { evaluateCondition } from '../config/predicate.ts';
import { Notices } from '../process/notices.ts';
import { takePart } from '../process/parent.ts';
import type { Part } from '../process/parent.ts';
import { check } from './check.ts';
import { readCommandLine } from './command-line.ts';
import type { CommandLine } from './command-line.ts';
import { defaultThreads, run, runCheck } from './run.ts';
import { longVersionText, usageText, versionText } from './version.ts';

/** `-cc` */
function runCondition(line: CommandLine, notices: Notices): number {
  const { value, fault } = evaluateCondition(line.condition, (name) => process.env[name]);
  if (fault !== '') {
    notices.alert(`config : Failed to evaluate condition: ${fault}`);
    return 2;
  }
  if (line.verbose) console.log(value === true ? 'Condition is true' : 'Condition is false');
  return value === true ? 0 : 1;
}

async function haproxyLine(words: readonly string[], part: Part): Promise<number> {
  const { line, fault } = readCommandLine(words);
  if (line === null) {
    console.error(`poise: ${fault}\n${versionText()}\n${usageText}`);
    return 1;
  }
  const notices = new Notices();
  notices.quiet = line.quiet;
  if (line.action === 'version' || line.action === 'version-long') {
    console.log(line.action === 'version' ? versionText() : longVersionText(defaultThreads()));
    return 0;
  }
  if (line.action === 'condition') return runCondition(line, notices);
  if (line.files.length === 0) {
    console.error(`poise: no configuration file given (-f)\n${versionText()}\n${usageText}`);
    return 1;
  }
  if (line.directory !== '') {
    try {
      process.chdir(line.directory);
    } catch {
      notices.alert(`Could not change to directory ${line.directory}`);
      return 1;
    }
  }
  return line.action === 'check' ? runCheck(line, notices) : run(line, words, part, notices);
}

async function main(words: readonly string[]): Promise<number> {
  const part = takePart();
  if (part === 'vrrp') {
    (await import('../vrrp/loop.ts')).runVrrpLoop();
    return 0;
  }
  switch (words[0]) {
    case 'check':
      return check(words.slice(1));
    case 'demo':
      return (await import('./demo.ts')).demo(words.slice(1));
    case 'logs':
      return (await import('./logs/logs.ts')).logs(words.slice(1));
    case 'vrrp':
      return (await import('./vrrp.ts')).vrrp(words.slice(1));
    case 'reload':
    case 'upgrade':
      return (await import('./reload.ts')).reload(words[0], words.slice(1));
    case 'init':
      return (await import('./init/exchange.ts')).init(words.slice(1));
    case 'exchange-sim':
      return (await import('../exchange-sim/main.ts')).exchangeSim(words.slice(1));
    case 'help':
    case '--help':
      console.log(usageText);
      return 0;
    default:
      return haproxyLine(words, part);
  }
}

process.exit(await main(process.argv.slice(2)));
