/**
 * A whole node of a pair, balancer and virtual address, with the article's keepalived.conf and a small haproxy.cfg: started as Poise or as
 * HAProxy and keepalived on a host of the stage. Used by tests of the pair, its bench, its soak and its demo.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectFolder } from '../program.ts';
import type { Host, Stage } from './stage.ts';

export const virtualAddress = '10.77.0.100';
export type Programs = 'poise' | 'haproxy and keepalived';

/** Settings that Poise and HAProxy read alike. Answers tell which node passed them on. */
export function haproxyCfg(node: 0 | 1): string {
  return `global
  nbthread 1
  maxconn 1000
defaults
  mode http
  timeout connect 1s
  timeout client 10s
  timeout server 10s
  default-server check inter 500ms fall 2 rise 1
frontend fe
  bind :80
  bind :::80 v6only
  http-response set-header x-node hap0${node + 1}
  default_backend be
backend be
  option httpchk GET /
  server s1 10.77.0.21:80
  server s2 10.77.0.22:80
`;
}

interface Changes {
  /** Lines of the instance and of global_defs that are added. */
  readonly instance?: string;
  readonly global?: string;
  /** Texts of the article's file and what stands there instead. */
  readonly replace?: readonly (readonly [string, string])[];
}

/** The article's keepalived.conf of a node, with changes. */
export function articleConf(node: 0 | 1, changes: Changes = {}): string {
  let text = readFileSync(join(projectFolder, `examples/keepalived-hap0${node + 1}.conf`), 'utf8');
  for (const [from, to] of [...changes.replace ?? [], ['    router_id', `${changes.global ?? ''}    router_id`], ['    smtp_alert\n', `    smtp_alert\n${changes.instance ?? ''}`]] as const) {
    if (!text.includes(from)) throw new Error(`the article's file has no ${from}`);
    text = text.replace(from, to);
  }
  return text;
}

/** Version 3 with fast adverts, which has no password. */
export const fastAdverts: Changes = {
  replace: [['advert_int 1', 'version 3\n    advert_int 0.1'], ['    authentication {\n        auth_type PASS\n        auth_pass lab12345\n    }\n', '']],
};

/** Starts a node with its files in the stage's folder. `poiseLines`: more lines of the `poise` section; `sections`: more of haproxy.cfg. */
export function startNode(stage: Stage, node: 0 | 1, programs: Programs, conf: string, poiseLines = '', sections = ''): Host {
  const host = stage.hosts[node];
  const configuration = stage.file(`${host.name}-haproxy.cfg`, haproxyCfg(node) + sections);
  const keepalived = stage.file(`${host.name}-keepalived.conf`, conf);
  if (programs === 'poise') {
    const poise = stage.file(`${host.name}-poise.cfg`, `poise\n  mail-queue ${join(stage.folder, `mail-${node}`)}\n${poiseLines}`);
    host.runPoise('-f', configuration, '-f', poise, '--keepalived', keepalived);
  } else {
    host.run('haproxy', ['-db', '-f', configuration]);
    host.runKeepalived(keepalived);
  }
  return host;
}

/** Processes of a Poise node that have a part: `balancer`, `vrrp`, or '' for the master. */
export function partOf(host: Host, part: 'balancer' | 'vrrp' | ''): number[] {
  return host.pids().filter((pid) => {
    try {
      const environment = readFileSync(`/proc/${pid}/environ`, 'latin1');
      const found = /(?:^|\0)POISE_PROCESS=(\w*)\0/.exec(environment)?.[1] ?? '';
      return (found === 'takeover' ? 'balancer' : found) === part && readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes('src/cli/main.ts');
    } catch {
      return false;
    }
  });
}
