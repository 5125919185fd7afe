/**
 * What two keepalived.conf files of one pair tell together: instances that do not fit each other, and weights that cannot move the
 * address because the priorities lie too far apart. Called by cli/check.ts. Pure.
 */
import { formatIp } from '../../base/ip.ts';
import type { KeepalivedModel, VrrpInstance } from '../../model/keepalived.ts';
import type { Problem } from '../../model/problem.ts';
import { Problems } from '../problems.ts';

export function verifyPair(one: KeepalivedModel, other: KeepalivedModel): readonly Problem[] {
  const problems = new Problems();
  for (const instance of one.instances) {
    const partner = other.instances.find((candidate) => candidate.virtualRouterId === instance.virtualRouterId && candidate.family === instance.family);
    if (partner === undefined) {
      problems.warning(instance.place, String(instance.virtualRouterId), `no instance of ${other.files[0] ?? ''} has virtual_router_id ${instance.virtualRouterId}`, 'both nodes need the same number');
      continue;
    }
    compare(instance, partner, problems);
    const [high, low, model] = instance.priority >= partner.priority ? [instance, partner, one] : [partner, instance, other];
    compareWeights(high, low, model, problems);
  }
  return problems.sorted([...one.files, ...other.files]);
}

function addresses(one: VrrpInstance): string {
  return one.addresses.filter((address) => address.advertised).map((address) => formatIp(address.address)).sort().join(' ');
}

function compare(instance: VrrpInstance, partner: VrrpInstance, problems: Problems): void {
  const differs = (word: string, mine: string, theirs: string): void => {
    if (mine !== theirs) problems.error(instance.place, word, `${word} of ${instance.name} is ${mine === '' ? 'not set' : mine} here and ${theirs === '' ? 'not set' : theirs} on the other node`, 'make them equal: the nodes would refuse each other\'s adverts');
  };
  differs('version', String(instance.version), String(partner.version));
  differs('advert_int', String(instance.advertMs / 1000), String(partner.advertMs / 1000));
  if (instance.password !== partner.password) problems.error(instance.place, '', `auth_pass of ${instance.name} differs between the nodes`, 'make them equal: the nodes would refuse each other\'s adverts');
  differs('virtual_ipaddress', addresses(instance), addresses(partner));
  if (instance.priority === partner.priority) problems.warning(instance.place, String(instance.priority), `both nodes have priority ${instance.priority}: the higher address of the nodes decides`, 'give one of them a higher priority');
}

function compareWeights(high: VrrpInstance, low: VrrpInstance, model: KeepalivedModel, problems: Problems): void {
  const gap = high.priority - low.priority;
  for (const use of high.trackScripts) {
    const weight = Math.abs(use.weight ?? model.scripts.find((script) => script.name === use.name)?.weight ?? 0);
    if (weight === 0 || weight > gap) continue;
    problems.warning(use.place, use.name, `weight ${weight} of ${use.name} cannot move the address: the priorities ${high.priority} and ${low.priority} lie ${gap} apart`,
      `give it a weight above ${gap}, or none at all: then a failure is FAULT`);
  }
}
