/** Writes poise.cfg: what HAProxy and keepalived have no words for. Called by exchange.ts, not for sites that still run those. */
import { webProxy } from './site.ts';
import type { ExchangeSite } from './site.ts';

export function poiseFile(site: ExchangeSite): string {
  const web = webProxy(site);
  const resort = site.mode === 'tcp' ? [web] : [...site.services.map((service) => `be_exchange_${service.word}`), 'be_exchange'];
  return [
    '# What only Poise reads, so that haproxy.cfg stays valid for HAProxy. Start with both:  poise -f haproxy.cfg -f poise.cfg …',
    'poise',
    `    # A node that reaches no server behind ${web} gives the virtual address up: the other may still reach them. While neither`,
    `    # reaches one, nobody has the address${site.mail.length === 0 ? '.' : ', and mail would stop with the web services: for sites where the network of one node is'}`,
    ...site.mail.length === 0 ? [`    vital ${web}`] : ['    # likelier to fail than Exchange.', `    # vital ${web}`],
    '',
    '    # When every server of a service seems down, requests go to all of them instead of being answered with 503: for sites where a',
    `    # failed health check is likelier than a dead Exchange.${site.mail.length === 0 ? ' Take "vital" out then: it would move the address away first.' : ' Not together with "vital", which would move the address away first.'}`,
    `    # last-resort ${resort.join(' ')}`,
    '',
    '    # Letters wait here while no mail server takes them, for three days.',
    '    mail-queue /var/lib/poise/mail',
    '    # Who takes them when smtp_server of keepalived.conf does not, which is likely when Exchange itself is down.',
    '    # relay mail.provider.example:587 starttls user alerts password-file /etc/poise/relay.password',
    ...site.webhook === '' ? ['    # Changes are also posted here, as JSON.', '    # webhook https://chat.example.com/hooks/balancer'] : ['    # Changes are also posted here, as JSON.', `    webhook ${site.webhook}`],
    '',
  ].join('\n');
}
