/**
 * The virtual address of a pair, in network namespaces: Poise with Poise, and with HAProxy and keepalived on either side, in the ways pairs are
 * set up, through start, stop, return, power-off, link down, a balancer that hangs, and a network that splits and heals. Seen from outside:
 * who answers ARP, what tcpdump saw, how many of 20 pings and 50 requests a second were lost, which letters came.
 */
import { before, describe, it } from 'node:test';
import { describeInNamespaces } from '../../harness/pair/describe.ts';
import { flavours } from '../../harness/pair/flavours.ts';
import { faultsOf, type Program, Story } from '../../harness/pair/story.ts';
import { judge, judgeMail } from '../../harness/pair/verdict.ts';

const pairs: readonly (readonly [Program, Program])[] = [['poise', 'poise'], ['poise', 'keepalived'], ['keepalived', 'poise']];

describeInNamespaces('a pair', { concurrency: 4 }, () => {
  for (const flavour of flavours) {
    for (const programs of pairs) {
      describe(`${programs[0]} and ${programs[1]}, ${flavour.name}`, { concurrency: 1 }, () => {
        let story: Story;
        before(async () => {
          story = new Story(flavour, programs);
          await story.run();
        }, { timeout: 115_000 });
        for (const fault of faultsOf(programs)) it(fault, (test) => { test.diagnostic(judge(story, fault)); });
        it('mails', () => { judgeMail(story); });
      });
    }
  }
});
