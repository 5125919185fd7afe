/** What a keepalived.conf and the balancer's own configuration tell together: mail that would travel through what it tells of. Called by cli/. Pure but for the addresses of this machine. */
import { formatIp } from '../../base/ip.ts';
import type { KeepalivedModel } from '../../model/keepalived.ts';
import type { Model } from '../../model/model.ts';
import type { Problem } from '../../model/problem.ts';
import { Problems } from '../problems.ts';
import { circle, warnOfCircle } from '../verify-mail.ts';

export function verifyMailServer(model: Model, node: KeepalivedModel): readonly Problem[] {
  const problems = new Problems();
  const addresses = node.instances.flatMap((instance) => instance.addresses.map((one) => formatIp(one.address)));
  if (node.globals.smtpServer.host !== '') warnOfCircle(model, problems, node.globals.smtpServer, addresses);
  for (const relay of [...model.mailers.flatMap((section) => section.relays), ...model.poise.relays]) {
    // What shows without the virtual addresses has been told already.
    if (circle(model, relay, []) === undefined) warnOfCircle(model, problems, relay, addresses);
  }
  return problems.list;
}
