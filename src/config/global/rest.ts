/** Words of the `global` section that set nothing: process tuning, features that come later, and those that are refused. */
import { noEffect, unsupported } from '../keyword.ts';
import type { Keyword } from '../keyword.ts';
import type { GlobalReading } from './reading.ts';

function each(words: string, help: string): Record<string, string> {
  return Object.fromEntries(words.split(/\s+/).filter((word) => word !== '').map((word) => [word, help]));
}

const tuning = each(`
  tune.buffers.limit tune.buffers.reserve tune.comp.maxlevel tune.disable-fast-forward tune.disable-zero-copy-forwarding tune.epoll.mask-events
  tune.events.max-events-at-once tune.fail-alloc tune.fd.edge-triggered tune.glitches.kill.cpu-usage tune.h1.zero-copy-fwd-recv tune.h1.zero-copy-fwd-send
  tune.h1.be.glitches-threshold tune.h1.fe.glitches-threshold tune.h2.be.glitches-threshold tune.h2.be.initial-window-size
  tune.h2.be.max-concurrent-streams tune.h2.be.rxbuf tune.h2.fe.glitches-threshold tune.h2.fe.initial-window-size tune.h2.fe.max-concurrent-streams
  tune.h2.fe.max-total-streams tune.h2.fe.rxbuf tune.h2.header-table-size tune.h2.initial-window-size tune.h2.max-concurrent-streams
  tune.h2.max-frame-size tune.h2.zero-copy-fwd-send tune.http.cookielen tune.http.logurilen tune.idle-pool.shared tune.idletimer tune.listener.default-shards
  tune.listener.multi-queue tune.lua.burst-timeout tune.lua.forced-yield tune.lua.log.loggers tune.lua.log.stderr tune.lua.maxmem tune.lua.service-timeout
  tune.lua.session-timeout tune.lua.task-timeout tune.lua.bool-sample-conversion tune.max-checks-per-thread tune.max-rules-at-once tune.maxaccept tune.maxpollevents
  tune.maxrewrite tune.memory.hot-size tune.notsent-lowat.client tune.notsent-lowat.server tune.pattern.cache-size tune.peers.max-updates-at-once tune.pipesize
  tune.pool-high-fd-ratio tune.pool-low-fd-ratio tune.pt.zero-copy-forwarding tune.quic.cc-hystart tune.quic.cc.cubic.min-losses
  tune.quic.disable-tx-pacing tune.quic.disable-udp-gso tune.quic.frontend.conn-tx-buffers.limit tune.quic.frontend.glitches-threshold
  tune.quic.frontend.max-data-size tune.quic.frontend.max-idle-timeout tune.quic.frontend.max-streams-bidi tune.quic.frontend.max-tx-mem
  tune.quic.listen tune.quic.max-frame-loss tune.quic.reorder-ratio tune.quic.retry-threshold tune.quic.socket-owner tune.quic.zero-copy-fwd-send
  tune.rcvbuf.backend tune.rcvbuf.client tune.rcvbuf.frontend tune.rcvbuf.server tune.recv_enough tune.renice.runtime tune.renice.startup tune.ring.queues
  tune.runqueue-depth tune.sched.low-latency tune.sndbuf.backend tune.sndbuf.client tune.sndbuf.frontend tune.sndbuf.server tune.ssl.cachesize
  tune.ssl.capture-buffer-size tune.ssl.capture-cipherlist-size tune.ssl.default-dh-param tune.ssl.force-private-cache tune.ssl.hard-maxrecord tune.ssl.keylog
  tune.ssl.lifetime tune.ssl.maxrecord tune.ssl.ocsp-update.maxdelay tune.ssl.ocsp-update.mindelay tune.ssl.ssl-ctx-cache-size tune.stick-counters
  tune.takeover-other-tg-connections tune.applet.zero-copy-forwarding tune.bufsize.small tune.cli.max-payload-size tune.defaults.purge tune.vars.check-max-size
  tune.vars.global-max-size tune.vars.proc-max-size tune.vars.reqres-max-size tune.vars.sess-max-size tune.vars.txn-max-size tune.zlib.memlevel tune.zlib.windowsize
`, 'Tuning of HAProxy\'s own buffers and loops.');

const processWords = each(`
  busy-polling cluster-secret cpu-map cpu-policy cpu-set close-spread-time dns-accept-family expose-deprecated-directives expose-experimental-directives
  fd-hard-limit force-cfg-parser-pause h1-accept-payload-with-any-method h1-case-adjust h1-case-adjust-file h1-do-not-close-on-insecure-transfer-encoding
  h2-workaround-bogus-websocket-clients harden.reject-privileged-ports.tcp harden.reject-privileged-ports.quic httpclient.resolvers.disabled
  httpclient.resolvers.id httpclient.resolvers.prefer httpclient.retries httpclient.ssl.ca-file httpclient.ssl.verify httpclient.timeout.connect
  insecure-fork-wanted insecure-setuid-wanted issuers-chain-path key-base limited-quic localpeer max-threads-per-group maxcompcpuusage maxcomprate maxpipes
  maxzlibmem mworker-max-reloads no-memory-trimming no-quic acme.scheduler noepoll noevports nogetaddrinfo nokqueue nopoll noreuseport nosplice nosslcache numa-cpu-mapping
  pp2-never-send-local prealloc-fd profiling.memory profiling.memory.bin profiling.tasks set-dumpable shm-stats-file shm-stats-file-max-objects
  ssl-dh-param-file ssl-default-bind-sigalgs ssl-default-bind-client-sigalgs ssl-default-server-sigalgs ssl-default-server-client-sigalgs ssl-engine
   ssl-mode-async ssl-passphrase-cmd ssl-propquery ssl-provider ssl-provider-path ssl-security-level strict-limits thread-group
  thread-groups thread-hard-limit warn-blocked-traffic-after zero-warning anonkey http-err-codes http-fail-codes
  ocsp-update.disable ocsp-update.httpproxy ocsp-update.maxdelay ocsp-update.mindelay ocsp-update.mode
`, 'Process set-up that has no meaning here, or is done by the runtime.');

const refused: Record<string, string> = {
  ...each('lua-load lua-load-per-thread lua-prepend-path', 'Lua.'),
  ...each('51degrees-allow-unmatched 51degrees-cache-size 51degrees-data-file 51degrees-difference 51degrees-drift 51degrees-property-name-list 51degrees-property-separator 51degrees-use-performance-graph 51degrees-use-predictive-graph', 'Device detection.'),
  ...each('deviceatlas-json-file deviceatlas-log-level deviceatlas-properties-cookie deviceatlas-separator', 'Device detection.'),
  ...each('wurfl-cache-size wurfl-data-file wurfl-information-list wurfl-information-list-separator wurfl-engine-mode wurfl-patch-file wurfl-useragent-priority', 'Device detection.'),
  'external-check': 'Health checks by external programs.',
};

export const restRows: readonly Keyword<GlobalReading>[] = [
  ...noEffect<GlobalReading>('', {
    ...tuning, ...processWords, 'ssl-load-extra-del-ext': 'For x.crt both x.crt.key and x.key are tried.', 'ssl-skip-self-issued-ca': 'The chain is sent as it is in the file.',
    'stats bind-process': 'Process set-up.',
  }),
  ...unsupported<GlobalReading>('', refused),
];
