/** keepalived.conf files for two nodes in the ways that pairs are set up in the field. The same text goes to Poise and to keepalived. */
export interface Flavour {
  readonly name: string;
  readonly address: string;
  readonly prefixLength: number;
  /** Seconds. */
  readonly advertInterval: number;
  readonly lines: (node: 0 | 1) => string;
}

const hosts4 = ['10.77.0.11', '10.77.0.12'] as const;

export const flavours: readonly Flavour[] = [
  { name: 'version 2, multicast, PASS', address: '10.77.0.100', prefixLength: 24, advertInterval: 1, lines: () => 'advert_int 1\n  authentication {\n    auth_type PASS\n    auth_pass lab12345\n  }' },
  { name: 'version 3, multicast', address: '10.77.0.100', prefixLength: 24, advertInterval: 0.2, lines: () => 'version 3\n  advert_int 0.2' },
  { name: 'version 3, unicast', address: '10.77.0.100', prefixLength: 24, advertInterval: 0.2, lines: (node) => `version 3\n  advert_int 0.2\n  unicast_src_ip ${hosts4[node]}\n  unicast_peer {\n    ${hosts4[node === 0 ? 1 : 0]}\n  }` },
  { name: 'IPv6', address: '2001:db8:77::100', prefixLength: 64, advertInterval: 0.2, lines: () => 'version 3\n  advert_int 0.2' },
];

/** `more`: lines of the instance; `globals`: of global_defs. */
export function keepalivedConf(flavour: Flavour, node: 0 | 1, more = '', globals = ''): string {
  // The first IPv6 address of an advert has to be link-local for keepalived's strict peers; it accepts others too.
  const first = flavour.address.includes(':') ? '    fe80::77/64\n' : '';
  return `global_defs {
  router_id LAB-HAP0${node + 1}
${globals}}
vrrp_instance VI_1 {
  state ${node === 0 ? 'MASTER' : 'BACKUP'}
  interface eth0
  virtual_router_id 51
  priority ${node === 0 ? 150 : 100}
  ${flavour.lines(node)}
  virtual_ipaddress {
${first}    ${flavour.address}/${flavour.prefixLength}
  }
${more}}
`;
}
