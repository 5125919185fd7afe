/**
 * The sample fetches that HAProxy 2.6 knows: arguments, type, where they may stand, and whether Poise has them. Read by
 * config/expression (to check) and by the documentation writer; rules/fetch implements every `active` one under its name.
 */
import type { SampleType } from '../expression.ts';
import { stickFetchRows } from './stick-counters.ts';

/** `inactive`: accepted with a warning, gives nothing yet. `unsupported`: HAProxy has it, Poise does not. */
export type SupportState = 'active' | 'inactive' | 'unsupported';

/**
 * What must exist when a fetch runs, which decides the rulesets it may stand in:
 * nothing; a client connection; its TLS session; the request being read; the request or its remembered parts; either message
 * by direction; the backend; the server; the response being read; the response or its remembered parts; the end.
 */
export type Needs = 'nothing' | 'client' | 'tls' | 'request' | 'transaction' | 'message' | 'backend' | 'server' | 'response' | 'answered' | 'ended';

/** Argument types by letter, see `argLetters`; `?` after a letter makes it optional. */
export interface ArgSpec {
  readonly type: 'str' | 'int' | 'regex' | 'ipv4' | 'ipv6' | 'mask4' | 'mask6' | 'frontend' | 'backend' | 'server' | 'table' | 'userlist' | 'var' | 'number-or-var' | 'map' | 'any';
  readonly optional: boolean;
}

const argLetters: Readonly<Record<string, ArgSpec['type']>> = {
  s: 'str', i: 'int', r: 'regex', a: 'ipv4', A: 'ipv6', m: 'mask4', M: 'mask6', f: 'frontend', b: 'backend', v: 'server', t: 'table', u: 'userlist',
  V: 'var', n: 'number-or-var', p: 'map', x: 'any',
};

/** Reads `si?`: a string, then an optional integer. */
export function argSpecs(letters: string): readonly ArgSpec[] {
  const out: ArgSpec[] = [];
  for (let i = 0; i < letters.length; i++) {
    const type = argLetters[letters.charAt(i)];
    if (type === undefined) throw new Error(`argument letter '${letters.charAt(i)}'`);
    const optional = letters[i + 1] === '?';
    if (optional) i++;
    out.push({ type, optional });
  }
  return out;
}

export interface FetchSpec {
  readonly name: string;
  readonly args: readonly ArgSpec[];
  readonly type: SampleType;
  readonly needs: Needs;
  readonly state: SupportState;
  readonly help: string;
}

export type FetchRow = readonly [name: string, args: string, type: SampleType, needs: Needs, help: string, state?: SupportState];

