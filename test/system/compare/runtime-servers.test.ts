/** Runtime commands that change servers, frontends and limits: the same words get the same answers. */
import { comparison } from '../../harness/comparison.ts';
import { named } from '../../harness/origin.ts';
import { answersTo } from '../../harness/runtime-socket.ts';

comparison('runtime commands for servers', {
  origins: () => ({ a: named('a'), b: named('b') }),
  configuration: `
frontend fe
    bind {front}
    default_backend be
frontend off
    bind {off}
    maxconn 40
    default_backend be
backend be
    balance roundrobin
    server s1 {a} weight 10 maxconn 50
    server s2 {b} weight 20 check inter 60s
    server s3 {a} disabled
    server s4 {b} track s2
    server s5 {a} check inter 60s port {b.port}
    server s6 {a} ssl verify none backup
backend fixed
    balance source
    server x1 {a} weight 5
    server x2 {b}
`,
}, (situation) => {
  situation('weights', (site) => answersTo(site, [
    'get weight', 'get weight be', 'get weight be/', 'get weight /', 'get weight /s1', 'get weight be/nope', 'get weight nope/s1', 'get weight be/s1', 'get weight #4/s1', 'get weight be/s1 more',
    'set weight be/s1', 'set weight be/s1 x', 'set weight be/s1 5x', 'set weight be/s1 -1', 'set weight be/s1 300', 'set weight be/s1 50%', 'get weight be/s1', 'set weight be/s1 -5%',
    'set weight be/s1 5%%', 'set weight fixed/x1 3', 'set weight fixed/x1 0', 'set weight fixed/x1 100%', 'set server be/s1 weight', 'set server be/s1 weight ""', 'set server be/s1 weight 12', 'get weight be/s1',
    'set weight be/s1 5;get weight be/s1;set weight be/s1 100%;get weight be/s1',
  ]), { shows: ['10 (initial 10)', '5 (initial 10)', 'Trailing garbage'] });
  situation('states and health', (site) => answersTo(site, [
    'set server', 'set server be', 'set server be/s1', 'set server be/s1 foo', 'set server be/s1 state', 'set server be/s1 state foo', 'set server be/s1 state drain', 'set server be/s1 state ready more',
    'set server be/s1 state maint', 'set server be/s1 health', 'set server be/s1 health foo', 'set server be/s1 health up', 'set server be/s4 health up', 'enable server', 'enable server be/s3',
    'disable server be/s3', 'disable server be/s3', 'disable server be/nope', 'enable server be/s1', 'enable health', 'enable health be/s1', 'disable health be/s1', 'disable health be/s2', 'enable health be/s2',
    'enable agent', 'enable agent be/s1', 'disable agent be/s1', 'disable agent x', 'set server be/s1 agent', 'set server be/s1 agent up', 'set server be/s1 agent-addr', 'set server be/s1 agent-addr 1.2.3.4',
    'set server be/s1 agent-port', 'set server be/s1 agent-port 80', 'set server be/s1 agent-send', 'set server be/s1 agent-send x', 'set server be/s1 name x',
  ]), { shows: ['usage: set server', 'cannot change health on a tracking server', 'Agent was not configured'] });
  situation('addresses, ports and TLS', (site) => answersTo(site, [
    'set server be/s1 addr', 'set server be/s1 addr nope', 'set server be/s1 addr 10.1.1.1', 'set server be/s1 addr 10.1.1.1', 'set server be/s1 addr 10.1.1.2 port', 'set server be/s1 addr 10.1.1.3 port x',
    'set server be/s1 addr 10.1.1.3 port +5', 'set server be/s1 addr 10.1.1.2 port 80', 'set server be/s1 addr 10.1.1.2 port 80', 'set server be/s1 addr 10.1.1.2 foo 81', 'set server be/s1 addr ::1 port 80',
    'set server be/s1 addr 2001:db8::1', 'set server be/s1 addr /tmp/x', 'set server be/s1 addr 1.2.3.4:80', 'set server be/s1 check-port', 'set server be/s1 check-port 80', 'set server be/s2 check-port',
    'set server be/s2 check-port x', 'set server be/s2 check-port 70000', 'set server be/s2 check-port 7055', 'set server be/s2 check-port 0', 'set server be/s1 check-addr', 'set server be/s1 check-addr 1.1.1.1',
    'set server be/s2 check-addr', 'set server be/s2 check-addr x', 'set server be/s2 check-addr 1.2.3.4', 'set server be/s2 check-addr 1.2.3.4 port 44', 'set server be/s2 check-addr 1.2.3.4 port',
    'set server be/s2 check-addr 1.2.3.4 port 99999', 'set server be/s1 fqdn', 'set server be/s1 fqdn a.example', 'set server be/s1 ssl', 'set server be/s1 ssl on', 'set server be/s6 ssl', 'set server be/s6 ssl foo',
    'set server be/s6 ssl off', 'set server be/s6 ssl on',
  ]), { shows: ["IP changed from '10.1.1.1' to '10.1.1.2', problem converting port", 'provided port is invalid', 'server ssl setting updated'] });
  situation('what was changed is shown', async (site) => {
    const moving = new Set([9, 10, 11, 12]);
    const lines = (await site.command('show servers state be')).split('\n').map((line) => line.split(' ').filter((_, column) => !moving.has(column)).join(' '));
    return site.anonymous(lines.join('\n'));
  }, { shows: ['44 1.2.3.4', '2001:db8::1'] });
  situation('limits', (site) => answersTo(site, [
    'set maxconn server', 'set maxconn server be/s1', 'set maxconn server be/s1 x', 'set maxconn server be/s1 5x', 'set maxconn server be/s1 50', 'set maxconn frontend', 'set maxconn frontend nope',
    'set maxconn frontend fe', 'set maxconn frontend fe -1', 'set maxconn frontend fe 10', 'set maxconn frontend be 10', 'set maxconn global', 'set maxconn global 400', 'set maxconn global 5000', 'set maxconn global 0',
    'set rate-limit', 'set rate-limit connections', 'set rate-limit connections foo', 'set rate-limit connections global', 'set rate-limit connections global -1', 'set rate-limit connections global 100',
    'set rate-limit connections global 0', 'set rate-limit sessions global 0', 'set rate-limit ssl-sessions global 0', 'set rate-limit ssl-sessions', 'set rate-limit http-compression global 0', 'set rate-limit foo global 1',
  ]), { shows: ['Value out of range.', 'set rate-limit'] });
  situation('frontends', (site) => answersTo(site, [
    'enable frontend', 'enable frontend nope', 'enable frontend off', 'disable frontend off', 'disable frontend off', 'enable frontend off', 'disable frontend', 'shutdown frontend', 'shutdown frontend nope',
    'shutdown frontend off', 'shutdown frontend off', 'enable frontend off', 'disable frontend off', 'shutdown session', 'shutdown session x', 'shutdown session 0x1234', 'shutdown sessions server',
    'shutdown sessions server be/s1', 'shutdown sessions server be/nope', 'clear counters', 'clear counters all', 'clear counters foo', 'show servers state nope', 'show servers conn nope', 'show backend',
  ]), { shows: ['All sockets are already disabled.', 'Frontend was already shut down.', "No such session (use 'show sess')."] });
});
