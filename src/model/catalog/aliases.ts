/** The log-format variables (configuration manual 8.2.6) and the built-in log formats. Read by config and documentation. */

interface AliasSpec {
  readonly name: string;
  /** Only meaningful in mode http. */
  readonly http: boolean;
  readonly help: string;
}

const rows: readonly (readonly [name: string, http: boolean, help: string])[] = [
  ['B', false, 'bytes sent to the client'], ['CC', true, 'captured request cookie'], ['CS', true, 'captured response cookie'], ['H', false, 'host name'],
  ['HM', true, 'method'], ['HP', true, 'target without query'], ['HPO', true, 'path only'], ['HQ', true, 'query with its question mark'], ['HU', true, 'target'],
  ['HV', true, 'version'], ['ID', false, 'unique id'], ['ST', false, 'status'], ['T', false, 'date, GMT'], ['Ta', true, 'active time'], ['Tc', false, 'connect time'],
  ['Td', false, 'data time'], ['Tl', false, 'date, local'], ['Th', false, 'handshake time'], ['Ti', true, 'idle time'], ['Tq', true, 'Th + Ti + TR'],
  ['TR', true, 'time to receive the request'], ['Tr', true, 'response time'], ['Ts', false, 'Unix time'], ['Tt', false, 'total time'], ['Tu', false, 'time seen by the user'],
  ['Tw', false, 'time in the queue'], ['U', false, 'bytes received from the client'], ['ac', false, 'connections of the process'], ['b', false, 'backend'],
  ['bc', false, 'connections of the backend'], ['bi', false, 'own address towards the server'], ['bp', false, 'own port towards the server'], ['bq', false, 'backend queue'],
  ['ci', false, 'client address'], ['cp', false, 'client port'], ['f', false, 'frontend'], ['fc', false, 'connections of the frontend'], ['fi', false, 'address connected to'],
  ['fp', false, 'port connected to'], ['ft', false, 'frontend, with ~ for TLS'], ['lc', false, 'log counter of the frontend'], ['hr', false, 'captured request headers'],
  ['hrl', false, 'captured request headers, CLF'], ['hs', false, 'captured response headers'], ['hsl', false, 'captured response headers, CLF'],
  ['ms', false, 'milliseconds of the accept date'], ['pid', false, 'process id'], ['r', true, 'request line'], ['rc', false, 'retries'], ['rt', false, 'request counter'],
  ['s', false, 'server'], ['sc', false, 'connections of the server'], ['si', false, 'server address'], ['sp', false, 'server port'], ['sq', false, 'server queue'],
  ['sslc', false, 'TLS cipher'], ['sslv', false, 'TLS version'], ['t', false, 'accept date with milliseconds'], ['tr', true, 'request date with milliseconds'],
  ['trg', true, 'request date, GMT'], ['trl', true, 'request date, local'], ['ts', false, 'termination state'], ['tsc', true, 'termination state with cookie'],
];

export const logAliases: ReadonlyMap<string, AliasSpec> = new Map(rows.map(([name, http, help]) => [name, { name, http, help }]));

/** What `option httplog` and relatives stand for. */
export const builtinLogFormats = {
  httplog: '%ci:%cp [%tr] %ft %b/%s %TR/%Tw/%Tc/%Tr/%Ta %ST %B %CC %CS %tsc %ac/%fc/%bc/%sc/%rc %sq/%bq %hr %hs %{+Q}r',
  httpslog: '%ci:%cp [%tr] %ft %b/%s %TR/%Tw/%Tc/%Tr/%Ta %ST %B %CC %CS %tsc %ac/%fc/%bc/%sc/%rc %sq/%bq %hr %hs %{+Q}r '
    + '%[fc_err]/%[ssl_fc_err,hex]/%[ssl_c_err]/%[ssl_c_ca_err]/%[ssl_fc_is_resumed] %[ssl_fc_sni]/%sslv/%sslc',
  clf: '%{+Q}o %{-Q}ci - - [%trg] %r %ST %B "" "" %cp %ms %ft %b %s %TR %Tw %Tc %Tr %Ta %tsc %ac %fc %bc %sc %rc %sq %bq %CC %CS %hrl %hsl',
  tcplog: '%ci:%cp [%t] %ft %b/%s %Tw/%Tc/%Tt %B %ts %ac/%fc/%bc/%sc/%rc %sq/%bq',
} as const;