const rows: readonly FetchRow[] = [
  // ---- constants and the process
  ['always_false', '', 'bool', 'nothing', 'Always false.'],
  ['always_true', '', 'bool', 'nothing', 'Always true.'],
  ['bin', 's', 'bin', 'nothing', 'The bytes written in hexadecimal.'],
  ['bool', 's', 'bool', 'nothing', 'The boolean written: true, false, 1 or 0.'],
  ['int', 'i', 'int', 'nothing', 'The integer written.'],
  ['ipv4', 'a', 'ip', 'nothing', 'The IPv4 address written.'],
  ['ipv6', 'A', 'ip', 'nothing', 'The IPv6 address written.'],
  ['meth', 's', 'method', 'nothing', 'The method written.'],
  ['str', 's', 'str', 'nothing', 'The text written.'],
  ['date', 'i?s?', 'int', 'nothing', 'Unix time plus an offset; unit s, ms or us.'],
  ['date_us', '', 'int', 'nothing', 'Microseconds of the current second.'],
  ['env', 's', 'str', 'nothing', 'An environment variable.'],
  ['hostname', '', 'str', 'nothing', 'Host name of the system.'],
  ['nbproc', '', 'int', 'nothing', 'Number of processes: 1.'],
  ['proc', '', 'int', 'nothing', 'Number of this process: 1.'],
  ['pid', '', 'int', 'nothing', 'Process id.'],
  ['thread', '', 'int', 'nothing', 'Number of this thread, from 0.'],
  ['rand', 'i?', 'int', 'nothing', 'Random integer below 2^32, or below the argument.'],
  ['uuid', 'i?', 'str', 'nothing', 'Random UUID, version 4.'],
  ['stopping', '', 'bool', 'nothing', 'True while the process drains.', 'inactive'],
  ['uptime', '', 'int', 'nothing', 'Seconds since start.'],
  ['var', 'Vs?', 'any', 'nothing', 'A variable, with an optional default.'],
  ['why', '', 'str', 'ended', 'Why it ended, in words; nothing when it ended well and at once. Poise only, see logging.md.'],
  ['unique-id', '', 'str', 'nothing', 'The unique id of the request or connection.'],
  ['last_rule_file', '', 'str', 'nothing', 'File of the last final rule.', 'inactive'],
  ['last_rule_line', '', 'int', 'nothing', 'Line of the last final rule.', 'inactive'],
  ['wait_end', '', 'bool', 'nothing', 'True once the inspect delay is over.'],
  ['cpu_calls', '', 'int', 'nothing', 'Calls of the task.', 'inactive'],
  ['cpu_ns_avg', '', 'int', 'nothing', 'Average CPU time per call.', 'inactive'],
  ['cpu_ns_tot', '', 'int', 'nothing', 'CPU time of the stream.', 'inactive'],
  ['lat_ns_avg', '', 'int', 'nothing', 'Average scheduling latency.', 'inactive'],
  ['lat_ns_tot', '', 'int', 'nothing', 'Scheduling latency of the stream.', 'inactive'],
  ['prio_class', '', 'int', 'nothing', 'Priority class of the request.'],
  ['prio_offset', '', 'int', 'nothing', 'Priority offset of the request.'],
  ['internal.strm.is_htx', '', 'bool', 'nothing', 'Internal state of HAProxy.', 'unsupported'],

  // ---- live figures
  ['avg_queue', 'b?', 'int', 'nothing', 'Queued requests per usable server of a backend.'],
  ['be_conn', 'b?', 'int', 'nothing', 'Current requests of a backend.'],
  ['be_conn_free', 'b?', 'int', 'nothing', 'Free slots of the usable servers of a backend.'],
  ['be_sess_rate', 'b?', 'int', 'nothing', 'Requests per second of a backend.'],
  ['connslots', 'b?', 'int', 'nothing', 'Free slots and queue places of a backend.'],
  ['fe_conn', 'f?', 'int', 'nothing', 'Current connections of a frontend.'],
  ['fe_req_rate', 'f?', 'int', 'nothing', 'HTTP requests per second of a frontend.'],
  ['fe_sess_rate', 'f?', 'int', 'nothing', 'Sessions per second of a frontend.'],
  ['nbsrv', 'b?', 'int', 'nothing', 'Usable servers of a backend.'],
  ['queue', 'b?', 'int', 'nothing', 'Requests that wait in a backend and its servers.'],
  ['srv_conn', 'v', 'int', 'nothing', 'Current requests of a server.'],
  ['srv_conn_free', 'v', 'int', 'nothing', 'Free slots of a server.'],
  ['srv_is_up', 'v', 'bool', 'nothing', 'True while the server may take requests.'],
  ['srv_iweight', 'v', 'int', 'nothing', 'Configured weight of a server.'],
  ['srv_uweight', 'v', 'int', 'nothing', 'Weight of a server as set by the user.'],
  ['srv_weight', 'v', 'int', 'nothing', 'Weight of a server in force.'],
  ['srv_queue', 'v', 'int', 'nothing', 'Requests that wait for a server.'],
  ['srv_sess_rate', 'v', 'int', 'nothing', 'Requests per second of a server.'],
  ['table_avl', 't', 'int', 'nothing', 'Free entries of a stick table.', 'inactive'],
  ['table_cnt', 't', 'int', 'nothing', 'Used entries of a stick table.', 'inactive'],

  // ---- the client connection
  ['dst', '', 'ip', 'client', 'Address the client connected to.'],
  ['dst_conn', '', 'int', 'client', 'Current connections of the frontend that accepted this one.'],
  ['dst_is_local', '', 'bool', 'client', 'True when the destination address is one of this host.'],
  ['dst_port', '', 'int', 'client', 'Port the client connected to.'],
  ['src', '', 'ip', 'client', 'Address of the client.'],
  ['src_is_local', '', 'bool', 'client', 'True when the client address is one of this host.'],
  ['src_port', '', 'int', 'client', 'Port of the client.'],
  ['fc_dst', '', 'ip', 'client', 'Destination address of the client connection.'],
  ['fc_dst_is_local', '', 'bool', 'client', 'True when the destination address is one of this host.'],
  ['fc_dst_port', '', 'int', 'client', 'Destination port of the client connection.'],
  ['fc_src', '', 'ip', 'client', 'Source address of the client connection.'],
  ['fc_src_is_local', '', 'bool', 'client', 'True when the source address is one of this host.'],
  ['fc_src_port', '', 'int', 'client', 'Source port of the client connection.'],
  ['fc_http_major', '', 'int', 'client', 'Major HTTP version on the client side.'],
  ['fc_pp_authority', '', 'str', 'client', 'Authority from the PROXY protocol header.'],
  ['fc_pp_unique_id', '', 'str', 'client', 'Unique id from the PROXY protocol header.'],
  ['fc_rcvd_proxy', '', 'bool', 'client', 'True when the client sent a PROXY protocol header.'],
  ['fc_err', '', 'int', 'client', 'Error code of the client connection.'],
  ['fc_err_str', '', 'str', 'client', 'Error text of the client connection.', 'inactive'],
  ['fc_fackets', 's?', 'int', 'client', 'TCP_INFO of the client connection.', 'inactive'],
  ['fc_lost', 's?', 'int', 'client', 'TCP_INFO of the client connection.', 'inactive'],
  ['fc_reordering', 's?', 'int', 'client', 'TCP_INFO of the client connection.', 'inactive'],
  ['fc_retrans', 's?', 'int', 'client', 'TCP_INFO of the client connection.', 'inactive'],
  ['fc_rtt', 's?', 'int', 'client', 'TCP_INFO of the client connection.', 'inactive'],
  ['fc_rttvar', 's?', 'int', 'client', 'TCP_INFO of the client connection.', 'inactive'],
  ['fc_sacked', 's?', 'int', 'client', 'TCP_INFO of the client connection.', 'inactive'],
  ['fc_unacked', 's?', 'int', 'client', 'TCP_INFO of the client connection.', 'inactive'],
  ['fe_client_timeout', '', 'int', 'client', 'timeout client of the frontend, milliseconds.'],
  ['fe_defbe', '', 'str', 'client', 'Name of the default backend of the frontend.'],
  ['fe_id', '', 'int', 'client', 'Number of the frontend.'],
  ['fe_name', '', 'str', 'client', 'Name of the frontend.'],
  ['so_id', '', 'int', 'client', 'Number of the listener.'],
  ['so_name', '', 'str', 'client', 'Name of the listener.'],

  // ---- backend, server and the server connection
  ['be_id', '', 'int', 'backend', 'Number of the backend.'],
  ['be_name', '', 'str', 'backend', 'Name of the backend.'],
  ['be_server_timeout', '', 'int', 'backend', 'timeout server of the backend, milliseconds.'],
  ['be_tunnel_timeout', '', 'int', 'backend', 'timeout tunnel of the backend, milliseconds.'],
  ['cur_server_timeout', '', 'int', 'backend', 'Server timeout in force, milliseconds.'],
  ['cur_tunnel_timeout', '', 'int', 'backend', 'Tunnel timeout in force, milliseconds.'],
  ['srv_id', '', 'int', 'server', 'Number of the server.'],
  ['srv_name', '', 'str', 'server', 'Name of the server.'],
  ['bc_dst', '', 'ip', 'server', 'Address of the server connection.'],
  ['bc_dst_port', '', 'int', 'server', 'Port of the server connection.'],
  ['bc_src', '', 'ip', 'server', 'Own address of the server connection.'],
  ['bc_src_port', '', 'int', 'server', 'Own port of the server connection.'],
  ['bc_http_major', '', 'int', 'server', 'Major HTTP version on the server side.'],
  ['bc_err', '', 'int', 'server', 'Error code of the server connection.', 'inactive'],
  ['bc_err_str', '', 'str', 'server', 'Error text of the server connection.', 'inactive'],

  // ---- TLS of the client connection
  ['ssl_fc', '', 'bool', 'tls', 'True when the client connection is TLS.'],
  ['ssl_fc_alg_keysize', '', 'int', 'tls', 'Key size of the cipher, bits.'],
  ['ssl_fc_alpn', '', 'str', 'tls', 'Protocol agreed by ALPN.'],
  ['ssl_fc_cipher', '', 'str', 'tls', 'Name of the cipher.'],
  ['ssl_fc_err', '', 'int', 'tls', 'TLS error of the client connection.'],
  ['ssl_fc_err_str', '', 'str', 'tls', 'TLS error text of the client connection.', 'inactive'],
  ['ssl_fc_has_crt', '', 'bool', 'tls', 'True when the client showed a certificate.'],
  ['ssl_fc_has_early', '', 'bool', 'tls', 'True while early data is used: never.'],
  ['ssl_fc_has_sni', '', 'bool', 'tls', 'True when the client named a server.'],
  ['ssl_fc_is_resumed', '', 'bool', 'tls', 'True when the TLS session was resumed.'],
  ['ssl_fc_npn', '', 'str', 'tls', 'Protocol agreed by NPN: none.', 'inactive'],
  ['ssl_fc_protocol', '', 'str', 'tls', 'TLS version, such as TLSv1.3.'],
  ['ssl_fc_session_id', '', 'bin', 'tls', 'TLS session id.'],
  ['ssl_fc_sni', '', 'str', 'tls', 'Server name the client asked for.'],
  ['ssl_fc_use_keysize', '', 'int', 'tls', 'Symmetric key size used, bits.'],
  ['ssl_c_ca_err', '', 'int', 'tls', 'Verification error of an issuer.'],
  ['ssl_c_ca_err_depth', '', 'int', 'tls', 'Depth of the verification error.', 'inactive'],
  ['ssl_c_der', '', 'bin', 'tls', 'Client certificate, DER.'],
  ['ssl_c_err', '', 'int', 'tls', 'Verification error of the client certificate.'],
  ['ssl_c_i_dn', 's?i?s?', 'str', 'tls', 'Issuer of the client certificate, or one field of it.'],
  ['ssl_c_key_alg', '', 'str', 'tls', 'Key algorithm of the client certificate.', 'unsupported'],
  ['ssl_c_notafter', '', 'str', 'tls', 'End of the client certificate, YYMMDDhhmmssZ.'],
  ['ssl_c_notbefore', '', 'str', 'tls', 'Start of the client certificate, YYMMDDhhmmssZ.'],
  ['ssl_c_s_dn', 's?i?s?', 'str', 'tls', 'Subject of the client certificate, or one field of it.'],
  ['ssl_c_serial', '', 'bin', 'tls', 'Serial number of the client certificate.'],
  ['ssl_c_sha1', '', 'bin', 'tls', 'SHA-1 of the client certificate.'],
  ['ssl_c_sig_alg', '', 'str', 'tls', 'Signature algorithm of the client certificate.', 'unsupported'],
  ['ssl_c_used', '', 'bool', 'tls', 'True when the client showed a certificate.'],
  ['ssl_c_verify', '', 'int', 'tls', 'Verification result of the client certificate, 0 = good.'],
  ['ssl_c_version', '', 'int', 'tls', 'Version of the client certificate.', 'unsupported'],
  ['ssl_c_chain_der', '', 'bin', 'tls', 'Certificate chain of the client, DER.', 'unsupported'],
  ['ssl_f_der', '', 'bin', 'tls', 'Certificate shown to the client, DER.'],
  ['ssl_f_i_dn', 's?i?s?', 'str', 'tls', 'Issuer of the certificate shown to the client.'],
  ['ssl_f_key_alg', '', 'str', 'tls', 'Key algorithm of the certificate shown.', 'unsupported'],
  ['ssl_f_notafter', '', 'str', 'tls', 'End of the certificate shown.'],
  ['ssl_f_notbefore', '', 'str', 'tls', 'Start of the certificate shown.'],
  ['ssl_f_s_dn', 's?i?s?', 'str', 'tls', 'Subject of the certificate shown.'],
  ['ssl_f_serial', '', 'bin', 'tls', 'Serial number of the certificate shown.'],
  ['ssl_f_sha1', '', 'bin', 'tls', 'SHA-1 of the certificate shown.'],
  ['ssl_f_sig_alg', '', 'str', 'tls', 'Signature algorithm of the certificate shown.', 'unsupported'],
  ['ssl_f_version', '', 'int', 'tls', 'Version of the certificate shown.', 'unsupported'],

  // ---- TLS of the server connection
  ['ssl_bc', '', 'bool', 'server', 'True when the server connection is TLS.'],
  ['ssl_bc_alg_keysize', '', 'int', 'server', 'Key size of the cipher towards the server, bits.'],
  ['ssl_bc_alpn', '', 'str', 'server', 'Protocol agreed by ALPN with the server.'],
  ['ssl_bc_cipher', '', 'str', 'server', 'Cipher towards the server.'],
  ['ssl_bc_err', '', 'int', 'server', 'TLS error of the server connection.', 'inactive'],
  ['ssl_bc_err_str', '', 'str', 'server', 'TLS error text of the server connection.', 'inactive'],
  ['ssl_bc_is_resumed', '', 'bool', 'server', 'True when the TLS session to the server was resumed.'],
  ['ssl_bc_npn', '', 'str', 'server', 'Protocol agreed by NPN: none.', 'inactive'],
  ['ssl_bc_protocol', '', 'str', 'server', 'TLS version towards the server.'],
  ['ssl_bc_session_id', '', 'bin', 'server', 'TLS session id towards the server.'],
  ['ssl_bc_use_keysize', '', 'int', 'server', 'Symmetric key size used towards the server, bits.'],

  // ---- bytes of the stream
  ['payload', 'ii', 'bin', 'message', 'Bytes at an offset of the request or response.'],
  ['payload_lv', 'iis?', 'bin', 'message', 'Bytes whose length stands at an offset.'],
  ['req.len', '', 'int', 'request', 'Bytes of the request received so far.'],
  ['req.payload', 'ii', 'bin', 'request', 'Bytes at an offset of the request.'],
  ['req.payload_lv', 'iis?', 'bin', 'request', 'Bytes of the request whose length stands at an offset.'],
  ['req.proto_http', '', 'bool', 'transaction', 'True when the request looks like HTTP.'],
  ['req.rdp_cookie', 's?', 'str', 'request', 'RDP cookie.'],
  ['req.rdp_cookie_cnt', 's?', 'int', 'request', 'Number of RDP cookies.'],
  ['req.ssl_alpn', '', 'str', 'request', 'ALPN protocols of the TLS hello, comma-separated.'],
  ['req.ssl_ec_ext', '', 'bool', 'request', 'True when the TLS hello lists elliptic curves.'],
  ['req.ssl_hello_type', '', 'int', 'request', 'Type of the TLS hello in the request: 1 = client hello.'],
  ['req.ssl_sni', '', 'str', 'request', 'Server name in the TLS hello.'],
  ['req.ssl_st_ext', '', 'int', 'request', 'Session ticket extension of the TLS hello: 0 none, 1 empty, 2 with ticket.'],
  ['req.ssl_ver', '', 'int', 'request', 'TLS version of the hello, major × 65536 + minor.'],
  ['res.len', '', 'int', 'response', 'Bytes of the response received so far.'],
  ['res.payload', 'ii', 'bin', 'response', 'Bytes at an offset of the response.'],
  ['res.payload_lv', 'iis?', 'bin', 'response', 'Bytes of the response whose length stands at an offset.'],
  ['res.ssl_hello_type', '', 'int', 'response', 'Type of the TLS hello in the response: 2 = server hello.'],
  ['distcc_body', 'si?', 'bin', 'message', 'distcc payload.', 'unsupported'],
  ['distcc_param', 'si?', 'int', 'message', 'distcc parameter.', 'unsupported'],

  // ---- the HTTP request
  ['base', '', 'str', 'request', 'Host header and path.'],
  ['base32', '', 'int', 'request', '32-bit hash of base.'],
  ['base32+src', '', 'bin', 'request', 'base32 and the client address.'],
  ['baseq', '', 'str', 'request', 'Host header, path and query.'],
  ['method', '', 'method', 'transaction', 'Request method.'],
  ['path', '', 'str', 'request', 'Path without query.'],
  ['pathq', '', 'str', 'request', 'Path with query.'],
  ['query', '', 'str', 'request', 'Query without the question mark.'],
  ['url', '', 'str', 'request', 'Request target as received.'],
  ['url_ip', '', 'ip', 'request', 'Address in an absolute target.'],
  ['url_port', '', 'int', 'request', 'Port in an absolute target.'],
  ['url_param', 's?s?', 'str', 'request', 'Value of a query parameter.'],
  ['urlp_val', 's?s?', 'int', 'request', 'Value of a query parameter as an integer.'],
  ['url32', '', 'int', 'request', '32-bit hash of the host and target.'],
  ['url32+src', '', 'bin', 'request', 'url32 and the client address.'],
  ['hdr', 's?i?', 'str', 'message', 'Last value of a header, or the one of an occurrence.'],
  ['cookie', 's?', 'str', 'message', 'Value of a cookie in either direction.'],
  ['req.hdr', 's?i?', 'str', 'request', 'Value of a request header, comma-separated values apart.'],
  ['req.fhdr', 's?i?', 'str', 'request', 'Full value of a request header line.'],
  ['req.hdr_cnt', 's?', 'int', 'request', 'Number of values of a request header.'],
  ['req.fhdr_cnt', 's?', 'int', 'request', 'Number of lines of a request header.'],
  ['req.hdr_ip', 's?i?', 'ip', 'request', 'Value of a request header as an address.'],
  ['req.hdr_val', 's?i?', 'int', 'request', 'Value of a request header as an integer.'],
  ['req.hdr_names', 's?', 'str', 'request', 'Names of all request headers.'],
  ['req.hdrs', '', 'bin', 'request', 'All request headers as text.'],
  ['req.hdrs_bin', '', 'bin', 'request', 'All request headers, length-prefixed.'],
  ['req.cook', 's?', 'str', 'request', 'Value of a request cookie.'],
  ['req.cook_cnt', 's?', 'int', 'request', 'Number of request cookies.'],
  ['req.cook_val', 's?', 'int', 'request', 'Value of a request cookie as an integer.'],
  ['req.ver', '', 'str', 'request', 'HTTP version of the request: 1.1.'],
  ['req.body', '', 'bin', 'request', 'Request body received so far.'],
  ['req.body_len', '', 'int', 'request', 'Length of the request body received so far.'],
  ['req.body_size', '', 'int', 'request', 'Announced length of the request body.'],
  ['req.body_param', 's?', 'bin', 'request', 'Value of a form parameter in the request body.'],
  ['http_auth', 'u', 'bool', 'request', 'True when the basic credentials are valid for a userlist.'],
  ['http_auth_bearer', 's?', 'str', 'request', 'Bearer token.'],
  ['http_auth_group', 'u', 'str', 'request', 'User name of valid credentials, matched against groups.'],
  ['http_auth_pass', '', 'str', 'request', 'Password of the credentials.'],
  ['http_auth_type', '', 'str', 'request', 'Authentication scheme.'],
  ['http_auth_user', '', 'str', 'request', 'User of the credentials.'],
  ['http_first_req', '', 'bool', 'transaction', 'True for the first request of a connection.'],
  ['capture.req.hdr', 'i', 'str', 'transaction', 'Captured request header by slot.'],
  ['capture.req.method', '', 'str', 'transaction', 'Method as received.'],
  ['capture.req.uri', '', 'str', 'transaction', 'Target as received.'],
  ['capture.req.ver', '', 'str', 'transaction', 'Version as received.'],
  ['capture.res.hdr', 'i', 'str', 'answered', 'Captured response header by slot.'],
  ['capture.res.ver', '', 'str', 'answered', 'Version of the response.'],
  ['fcgi.docroot', '', 'str', 'request', 'FastCGI document root.', 'unsupported'],
  ['fcgi.index', '', 'str', 'request', 'FastCGI index.', 'unsupported'],

  // ---- the HTTP response
  ['status', '', 'int', 'answered', 'Status of the response.'],
  ['res.hdr', 's?i?', 'str', 'response', 'Value of a response header, comma-separated values apart.'],
  ['res.fhdr', 's?i?', 'str', 'response', 'Full value of a response header line.'],
  ['res.hdr_cnt', 's?', 'int', 'response', 'Number of values of a response header.'],
  ['res.fhdr_cnt', 's?', 'int', 'response', 'Number of lines of a response header.'],
  ['res.hdr_ip', 's?i?', 'ip', 'response', 'Value of a response header as an address.'],
  ['res.hdr_val', 's?i?', 'int', 'response', 'Value of a response header as an integer.'],
  ['res.hdr_names', 's?', 'str', 'response', 'Names of all response headers.'],
  ['res.hdrs', '', 'bin', 'response', 'All response headers as text.'],
  ['res.hdrs_bin', '', 'bin', 'response', 'All response headers, length-prefixed.'],
  ['res.cook', 's?', 'str', 'response', 'Value of a cookie set by the response.'],
  ['res.cook_cnt', 's?', 'int', 'response', 'Number of cookies set by the response.'],
  ['res.cook_val', 's?', 'int', 'response', 'Value of a cookie set by the response as an integer.'],
  ['res.ver', '', 'str', 'response', 'HTTP version of the response.'],
  ['res.body', '', 'bin', 'response', 'Response body received so far.'],
  ['res.body_len', '', 'int', 'response', 'Length of the response body received so far.'],
  ['res.body_size', '', 'int', 'response', 'Announced length of the response body.'],
  ['res.comp', '', 'bool', 'answered', 'True when the response was compressed here.', 'inactive'],
  ['res.comp_algo', '', 'str', 'answered', 'Compression algorithm used here.', 'inactive'],
  ['res.cache_hit', '', 'bool', 'answered', 'True when the response came from the cache.', 'inactive'],
  ['res.cache_name', '', 'str', 'answered', 'Name of the cache.', 'inactive'],
];

