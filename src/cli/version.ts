/** What `-v`, `-vv` and a wrong command line print. Called by main.ts only. */
import { haproxyVersion } from '../config/predicate.ts';
import { poiseVersion, releaseDate } from '../model/process-statistics.ts';

const bun = process.versions['bun'];

export function versionText(): string {
  return [
    `Poise version ${poiseVersion} ${releaseDate} (reads and answers as HAProxy version ${haproxyVersion})`,
    `Running on: ${bun === undefined ? `Node.js ${process.versions.node}` : `Bun ${bun}`}, ${process.platform} ${process.arch}`,
  ].join('\n');
}

export function longVersionText(threads: number): string {
  return [
    versionText(),
    `TLS library: ${bun === undefined ? `OpenSSL ${process.versions.openssl}` : `BoringSSL ${process.versions['boringssl'] ?? ''}`.trim()}`,
    `Traffic threads by default: ${threads}`,
  ].join('\n');
}

export const usageText = `Usage: poise [-f <file|folder>]... [-c] [-db] [-D] [-W|-Ws] [-p <pidfile>] [-q] [-V] [-v|-vv]
             [-n <maxconn>] [-L <name>] [-C <folder>] [-cc <condition>] [-dW] [-dD] [--keepalived <file>]
             [-x <socket>] [-sf|-st <pid>...] [-- <file>...]
       poise check [-f <file|folder>]... [--keepalived <file>]... [--probe] [--json] [--strict]
       poise reload|upgrade [-f <file|folder>]... [--socket <path>]
       poise vrrp -f <keepalived.conf> [-s <poise.cfg>] [-t] [-i <id>]
       poise vrrp status [-f <keepalived.conf>] [--json]
       poise logs [<file>...] [--backend <name>] [--status <list>] [--cause <list>] [--count-by <columns>] [...]
       poise demo [--once]
       poise exchange-sim [...]
       poise init exchange --servers <name>=<address>,... --name <host> --vip <address>/<bits> --cert <file> [...]

  -f        configuration file, or folder whose *.cfg files are read in order; may be repeated
  --keepalived   keepalived.conf: also moves its virtual addresses, with a master process as with -W
  -c        check the configuration and exit: 0 = valid, 1 = not
  -cc       evaluate a condition as .if does and exit: 0 = true, 1 = false, 2 = unreadable
  -db       stay in the foreground, whatever the configuration says
  -D        go into the background once everything listens
  -W, -Ws   with a master process that restarts and reloads the balancer; -Ws tells systemd
  -p        write the process id to this file
  -n        limit of connections of the whole process, instead of the configuration's
  -L        local peer name
  -C        change to this folder first
  -q, -V    say less, say more
  -dW       treat warnings as errors
  -dD       print diagnostics of the configuration too
  -v, -vv   version
  -sf, -st  end these processes softly (-sf) or at once (-st) when this one serves, with the sockets on which they listen: -sf <pid>...
  -x        take the listening sockets over from the process with this runtime socket ('expose-fd listeners'), HAProxy's too
  -S        socket of the master (-W) for commands: -S <address>[,<option>[,<value>]...]
  -d..., -m, -N   accepted for units and scripts of HAProxy, see what they print

  check     errors, warnings and notices with file and line; exit 1 on errors, 2 on warnings with --strict;
            two --keepalived files are also compared as the nodes of a pair; --probe connects once to every TLS server and
            compares certificates and the names in healthcheck.htm
  reload    lets the balancer that runs with this configuration take it up again, in place; upgrade starts a new worker of
            its master, which takes over (another program, or what a reload cannot change)
  vrrp      keepalived's half alone: moves the virtual addresses of a keepalived.conf; -t checks it, -i sets what @id lines compare with,
            -s names a file with a poise section (relays, webhooks)
  logs      filters and counts log files and streams; 'poise logs --help' tells its options
  demo      a simulated Exchange site behind the balancer; with --once it plays the article through and ends
  exchange-sim   simulated Exchange servers for tests; 'poise exchange-sim --help' tells its options
  init      writes the files of an Exchange site; 'poise init --help' tells its options
`;
