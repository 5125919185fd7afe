/** ACL keywords with a built-in match method, and the predefined ACLs (configuration manual 7.4). Read by config/expression. */
import type { MatchMethod } from '../expression.ts';

const stringMethods = ['beg', 'dir', 'dom', 'end', 'len', 'reg', 'sub'] as const;
/** Fetches that have a `_beg`, `_dir` … form. */
const families: Readonly<Record<string, string>> = {
  base: 'base', cook: 'req.cook', hdr: 'hdr', path: 'path', scook: 'res.cook', shdr: 'res.hdr', url: 'url', urlp: 'url_param',
};

/** Keyword → fetch and method, for the keywords whose fetch alone does not tell the method. */
function makeKeywords(): Map<string, { readonly fetch: string; readonly method: MatchMethod }> {
  const out = new Map<string, { fetch: string; method: MatchMethod }>();
  for (const [prefix, fetch] of Object.entries(families)) {
    for (const method of stringMethods) out.set(`${prefix}_${method}`, { fetch, method });
  }
  out.set('ssl_fc_sni_end', { fetch: 'ssl_fc_sni', method: 'end' });
  out.set('ssl_fc_sni_reg', { fetch: 'ssl_fc_sni', method: 'reg' });
  out.set('payload', { fetch: 'payload', method: 'bin' });
  out.set('payload_lv', { fetch: 'payload_lv', method: 'bin' });
  return out;
}

export const aclKeywords: ReadonlyMap<string, { readonly fetch: string; readonly method: MatchMethod }> = makeKeywords();

/** Keywords whose integer patterns may be written as dotted versions: `3.1` is 3 × 65536 + 1. */
export const dottedVersionKeywords: ReadonlySet<string> = new Set(['req_ssl_ver', 'req.ssl_ver']);

export const predefinedAcls: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries({
    TRUE: 'always_true', FALSE: 'always_false', LOCALHOST: 'src 127.0.0.1/8 ::1', HTTP: 'req.proto_http',
    'HTTP_1.0': 'req.ver 1.0', 'HTTP_1.1': 'req.ver 1.1', 'HTTP_2.0': 'req.ver 2.0',
    METH_CONNECT: 'method CONNECT', METH_DELETE: 'method DELETE', METH_GET: 'method GET HEAD', METH_HEAD: 'method HEAD', METH_OPTIONS: 'method OPTIONS',
    METH_POST: 'method POST', METH_PUT: 'method PUT', METH_TRACE: 'method TRACE',
    HTTP_URL_ABS: 'url_reg ^[^/:]*://', HTTP_URL_SLASH: 'url_beg /', HTTP_URL_STAR: 'url *', HTTP_CONTENT: 'req.hdr_val(content-length) gt 0',
    RDP_COOKIE: 'req.rdp_cookie_cnt gt 0', REQ_CONTENT: 'req.len gt 0', WAIT_END: 'wait_end',
  }).map(([name, text]) => [name, text.split(' ')]),
);
