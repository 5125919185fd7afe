/** What every setting is before a line changes it: HAProxy's built-in defaults. Called when a draft, section or line begins. */
import type { Place } from '../model/problem.ts';
import { limits } from '../model/limits.ts';
import type { Switches, Timeouts } from '../model/model.ts';
import type { CheckDraft, CheckWords, GlobalDraft, OwnRules, ProxySettings, ServerWords, StatsDraft, TlsDraft } from './draft.ts';

export function initialTls(): TlsDraft {
  return {
    ssl: false, minVersion: '', maxVersion: '', disabledVersions: [], ciphers: null, ciphersuites: null, curves: null, noTickets: null,
    preferClientCiphers: false, alpn: null, caFile: '', caVerifyFile: '', crlFile: '', verify: '', crt: [], strictSni: false, crtIgnoreErrors: [],
    caIgnoreErrors: [], verifyHost: '', sni: null, noReuse: false,
  };
}

function initialCheckWords(): CheckWords {
  return {
    check: false, checkSsl: null, interMs: 2000, fastinterMs: null, downinterMs: null, rise: 2, fall: 3, port: 0, address: null, sni: '', alpn: [], agent: false,
  };
}

function initialServerWords(): ServerWords {
  return {
    weight: 1, backup: false, disabled: false, cookie: '', maxconn: 0, minconn: 0, maxqueue: 0, slowstartMs: 0, sendProxy: 'none', proxyV2Options: [],
    checkSendProxy: false, source: null, tls: initialTls(), check: initialCheckWords(), track: '', observe: 'none', errorLimit: 10,
    onError: 'fail-check', onMarkedDown: 'none', onMarkedUp: 'none', redirectPrefix: '', poolMaxConn: -1, poolPurgeDelayMs: 5000, poolLowConn: 0,
    maxReuse: -1, initAddr: [], guid: '', initState: 'none', resolvers: '', resolvePrefer: 'ipv6', nonStick: false, tcpUserTimeoutMs: 0, id: 0,
  };
}

function initialTimeouts(): Timeouts {
  return {
    clientMs: null, serverMs: null, connectMs: null, httpRequestMs: null, httpKeepAliveMs: null, queueMs: null, tunnelMs: null, checkMs: null,
    clientFinMs: null, serverFinMs: null, tarpitMs: null,
  };
}

export function initialSwitches(): Switches {
  return {
    abortonclose: false, acceptInvalidHttpRequest: false, acceptInvalidHttpResponse: false, allbackups: false, checkcache: false, clitcpka: false,
    srvtcpka: false, contstats: false, dontlogNormal: false, dontlognull: false, httpBufferRequest: false, httpIgnoreProbes: false, httpNoDelay: false,
    httpPretendKeepalive: false, httpRestrictReqHdrNames: 'preserve', httpUseProxyHeader: false, idleCloseOnResponse: false,
    independentStreams: false, logHealthChecks: false, logSeparateErrors: false, logasap: false, nolinger: false, persist: false,
    preferLastServer: false, socketStats: false, tcpSmartAccept: false, tcpSmartConnect: false, transparent: false,
  };
}

function initialCheck(): CheckDraft {
  return { kind: 'none', user: '', post41: true, request: null, send: null, httpSteps: [], tcpSteps: [], httpPlace: null, tcpPlace: null };
}

export function initialStats(place: Place): StatsDraft {
  return {
    enabled: true, uri: '/haproxy?stats', realm: 'HAProxy Statistics', auth: [], hideVersion: false, refreshSeconds: 0, showNode: false, node: '', showDesc: false,
    description: '', showLegends: false, showModules: false, scopes: [], admin: [], httpRequest: [], place,
  };
}

export function initialSettings(): ProxySettings {
  return {
    mode: '', disabled: false, timeouts: initialTimeouts(), switches: initialSwitches(), connectionMode: 'keep-alive', forwardfor: null,
    originalto: null, forwarded: null, errors: [], logTargets: [], logTag: '', log: { style: 'connect', format: null }, errorLogFormat: null, logFormatSd: null,
    uniqueIdFormat: null, uniqueIdHeader: '', maxconn: 0, backlog: 0, rateLimitSessions: 0, monitorUri: '', defaultBackend: null,
    tcpRequestConnection: [], tcpRequestSession: [], tcpRequestContent: [], tcpResponseContent: [], inspectDelayMs: null,
    responseInspectDelayMs: null, httpRequest: [], redirects: [], httpResponse: [], httpAfterResponse: [], stats: null,
    balance: {
      algorithm: 'roundrobin', name: '', uriLen: 0, uriDepth: 0, uriWhole: false, uriPathOnly: false, hdrUseDomainOnly: false, randomDraws: 2, expr: null,
    },
    hashType: { method: 'map-based', function: 'sdbm', avalanche: false }, hashBalanceFactor: 0, cookie: null, dynamicCookieKey: '', sendNameHeader: '', rdpPersist: null, retries: 3,
    redispatch: 0, retryOn: [], httpReuse: 'safe', fullconn: 0, check: initialCheck(), checkDisableOn404: false, checkSendState: false, source: null,
    serverStateFromFile: 'none', serverStateFileName: '', maxKeepAliveQueue: -1, defaultServer: initialServerWords(), emailAlert: { mailers: '', from: '', to: '', myhostname: '', levelMax: 1 }, places: {},
  };
}

export function initialRules(): OwnRules {
  return {
    httpRequest: [], httpResponse: [], httpAfterResponse: [], tcpRequestConnection: [], tcpRequestSession: [], tcpRequestContent: [],
    tcpResponseContent: [], redirects: [], legacyBlock: [], legacyRequest: [], legacyResponse: [],
  };
}

export function initialGlobal(cpus: number): GlobalDraft {
  return {
    nbthread: cpus, maxconn: 0, daemon: false, masterWorker: false, pidfile: '', user: '', group: '', uid: 0, gid: 0, chroot: '', capabilities: [], openFilesMax: 0, node: '', description: '',
    logTargets: [], logTag: 'haproxy', logSendHostname: '', statsSockets: [], statsTimeoutMs: 10000, statsMaxconn: 10, spreadChecksPercent: 0,
    maxSpreadChecksMs: 0, selfCheckUri: '', hardStopAfterMs: null, graceMs: 0, bufsizeBytes: 16384, headBytesMax: limits.headBytesMax, headerCountMax: limits.headerCountMax,
    maxconnrate: 0, maxsessrate: 0, maxsslconn: 0, maxsslrate: 0, serverStateFile: '', serverStateBase: '', statsFile: '', processVars: [],
    tls: {
      caBase: '', crtBase: '', bind: initialTls(), server: initialTls(), serverVerify: 'required', loadExtraKey: true, loadExtraBundle: true,
    },
    pathOrigin: { kind: 'current' }, unixBindPrefix: '', unixBindMode: null, unixBindUid: -1, unixBindGid: -1, places: {}, nbthreadGiven: false,
  };
}