/** Known to HAProxy, all for debugging HAProxy itself or for TLS secrets that the runtimes do not give: they give nothing. */
const internalNames = [
  'internal.htx.data', 'internal.htx.free', 'internal.htx.free_data', 'internal.htx.has_eom', 'internal.htx.nbblks', 'internal.htx.size', 'internal.htx.used',
  'internal.htx_blk.data', 'internal.htx_blk.hdrname', 'internal.htx_blk.hdrval', 'internal.htx_blk.size', 'internal.htx_blk.start_line', 'internal.htx_blk.type',
  'ssl_bc_client_random', 'ssl_bc_server_random', 'ssl_bc_session_key', 'ssl_bc_unique_id', 'ssl_fc_cipherlist_bin', 'ssl_fc_cipherlist_hex',
  'ssl_fc_cipherlist_str', 'ssl_fc_cipherlist_xxh', 'ssl_fc_client_early_traffic_secret', 'ssl_fc_client_handshake_traffic_secret', 'ssl_fc_client_random',
  'ssl_fc_client_traffic_secret_0', 'ssl_fc_early_exporter_secret', 'ssl_fc_ecformats_bin', 'ssl_fc_eclist_bin', 'ssl_fc_exporter_secret',
  'ssl_fc_extlist_bin', 'ssl_fc_protocol_hello_id', 'ssl_fc_server_handshake_traffic_secret', 'ssl_fc_server_random', 'ssl_fc_server_traffic_secret_0',
  'ssl_fc_session_key', 'ssl_fc_unique_id', 'ssl_s_chain_der', 'ssl_s_der', 'ssl_s_i_dn', 'ssl_s_key_alg', 'ssl_s_notafter', 'ssl_s_notbefore', 'ssl_s_s_dn',
  'ssl_s_serial', 'ssl_s_sha1', 'ssl_s_sig_alg', 'ssl_s_version',
];

/** Other spellings of a fetch. */
export const fetchAliases: Readonly<Record<string, string>> = {
  'set-cookie': 'res.cook', cook: 'req.cook', cook_cnt: 'req.cook_cnt', cook_val: 'req.cook_val', scook: 'res.cook', scook_cnt: 'res.cook_cnt', scook_val: 'res.cook_val',
  hdr_cnt: 'req.hdr_cnt', hdr_ip: 'req.hdr_ip', hdr_val: 'req.hdr_val', shdr: 'res.hdr', shdr_cnt: 'res.hdr_cnt', shdr_ip: 'res.hdr_ip', shdr_val: 'res.hdr_val',
  urlp: 'url_param', req_len: 'req.len', req_proto_http: 'req.proto_http', req_ver: 'req.ver', resp_ver: 'res.ver', 'req.cookie': 'req.cook',
  req_ssl_hello_type: 'req.ssl_hello_type', req_ssl_sni: 'req.ssl_sni', req_ssl_ver: 'req.ssl_ver', rep_ssl_hello_type: 'res.ssl_hello_type',
  rdp_cookie: 'req.rdp_cookie', rdp_cookie_cnt: 'req.rdp_cookie_cnt', srv_conn_rate: 'srv_sess_rate', be_conn_rate: 'be_sess_rate',
};

export const fetches: ReadonlyMap<string, FetchSpec> = new Map(
  [...rows, ...stickFetchRows, ...internalNames.map((name): FetchRow => [name, 's?', 'str', 'nothing', 'Internal to HAProxy and OpenSSL.', 'inactive'])]
    .map(([name, args, type, needs, help, state]) => [name, { name, args: argSpecs(args), type, needs, state: state ?? 'active', help }]),
);
